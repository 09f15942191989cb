// JSON files that carry a checksum of themselves. An enemy makes it right, and so must a fuzz
// target that wants to get any further.
#ifndef ANTIPHON_TESTS_FUZZ_RIGHT_CHECKSUM_H_
#define ANTIPHON_TESTS_FUZZ_RIGHT_CHECKSUM_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/hash/sha256.h"

namespace antiphon::fuzz {

// The JSON object with its field "checksum" made right; other text as it is.
inline std::string WithRightChecksum(std::string_view text) {
  using Json = nlohmann::json;
  constexpr int kEnough = 16;  // of JSON inside JSON
  bool too_deep = false;
  const auto keep = [&](int depth, Json::parse_event_t, const Json&) {
    too_deep |= depth > kEnough;
    return !too_deep;
  };
  Json json = Json::parse(text.begin(), text.end(), keep, /*allow_exceptions=*/false);
  if (too_deep || !json.is_object() || !json.contains("checksum")) return std::string(text);
  json.erase("checksum");
  json["checksum"] = hash::HexSha256(json.dump(-1, ' ', false, Json::error_handler_t::replace));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace antiphon::fuzz

#endif  // ANTIPHON_TESTS_FUZZ_RIGHT_CHECKSUM_H_
