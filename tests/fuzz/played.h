// What a reader of notation makes can be played, and what is played bears what scores must.
#ifndef ANTIPHON_TESTS_FUZZ_PLAYED_H_
#define ANTIPHON_TESTS_FUZZ_PLAYED_H_

#include "core/music/score.h"
#include "core/notation/play.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/scores.h"

namespace antiphon::fuzz {

// Requires that `written` keeps the promises of written_score.h.
inline void RequirePlayable(const notation::WrittenScore& written) {
  notation::NotationLimits limits;
  limits.max_notes = 50'000;  // the defaults let a small bomb take seconds
  limits.max_bars = 10'000;
  notation::PlayOptions options;
  options.ornaments = options.arpeggios = true;
  const auto played = notation::Play(written, options, limits);
  if (!played.ok()) {
    RequireRefusal(played.status(), {absl::StatusCode::kResourceExhausted});
    return;
  }
  Require(static_cast<bool>(testing::IsSane(*played)), "what is played keeps the promises");
  const music::Score part =
      music::Excerpt(*played, played->duration_s * 0.3, played->duration_s * 0.6 + 1);
  Require(static_cast<bool>(testing::IsSane(part)), "so does a part of it");
  Require(music::PositionAt(*played, played->duration_s).pass >= 1, "every place is in a bar");
}

}  // namespace antiphon::fuzz

#endif  // ANTIPHON_TESTS_FUZZ_PLAYED_H_
