#include "server/snapshots/s3_options.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/network_address.h"
#include "core/base/status_macros.h"
#include "server/runtime/small_file.h"

namespace antiphon::server {
namespace {

constexpr size_t kMaxCredentialsBytes = 64 << 10;
constexpr size_t kMaxPrefixBytes = 512;

bool ConsistsOf(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           others.find(c) != std::string_view::npos;
  });
}

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(what, "; give https://ENDPOINT/BUCKET or ", "https://ENDPOINT/BUCKET/PREFIX"));
}

// Segments that no file system and no proxy reads as anything else.
absl::StatusOr<std::string> ParsePrefix(std::string_view text) {
  if (text.ends_with('/')) text.remove_suffix(1);
  if (text.empty()) return std::string();
  if (text.size() > kMaxPrefixBytes) return Wrong("its prefix is longer than 512 bytes");
  const std::string path(text);
  for (const std::string& segment : std::vector<std::string>(absl::StrSplit(path, '/'))) {
    if (segment.empty() || segment[0] == '.' || !ConsistsOf(segment, "._-")) {
      return Wrong(
          "its prefix may have letters, digits, '.', '_' and '-' between slashes, and no part of "
          "it begins with '.'");
    }
  }
  return absl::StrCat(path, "/");
}

absl::Status CheckCredential(absl::string_view name, absl::string_view value) {
  if (value.empty()) return absl::InvalidArgumentError(absl::StrCat(name, ": missing"));
  const bool plain =
      std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (plain && value.size() <= 8192) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, ": is not what such a key looks like"));
}

absl::StatusOr<S3Credentials> Checked(S3Credentials credentials) {
  RETURN_IF_ERROR(CheckCredential("aws_access_key_id", credentials.key_id));
  RETURN_IF_ERROR(CheckCredential("aws_secret_access_key", credentials.secret));
  if (!credentials.session_token.empty())
    RETURN_IF_ERROR(CheckCredential("aws_session_token", credentials.session_token));
  return credentials;
}

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

absl::StatusOr<S3Location> ParseS3Location(std::string_view text) {
  S3Location location;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    location.secure = false;
  } else {
    return Wrong("is no https:// address");
  }
  if (rest.find('@') != std::string_view::npos) {
    return absl::InvalidArgumentError(
        "has a user in it; credentials come from the environment or a file");
  }
  const size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view host = rest.substr(0, slash);
  if (host.empty() || host.size() > 255 || !ConsistsOf(host, ".-:[]"))
    return Wrong("names no endpoint");
  location.endpoint = absl::StrCat(location.secure ? "https://" : "http://", std::string(host));
  rest.remove_prefix(std::min(slash + 1, rest.size()));
  const size_t end = std::min(rest.find('/'), rest.size());
  location.bucket = std::string(rest.substr(0, end));
  const bool plain = location.bucket.size() >= 3 && location.bucket.size() <= 63 &&
                     ConsistsOf(location.bucket, ".-_") && location.bucket[0] != '.' &&
                     location.bucket[0] != '-';
  if (!plain) return Wrong("names no bucket");
  rest.remove_prefix(std::min(end + 1, rest.size()));
  ASSIGN_OR_RETURN(location.prefix, ParsePrefix(rest));
  return location;
}

absl::Status S3Options::Validate() const {
  if (!enabled()) {
    if (credentials_file.empty() && ca_file.empty() && !allow_http) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(!credentials_file.empty()
                                                       ? "snapshot-s3-credentials-file"
                                                   : !ca_file.empty() ? "snapshot-s3-ca-file"
                                                                      : "snapshot-s3-allow-http",
                                                   ": needs snapshot-s3 as well"));
  }
  ASSIGN_OR_RETURN(
      const S3Location parsed, MapError(ParseS3Location(location), [](const absl::Status& status) {
        return absl::InvalidArgumentError(absl::StrCat("snapshot-s3: ", status.message()));
      }));
  const std::string authority(absl::StripPrefix(parsed.endpoint, "http://"));
  const absl::StatusOr<HostPort> with_port = ParseHostPort(authority);
  const bool local = IsLoopback(with_port.ok() ? with_port->host : authority);
  if (!parsed.secure && !allow_http && !local) {
    return absl::InvalidArgumentError(
        "snapshot-s3: over http:// anybody on the way can read and change the snapshots; use "
        "https://, or set snapshot-s3-allow-http on a network that you trust");
  }
  if (region.empty() || region.size() > 64 || !ConsistsOf(region, "-_")) {
    return absl::InvalidArgumentError(
        "snapshot-s3-region: is no region; give letters, digits and '-', such as eu-central-1");
  }
  return absl::OkStatus();
}

absl::StatusOr<S3Credentials> ParseS3Credentials(std::string_view text) {
  S3Credentials credentials;
  bool counts = true;
  for (const std::string& line :
       std::vector<std::string>(absl::StrSplit(std::string(text), '\n'))) {
    const absl::string_view stripped = absl::StripAsciiWhitespace(line);
    if (absl::StartsWith(stripped, "[")) {
      counts = stripped == "[default]";
      continue;
    }
    const size_t equals = stripped.find('=');
    if (!counts || absl::StartsWith(stripped, "#") || absl::StartsWith(stripped, ";") ||
        equals == absl::string_view::npos) {
      continue;
    }
    const std::string key =
        absl::AsciiStrToLower(absl::StripTrailingAsciiWhitespace(stripped.substr(0, equals)));
    const std::string value(absl::StripLeadingAsciiWhitespace(stripped.substr(equals + 1)));
    if (key == "aws_access_key_id") credentials.key_id = value;
    if (key == "aws_secret_access_key") credentials.secret = value;
    if (key == "aws_session_token") credentials.session_token = value;
  }
  return Checked(std::move(credentials));
}

absl::StatusOr<S3Credentials> ReadS3Credentials(const std::string& file) {
  if (!file.empty()) {
    ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(file, kMaxCredentialsBytes));
    return ParseS3Credentials(text);
  }
  return Checked({.key_id = FromEnvironment("AWS_ACCESS_KEY_ID"),
                  .secret = FromEnvironment("AWS_SECRET_ACCESS_KEY"),
                  .session_token = FromEnvironment("AWS_SESSION_TOKEN")});
}

}  // namespace antiphon::server
