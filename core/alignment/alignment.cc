#include "core/alignment/alignment.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/alignment/alignment_features.h"
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
constexpr double kFineOnsetWeight = 0.6;
constexpr double kOpenHoldCost = 0.5;
constexpr int kDecayFrames = 3;
// The passes at the full rate: how far from the path before, and over how much of it the next one
// is averaged.
struct FinePass {
  double band_s;
  double smoothing_s;
};
constexpr FinePass kFinePasses[] = {{3.0, 1.0}, {1.5, 0.3}};
constexpr double kCoarseSmoothing_s = 2.0;
// Smoothed paths are made to climb at least 1/kSteepest of their width.
constexpr double kSteepest = 20;
constexpr double kTogether_s = 0.02;  // onsets this near are one
// Onsets this near outside an excerpt help to say where its ends are.
constexpr double kBeyond_s = 0.5;
constexpr float kQuietOnset = 0.2f;  // of the strongest: what begins the music …
constexpr float kQuietSound = 0.1f;  // … and of the loudest frame: what still belongs to it

// Times of the sound are relative to the first frame kept.
struct Sound {
  FrameFeatures features;
  double start_s = 0;
  double frame_rate = 0;

  double duration_s() const { return static_cast<double>(features.frames()) / frame_rate; }
};

float RowSum(const FrameMatrix& matrix, int64_t row) {
  float sum = 0;
  for (int i = 0; i < matrix.width; ++i) sum += matrix.row(row)[i];
  return sum;
}

std::vector<float> RowSums(const FrameMatrix& matrix) {
  std::vector<float> sums(matrix.rows());
  for (int64_t row = 0; row < matrix.rows(); ++row) sums[row] = RowSum(matrix, row);
  return sums;
}

void KeepRows(int64_t first, int64_t end, FrameMatrix& matrix) {
  matrix.cells.erase(matrix.cells.begin() + end * matrix.width, matrix.cells.end());
  matrix.cells.erase(matrix.cells.begin(), matrix.cells.begin() + first * matrix.width);
}

// Cuts off what comes before the first onset of some strength and after the last sound.
void Trim(Sound& audio) {
  const std::vector<float> rises = RowSums(audio.features.onsets);
  const std::vector<float> energies = RowSums(audio.features.energies);
  const float loud = kQuietSound * *std::max_element(energies.begin(), energies.end());
  const float strong = kQuietOnset * *std::max_element(rises.begin(), rises.end());
  const auto begin =
      std::find_if(rises.begin(), rises.end(), [&](float rise) { return rise >= strong; });
  const auto end = std::find_if(energies.rbegin(), energies.rend(),
                                [&](float energy) { return energy >= loud; });
  const int64_t first = std::max<int64_t>(0, begin - rises.begin() - 1);
  const int64_t past = std::max<int64_t>(energies.rend() - end, first + 2);
  if (past > audio.features.frames()) return;
  KeepRows(first, past, audio.features.energies);
  KeepRows(first, past, audio.features.onsets);
  audio.start_s = static_cast<double>(first) / audio.frame_rate;
}

std::vector<TimedNote> Placed(std::span<const music::Note> notes, const TimeMap& time) {
  std::vector<TimedNote> placed;
  placed.reserve(notes.size());
  for (const music::Note& note : notes)
    placed.push_back({time.To(note.onset_s), time.To(note.offset_s), note.pitch});
  return placed;
}

// The path as a map from seconds of b, whose first frame is at `b_start_s`, to seconds of a:
// averaged over `width_s` around points a quarter of that apart.
std::vector<TimePoint> SmoothPath(const std::vector<WarpStep>& path, double frame_rate,
                                  double width_s, double b_start_s = 0) {
  const int64_t first = path.front().b;
  const int64_t count = path.back().b - first + 1;
  std::vector<double> sum(count), visits(count), total(count + 1);
  for (const WarpStep& step : path) {
    sum[step.b - first] += static_cast<double>(step.a);
    ++visits[step.b - first];
  }
  for (int64_t i = 0; i < count; ++i) total[i + 1] = total[i] + sum[i] / visits[i];
  const int64_t reach = std::max<int64_t>(1, std::llround(width_s * frame_rate / 2));
  const auto point_at = [&](double a, int64_t b) {
    return TimePoint{b_start_s + static_cast<double>(b) / frame_rate, a / frame_rate};
  };
  std::vector<TimePoint> points = {point_at(static_cast<double>(path.front().a), first)};
  const TimePoint last = point_at(static_cast<double>(path.back().a), path.back().b);
  for (int64_t i = reach; i + reach < count; i += std::max<int64_t>(1, reach / 2)) {
    const double a = (total[i + reach + 1] - total[i - reach]) / static_cast<double>(2 * reach + 1);
    const TimePoint point = point_at(a, first + i);
    const TimePoint step = {point.from_s - points.back().from_s, point.to_s - points.back().to_s};
    const bool leaves_room = last.to_s - point.to_s > (last.from_s - point.from_s) / kSteepest;
    if (step.to_s > step.from_s / kSteepest && leaves_room) points.push_back(point);
  }
  points.push_back(last);
  return points;
}

