#include "core/alignment/alignment.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/alignment/alignment_features.h"
#include "core/alignment/fine_alignment.h"
#include "core/alignment/warping.h"
#include "core/base/status_macros.h"

namespace antiphon::alignment {
namespace {

using music::TimeMap;
using music::TimePoint;

// Fitted on validation pieces of piano-midi.de performed with the trainer's tempo curves; each may
// be half or twice as large without much harm.
constexpr double kCoarseRate = 4.2;            // frames/s of the path over the whole
constexpr int64_t kMaxCoarseCells = 64 << 20;  // longer music gets longer frames
constexpr double kCoarseOnsetWeight = 0.5;
constexpr double kOpenHoldCost = 0.5;
constexpr double kCoarseSmoothing_s = 2.0;
// Onsets this near outside an excerpt help to say where its ends are.
constexpr double kBeyond_s = 0.5;

// A part of the score, on its way onto the sound.
struct Part {
  std::vector<music::Note> notes;
  double start_s = 0;   // from here …
  double end_s = 0;     // … to here
  double margin_s = 0;  // of which the outermost parts may be too much at either end: both margins
};

absl::StatusOr<Part> CutPart(std::span<const music::Note> notes, const AlignmentOptions& options) {
  if (!(options.score_end_s > options.score_start_s) || !(options.margin_s >= 0) ||
      !std::isfinite(options.margin_s)) {
    return absl::InvalidArgumentError(
        "alignment needs a part of the score that is not empty, and a margin >= 0");
  }
  Part part;
  part.margin_s = options.margin_s;
  const double start_s = options.score_start_s - options.margin_s;
  const double end_s = options.score_end_s + options.margin_s;
  for (const music::Note& note : notes) {
    if (note.onset_s < end_s && note.offset_s > start_s) part.notes.push_back(note);
  }
  const auto [first, last] = std::minmax_element(
      part.notes.begin(), part.notes.end(),
      [](const music::Note& a, const music::Note& b) { return a.onset_s < b.onset_s; });
  if (part.notes.empty() || last->onset_s <= first->onset_s + kTogether_s) {
    return absl::FailedPreconditionError("alignment needs at least two distinct onsets");
  }
  double sounding_until_s = 0;
  for (const music::Note& note : part.notes)
    sounding_until_s = std::max(sounding_until_s, note.offset_s);
  part.start_s = options.margin_s > 0 ? start_s : first->onset_s;
  part.end_s =
      options.margin_s > 0 && std::isfinite(end_s) ? end_s : std::min(sounding_until_s, end_s);
  return part;
}

// The straight line that begins and ends with the part, bent along the cheapest path over the
// whole.
absl::StatusOr<TimeMap> CoarseMap(const Sound& audio, const Part& part,
                                  const features::FeatureSettings& settings) {
  const double inner_s = std::max(part.end_s - part.start_s - 2 * part.margin_s, 0.1);
  const double slope = audio.duration_s() / inner_s;  // seconds of sound per second of score
  const double length_s = (part.end_s - part.start_s) * slope;
  ASSIGN_OR_RETURN(const TimeMap line,
                   TimeMap::Create({{part.start_s, 0}, {part.end_s, length_s}}));
  const auto frames = static_cast<int64_t>(std::ceil(length_s * audio.frame_rate));
  auto factor = std::max<int64_t>(1, std::llround(audio.frame_rate / kCoarseRate));
  while ((audio.features.frames() / factor) * (frames / factor) > kMaxCoarseCells) ++factor;
  const double rate = audio.frame_rate / static_cast<double>(factor);
  FrameFeatures played = CoarseFeatures(audio.features, static_cast<int>(factor));
  FrameFeatures written =
      CoarseFeatures(FeaturesOfNotes(Placed(part.notes, line), frames, settings), factor);
  NormaliseFeatures(rate, 1, played);
  NormaliseFeatures(rate, 1, written);
  WarpOptions options;
  options.onset_weight = kCoarseOnsetWeight;
  options.open_start = options.open_end = std::llround(2 * part.margin_s * slope * rate);
  if (part.margin_s > 0) options.hold_cost = kOpenHoldCost;
  return Corrected(line,
                   SmoothPath(CheapestPath(played, written, options), rate, kCoarseSmoothing_s));
}

}  // namespace

absl::StatusOr<TimeMap> AlignToScore(const features::FeatureSequence& spectrogram,
                                     const features::FeatureSettings& settings,
                                     std::span<const music::Note> notes,
                                     const AlignmentOptions& options) {
  RETURN_IF_ERROR(CheckSpectrogram(spectrogram, settings));
  ASSIGN_OR_RETURN(const Part part, CutPart(notes, options));
  Sound audio{FeaturesOfAudio(spectrogram, settings, LoudestLevel(spectrogram)), 0,
              settings.frame_rate()};
  const bool open = options.margin_s > 0;
  if (!open) Trim(TrimEnds::kBoth, audio);
  ASSIGN_OR_RETURN(const TimeMap time, CoarseMap(audio, part, settings));
  ASSIGN_OR_RETURN(const FineAlignment fine,
                   AlignFinely(audio, part.notes, settings, {open, open}, time));
  std::vector<TimePoint> points;
  for (size_t i = 0; i < fine.onsets_s.size(); ++i) {
    const double heard_s = fine.heard_s[i];
    // Notes of the margins that lie outside the recording have been placed by guesswork.
    if (open && (heard_s < -kBeyond_s || heard_s > audio.duration_s() + kBeyond_s)) continue;
    const TimePoint point = {heard_s + audio.start_s, fine.onsets_s[i]};
    if (points.empty() || point.from_s > points.back().from_s + 1e-4) points.push_back(point);
  }
  if (points.size() < 2)
    return absl::FailedPreconditionError("fewer than two onsets lie within the recording");
  return TimeMap::Create(std::move(points));
}

}  // namespace antiphon::alignment
