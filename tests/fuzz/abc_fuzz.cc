// ABC: any bytes give written scores or a reason.
#include <algorithm>

#include "core/abc/abc.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/played.h"
#include "tests/support/written_scores.h"

using antiphon::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace notation = antiphon::notation;
  notation::NotationLimits limits;
  limits.max_bytes = 1 << 20;
  limits.max_notes = 20'000;
  limits.max_bars = 20'000;  // the default lets "Z9999" and macros take seconds
  const std::string_view text = antiphon::fuzz::AsText(data, size);
  notation::LooksLikeAbc(text);
  const auto scores = notation::ReadAbc(text, limits);
  if (!scores.ok()) {
    antiphon::fuzz::RequireRefusal(scores.status(), {absl::StatusCode::kInvalidArgument,
                                                     absl::StatusCode::kResourceExhausted});
    return 0;
  }
  Require(!scores->empty(), "a file that is read has a tune");
  for (const notation::WrittenScore& score : *scores) {
    const auto sane = antiphon::testing::IsSane(score);
    Require(static_cast<bool>(sane), sane.message());
    const int bars = static_cast<int>(score.bars.size());
    Require(std::all_of(score.order.begin(), score.order.end(),
                        [&](int bar) { return bar >= 0 && bar < bars; }),
            "the order is one of bars that there are");
    antiphon::fuzz::RequirePlayable(score);
  }
  return 0;
}
