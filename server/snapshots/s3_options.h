// Where the object storage is, and who may use it. Plain values and their checks; safe from any
// thread.
#ifndef ANTIPHON_SERVER_SNAPSHOTS_S3_OPTIONS_H_
#define ANTIPHON_SERVER_SNAPSHOTS_S3_OPTIONS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace antiphon::server {

struct S3Options {
  std::string location{};   // https://ENDPOINT/BUCKET[/PREFIX]; empty: there is none
  bool allow_http = false;  // http:// to other machines, too
  std::string region = "us-east-1";
  std::string credentials_file{};  // empty: from the environment
  std::string ca_file{};           // PEM; empty: the authorities that the system trusts

  bool enabled() const { return !location.empty(); }

  // InvalidArgument naming the option.
  [[nodiscard]] absl::Status Validate() const;
};

struct S3Location {
  std::string endpoint;  // "https://HOST[:PORT]"
  std::string bucket;
  std::string prefix;  // empty, or ends with '/'
  bool secure = true;
};

// InvalidArgument, without the name of the option, says what is wrong. A user or a password in the
// location is refused, and not repeated.
[[nodiscard]] absl::StatusOr<S3Location> ParseS3Location(std::string_view text);

struct S3Credentials {
  std::string key_id;
  std::string secret;
  std::string session_token;  // may be empty
};

// Text as of ~/.aws/credentials: lines `aws_access_key_id = …`, `aws_secret_access_key`,
// `aws_session_token`, before any section or in [default]; other sections and other keys are passed
// over. InvalidArgument names what is missing, and repeats nothing of the text.
[[nodiscard]] absl::StatusOr<S3Credentials> ParseS3Credentials(std::string_view text);

// From `file`, or from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN where it is
// empty. Fails as ParseS3Credentials and ReadSmallFile do.
[[nodiscard]] absl::StatusOr<S3Credentials> ReadS3Credentials(const std::string& file);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SNAPSHOTS_S3_OPTIONS_H_
