#include "core/alignment/performance.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/alignment/alignment.h"
#include "core/alignment/alignment_features.h"
#include "core/alignment/beat_grid.h"
#include "core/base/status_macros.h"

namespace antiphon::alignment {
namespace {

using music::Score;
using music::TimeMap;

// How much of what the notes say is heard at their times, 0 to 1, for each frame of the sound.
std::vector<double> Likeness(const features::FeatureSequence& spectrogram,
                             const features::FeatureSettings& settings, const Score& score,
                             const PlayedPassage& passage) {
  FrameFeatures heard = FeaturesOfAudio(spectrogram, settings);
  std::vector<TimedNote> placed;
  for (const music::Note& note : score.notes) {
    placed.push_back({passage.map.From(note.onset_s), passage.map.From(note.offset_s), note.pitch});
  }
  FrameFeatures written = FeaturesOfNotes(placed, heard.frames(), settings);
  NormaliseFeatures(settings.frame_rate(), 1, heard);
  NormaliseFeatures(settings.frame_rate(), 1, written);
  std::vector<double> likeness(heard.frames());
  for (int64_t frame = 0; frame < heard.frames(); ++frame) {
    double product = 0;
    for (int i = 0; i < heard.energies.width; ++i)
      product += heard.energies.row(frame)[i] * written.energies.row(frame)[i];
    likeness[frame] = product;
  }
  return likeness;
}

double MeanBetween(const std::vector<double>& values, double frame_rate, double from_s,
                   double to_s) {
  const auto size = static_cast<int64_t>(values.size());
  const int64_t first = std::clamp<int64_t>(std::llround(from_s * frame_rate), 0, size - 1);
  const int64_t end = std::clamp<int64_t>(std::llround(to_s * frame_rate), first + 1, size);
  double sum = 0;
  for (int64_t i = first; i < end; ++i) sum += values[i];
  return sum / static_cast<double>(end - first);
}

}  // namespace

features::FeatureSettings PerformanceSettings() { return {}; }

absl::StatusOr<Performance> AlignPerformance(const features::FeatureSequence& spectrogram,
                                             const features::FeatureSettings& settings,
                                             const Score& score,
                                             const PerformanceOptions& options) {
  ASSIGN_OR_RETURN(TimeMap map, AlignToScore(spectrogram, settings, score.notes,
                                             {.score_start_s = options.score_start_s,
                                              .score_end_s = options.score_end_s}));
  ASSIGN_OR_RETURN(const std::vector<GridBeat> grid, BeatGrid(score));
  PlayedPassage passage;
  passage.map = std::move(map);
  double last_s = 0;
  for (const music::Note& note : score.notes) last_s = std::max(last_s, note.offset_s);
  passage.score_start_s = std::max(options.score_start_s, score.notes.front().onset_s);
  passage.score_end_s = std::min(options.score_end_s, last_s);
  passage.start_s = std::max(passage.map.From(passage.score_start_s), 0.0);
  passage.end_s = passage.map.From(passage.score_end_s);
  const std::vector<double> likeness = Likeness(spectrogram, settings, score, passage);
  const auto doubt = [&](double from_s, double to_s) {
    return std::clamp(1 - MeanBetween(likeness, settings.frame_rate(), from_s, to_s), 0.0, 1.0);
  };
  Performance performance;
  for (size_t i = 0; i < score.notes.size(); ++i) {
    const music::Note& note = score.notes[i];
    if (note.onset_s < passage.score_start_s || note.onset_s >= passage.score_end_s) continue;
    const double onset_s = passage.map.From(note.onset_s);
    const double offset_s = passage.map.From(note.offset_s);
    performance.notes.push_back(
        {static_cast<int>(i), 0, onset_s, offset_s, doubt(onset_s, onset_s + 0.2)});
  }
  for (const GridBeat& beat : grid) {
    if (beat.at_s < passage.score_start_s || beat.at_s >= passage.score_end_s) continue;
    const double at_s = passage.map.From(beat.at_s);
    const double next_s = passage.map.From(
        score.tempo_map.SecondsAt(score.tempo_map.BeatsAt(beat.at_s) + beat.quarters));
    performance.beats.push_back(
        {beat.at_s, 0, at_s, 60 * beat.quarters / (next_s - at_s), doubt(at_s, next_s)});
  }
  performance.agreement =
      MeanBetween(likeness, settings.frame_rate(), passage.start_s, passage.end_s);
  performance.passages.push_back(std::move(passage));
  return performance;
}

}  // namespace antiphon::alignment
