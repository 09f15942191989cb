// What an S3 service answers, and the credentials of the operator: any text gives what its readers
// promise, or a refusal that repeats nothing of it.
#include <string>

#include "absl/strings/ascii.h"
#include "server/snapshots/s3_answers.h"
#include "server/snapshots/s3_options.h"
#include "tests/fuzz/fuzz.h"

using antiphon::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace server = antiphon::server;
  const std::string_view text = antiphon::fuzz::AsText(data, size);

  const auto page = server::ParseS3Page(text);
  if (page.ok()) {
    for (const server::StoredObject& object : page->objects) {
      Require(object.size >= 0, "an object has a size");
      Require(!object.key.empty() && object.key.size() <= 1024, "a key is not too long");
      for (const unsigned char c : object.key) {
        Require(absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-' || c == '/',
                "a key is plain");
      }
    }
  } else {
    antiphon::fuzz::RequireRefusal(page.status(), {absl::StatusCode::kDataLoss});
  }
  for (const unsigned char c : server::ParseS3ErrorCode(text))
    Require(absl::ascii_isalnum(c) || c == '.', "a code is plain");

  const auto location = server::ParseS3Location(text);
  if (location.ok()) {
    Require(location->prefix.empty() || location->prefix.back() == '/', "a prefix ends with '/'");
    Require(location->prefix.find("//") == std::string::npos, "no part of a prefix is empty");
    Require(location->endpoint.find_first_of("@?#\r\n ") == std::string::npos,
            "an endpoint is a host and a port");
  } else {
    antiphon::fuzz::RequireRefusal(location.status(), {absl::StatusCode::kInvalidArgument});
  }

  const auto credentials = server::ParseS3Credentials(text);
  if (credentials.ok()) {
    for (const std::string* value :
         {&credentials->key_id, &credentials->secret, &credentials->session_token}) {
      for (const char c : *value) Require(c > ' ' && c < '\x7f', "nothing ends a header's line");
    }
  } else {
    antiphon::fuzz::RequireRefusal(credentials.status(), {absl::StatusCode::kInvalidArgument});
    Require(credentials.status().message().find("SECRETSECRET") == absl::string_view::npos,
            "a message repeats nothing");
  }
  return 0;
}
