// Standard MIDI Files: any bytes give a score or a reason, and what follows reading bears the
// score.
#include <algorithm>

#include "core/music/midi_file.h"
#include "core/music/score.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/scores.h"

using antiphon::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace music = antiphon::music;
  music::MidiLimits limits;
  limits.max_events = 20'000;  // the default lets a single input take seconds
  const auto score = music::ReadMidi(antiphon::fuzz::AsText(data, size), limits);
  if (!score.ok()) {
    antiphon::fuzz::RequireRefusal(
        score.status(), {absl::StatusCode::kInvalidArgument, absl::StatusCode::kResourceExhausted});
    return 0;
  }
  using antiphon::testing::IsSane;
  Require(static_cast<bool>(IsSane(*score)), "what is read keeps the promises of score.h");
  Require(static_cast<bool>(
              IsSane(Excerpt(*score, score->duration_s * 0.3, score->duration_s * 0.6 + 1))),
          "so does a part of it");
  Require(static_cast<bool>(IsSane(AtTempoRatio(*score, 1.5))), "so does it at another tempo");
  Require(score->tempo_map.BarAt(score->tempo_map.BeatsAt(score->duration_s)).bar >= 0,
          "bars count from 1, or 0 with an upbeat");

  const auto written = music::WriteMidi(*score);
  if (!written.ok()) {
    antiphon::fuzz::RequireRefusal(written.status(), {absl::StatusCode::kInvalidArgument});
    return 0;
  }
  const auto again = music::ReadMidi(*written);
  // Rounded to ticks, it may end beyond the limit that it just met.
  if (!again.ok()) {
    antiphon::fuzz::RequireRefusal(again.status(), {absl::StatusCode::kResourceExhausted});
    return 0;
  }
  Require(again->notes.size() == score->notes.size(),
          "what is written has the notes that were read");
  return 0;
}
