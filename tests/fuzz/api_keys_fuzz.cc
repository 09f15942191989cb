// The file of API keys: any text gives keys or the number of a line, and never a word of that line.
#include <string>

#include "server/access/api_keys.h"
#include "tests/fuzz/fuzz.h"

using antiphon::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace server = antiphon::server;
  const std::string_view text = antiphon::fuzz::AsText(data, size);
  const auto keys = server::ParseApiKeys(text);
  if (keys.ok()) {
    Require(!keys->empty(), "a file that is taken has keys");
    for (const server::ApiKey& key : *keys) {
      Require(key.hash.size() == 32, "a hash has 32 bytes");
      Require(!key.name.empty() && key.name.size() <= 64, "a key has a name");
      Require(key.requests_per_second == 0 ||
                  (key.requests_per_second >= 0.001 && key.requests_per_second <= 1'000'000),
              "a limit is in its range");
    }
  } else {
    antiphon::fuzz::RequireRefusal(keys.status(), {absl::StatusCode::kInvalidArgument});
    Require(keys.status().message().find("SECRETSECRET") == absl::string_view::npos,
            "a message repeats nothing");
  }

  const auto hash = server::HashForFile(text);
  if (!hash.ok()) {
    antiphon::fuzz::RequireRefusal(hash.status(), {absl::StatusCode::kInvalidArgument});
    return 0;
  }
  Require(text.size() >= server::kMinKeyBytes && text.size() <= server::kMaxKeyBytes,
          "a key is long enough");
  const auto read = server::ParseApiKeys("me admin " + *hash + "\n");
  Require(read.ok() && server::FindKey(*read, text) == &read->front(),
          "a key is found by its hash");
  Require(server::FindKey(*read, std::string(text) + "x") == nullptr, "another is not");
  return 0;
}