// `time` followed by `correction`: straight between the points of both. A correction that stands
// still, as a path of very few frames may, is none.
absl::StatusOr<TimeMap> Corrected(const TimeMap& time, std::vector<TimePoint> correction) {
  const TimePoint &first = correction.front(), &last = correction.back();
  if (!(last.from_s > first.from_s && last.to_s > first.to_s)) return time;
  ASSIGN_OR_RETURN(const TimeMap correct, TimeMap::Create(std::move(correction)));
  std::vector<double> knots;
  for (const TimePoint& point : time.points()) knots.push_back(point.from_s);
  for (const TimePoint& point : correct.points()) knots.push_back(time.From(point.from_s));
  std::sort(knots.begin(), knots.end());
  std::vector<TimePoint> points;
  for (const double knot : knots) {
    const TimePoint point = {knot, correct.To(time.To(knot))};
    if (points.empty() ||
        (point.from_s > points.back().from_s + 1e-4 && point.to_s > points.back().to_s + 1e-5)) {
      points.push_back(point);
    }
  }
  return TimeMap::Create(std::move(points));
}

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

absl::Status CheckInput(const features::FeatureSequence& spectrogram,
                        const features::FeatureSettings& settings) {
  if (settings.front_end != features::FrontEndKind::kConstantQ || settings.bands_per_octave < 12) {
    return absl::InvalidArgumentError(
        "alignment needs a constant-Q spectrogram of at least 12 bands an octave");
  }
  if (spectrogram.frames() < 2 || spectrogram.channels != 1 ||
      spectrogram.bands != settings.bands) {
    return absl::InvalidArgumentError(
        "alignment needs a spectrogram of the settings with at least two frames");
  }
  if (std::all_of(spectrogram.cells.begin(), spectrogram.cells.end(),
                  [](uint8_t level) { return level == 0; })) {
    return absl::FailedPreconditionError("nothing sounds that could be aligned");
  }
  return absl::OkStatus();
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

// `time`, bent along the cheapest path near it. Where the ends are uncertain, more of the score is
// laid beside the sound than there is sound.
absl::StatusOr<TimeMap> FineMap(const Sound& audio, const Part& part,
                                const features::FeatureSettings& settings, const FinePass& pass,
                                const TimeMap& time) {
  const int64_t band = std::llround(pass.band_s * audio.frame_rate);
  const int64_t beside = part.margin_s > 0 ? band / 2 : 0;
  const double beside_s = static_cast<double>(beside) / audio.frame_rate;
  std::vector<TimedNote> notes = Placed(part.notes, time);
  for (TimedNote& note : notes)
    note = {note.onset_s + beside_s, note.offset_s + beside_s, note.pitch};
  FrameFeatures written = FeaturesOfNotes(notes, audio.features.frames() + 2 * beside, settings);
  NormaliseFeatures(audio.frame_rate, kDecayFrames, written);
  WarpOptions options;
  options.onset_weight = kFineOnsetWeight;
  options.band = band;
  options.open_start = options.open_end = 2 * beside;
  if (part.margin_s > 0) options.hold_cost = kOpenHoldCost;
  const std::vector<WarpStep> path = CheapestPath(audio.features, written, options);
  return Corrected(time, SmoothPath(path, audio.frame_rate, pass.smoothing_s, -beside_s));
}

}  // namespace

absl::StatusOr<TimeMap> AlignToScore(const features::FeatureSequence& spectrogram,
                                     const features::FeatureSettings& settings,
                                     std::span<const music::Note> notes,
                                     const AlignmentOptions& options) {
  RETURN_IF_ERROR(CheckInput(spectrogram, settings));
  ASSIGN_OR_RETURN(const Part part, CutPart(notes, options));
  Sound audio{FeaturesOfAudio(spectrogram, settings), 0, settings.frame_rate()};
  if (options.margin_s == 0) Trim(audio);
  ASSIGN_OR_RETURN(TimeMap time, CoarseMap(audio, part, settings));
  NormaliseFeatures(audio.frame_rate, kDecayFrames, audio.features);
  for (const FinePass& pass : kFinePasses) {
    ASSIGN_OR_RETURN(time, FineMap(audio, part, settings, pass, time));
  }
  std::vector<TimePoint> points;
  for (const double onset_s : music::DistinctOnsets(part.notes, kTogether_s)) {
    const double heard_s = time.To(onset_s);
    // Notes of the margins that lie outside the recording have been placed by guesswork.
    if (options.margin_s > 0 && (heard_s < -kBeyond_s || heard_s > audio.duration_s() + kBeyond_s))
      continue;
    const TimePoint point = {heard_s + audio.start_s, onset_s};
    if (points.empty() || point.from_s > points.back().from_s + 1e-4) points.push_back(point);
  }
  if (points.size() < 2)
    return absl::FailedPreconditionError("fewer than two onsets lie within the recording");
  return TimeMap::Create(std::move(points));
}

}  // namespace antiphon::alignment
