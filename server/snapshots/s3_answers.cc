#include "server/snapshots/s3_answers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "pugixml.hpp"

namespace antiphon::server {
namespace {

constexpr size_t kMaxKeyBytes = 1024;    // as S3 has it
constexpr size_t kMaxTokenBytes = 4096;  // of a page
constexpr size_t kMaxErrorCodeBytes = 64;

absl::Status NoList(absl::string_view why) {
  return absl::DataLossError(absl::StrCat("the object storage's list cannot be read: ", why));
}

// Character data and numeric entities only: no document type, and nothing that refers elsewhere
// (pugixml resolves none).
pugi::xml_parse_result Parse(std::string_view xml, pugi::xml_document& document) {
  return document.load_buffer(xml.data(), xml.size(), pugi::parse_default, pugi::encoding_utf8);
}

bool IsPlainKey(std::string_view key) {
  return !key.empty() && key.size() <= kMaxKeyBytes &&
         std::all_of(key.begin(), key.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' ||
                  c == '-' || c == '/';
         });
}

// Keys come as they are or, where a service encodes all of them, with %2F for '/'.
std::string DecodeSlashes(std::string_view key) {
  std::string decoded;
  for (size_t i = 0; i < key.size(); ++i) {
    if (absl::EqualsIgnoreCase(
            absl::string_view(key.data() + i, std::min<size_t>(3, key.size() - i)), "%2f")) {
      decoded += '/';
      i += 2;
    } else {
      decoded += key[i];
    }
  }
  return decoded;
}

}  // namespace

absl::StatusOr<S3Page> ParseS3Page(std::string_view xml) {
  if (xml.size() > kMaxS3ListBytes) return NoList("it is too long");
  pugi::xml_document document;
  if (const pugi::xml_parse_result parsed = Parse(xml, document); !parsed)
    return NoList(parsed.description());
  const pugi::xml_node root = document.child("ListBucketResult");
  if (!root) return NoList("it is something else");
  S3Page page;
  for (const pugi::xml_node contents : root.children("Contents")) {
    StoredObject object;
    object.key = DecodeSlashes(contents.child_value("Key"));
    if (!IsPlainKey(object.key)) continue;
    if (!absl::SimpleAtoi(contents.child_value("Size"), &object.size) || object.size < 0)
      return NoList("an object without a size");
    object.etag = contents.child_value("ETag");
    // Without a date it is taken for new: the date only tells abandoned uploads.
    std::string unread;
    if (!absl::ParseTime(absl::RFC3339_full, contents.child_value("LastModified"), &object.modified,
                         &unread)) {
      object.modified = absl::Now();
    }
    page.objects.push_back(std::move(object));
  }
  if (std::string_view(root.child_value("IsTruncated")) == "true") {
    page.next = root.child_value("NextContinuationToken");
    if (page.next.empty() || page.next.size() > kMaxTokenBytes)
      return NoList("it says that there is more, and not where");
  }
  return page;
}

std::string ParseS3ErrorCode(std::string_view xml) {
  pugi::xml_document document;
  if (!Parse(xml, document)) return "";
  const std::string code = document.child("Error").child_value("Code");
  const bool plain = code.size() <= kMaxErrorCodeBytes &&
                     std::all_of(code.begin(), code.end(), [](unsigned char c) {
                       return absl::ascii_isalnum(c) || c == '.';
                     });
  return plain ? code : "";
}

std::string UriEncode(std::string_view text, bool keep_slashes) {
  std::string encoded;
  for (const unsigned char c : text) {
    if (absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~' ||
        (keep_slashes && c == '/')) {
      encoded += static_cast<char>(c);
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", static_cast<unsigned>(c));
    }
  }
  return encoded;
}

}  // namespace antiphon::server
