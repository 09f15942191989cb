// Humdrum **kern: any text gives a written score or a reason, and what is read can be played.
#include "core/humdrum/humdrum.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/played.h"
#include "tests/support/written_scores.h"

using antiphon::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace notation = antiphon::notation;
  notation::NotationLimits limits;
  limits.max_bars = 20'000;  // the default lets an expansion list take long
  limits.max_notes = 50'000;
  const std::string_view text = antiphon::fuzz::AsText(data, size);
  notation::LooksLikeHumdrum(text);
  const auto score = notation::ReadHumdrum(text, limits);
  if (!score.ok()) {
    antiphon::fuzz::RequireRefusal(
        score.status(), {absl::StatusCode::kInvalidArgument, absl::StatusCode::kResourceExhausted});
    return 0;
  }
  const auto sane = antiphon::testing::IsSane(*score);
  Require(static_cast<bool>(sane), sane.message());
  antiphon::fuzz::RequirePlayable(*score);
  return 0;
}
