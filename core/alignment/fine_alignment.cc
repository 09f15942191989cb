#include "core/alignment/fine_alignment.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>

#include "core/alignment/refinement.h"
#include "core/base/status_macros.h"

namespace antiphon::alignment {
namespace {

using music::TimeMap;
using music::TimePoint;

// Fitted on validation pieces of piano-midi.de performed with the trainer's tempo curves; each may
// be half or twice as large without much harm.
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
// Smoothed paths are made to climb at least 1/kSteepest of their width.
constexpr double kSteepest = 20;
constexpr float kQuietOnset = 0.2f;  // of the strongest: what begins the music …
constexpr float kQuietSound = 0.1f;  // … and of the loudest frame: what still belongs to it
// The tempo at an onset is that of so much before and after it.
constexpr double kTempoReach_s = 0.25;
// How much of an onset is looked at for its likeness, at most.
constexpr double kLikenessReach_s = 1.0;
// Chance is what is written so many onsets away.
constexpr int64_t kElsewhere[] = {-23, -13, 11, 19};

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

// `time`, bent along the cheapest path near it. Where an end is open, more of the score is laid
// beside the sound than there is sound.
absl::StatusOr<TimeMap> FineMap(const Sound& sound, std::span<const music::Note> notes,
                                const features::FeatureSettings& settings, OpenEnds open,
                                const FinePass& pass, const TimeMap& time) {
  const int64_t band = std::llround(pass.band_s * sound.frame_rate);
  const int64_t before = open.start ? band / 2 : 0;
  const int64_t after = open.end ? band / 2 : 0;
  const double before_s = static_cast<double>(before) / sound.frame_rate;
  std::vector<TimedNote> placed = Placed(notes, time);
  for (TimedNote& note : placed)
    note = {note.onset_s + before_s, note.offset_s + before_s, note.pitch};
  FrameFeatures written =
      FeaturesOfNotes(placed, sound.features.frames() + before + after, settings);
  NormaliseFeatures(sound.frame_rate, kDecayFrames, written);
  WarpOptions options;
  options.onset_weight = kFineOnsetWeight;
  options.band = band;
  options.open_start = 2 * before;
  options.open_end = 2 * after;
  if (open.start || open.end) options.hold_cost = kOpenHoldCost;
  const std::vector<WarpStep> path = CheapestPath(sound.features, written, options);
  return Corrected(time, SmoothPath(path, sound.frame_rate, pass.smoothing_s, -before_s));
}

// The distinct onsets where `time` has them.
std::vector<OnsetGroup> GroupOnsets(std::span<const music::Note> notes,
                                    const std::vector<double>& onsets_s, const TimeMap& time) {
  std::vector<OnsetGroup> groups(onsets_s.size());
  for (size_t i = 0; i < onsets_s.size(); ++i) {
    groups[i].at_s = time.To(onsets_s[i]);
    if (i + 1 == onsets_s.size()) continue;
    const double score_s =
        time.From(groups[i].at_s + kTempoReach_s) - time.From(groups[i].at_s - kTempoReach_s);
    groups[i].interval_s = (onsets_s[i + 1] - onsets_s[i]) * 2 * kTempoReach_s / score_s;
  }
  for (const music::Note& note : notes) {
    const auto after = std::upper_bound(onsets_s.begin(), onsets_s.end(), note.onset_s);
    if (after != onsets_s.begin())
      groups[after - onsets_s.begin() - 1].pitches.push_back(note.pitch);
  }
  return groups;
}

float Alike(const float* a, const float* b, int width) {
  float sum = 0;
  for (int i = 0; i < width; ++i) sum += a[i] * b[i];
  return sum;
}

// Where an onset and the next begin, in frames.
FrameRange FramesOf(const Sound& sound, const FineAlignment& alignment, size_t onset) {
  const double from_s = alignment.heard_s[onset];
  double to_s = from_s + kLikenessReach_s;
  if (onset + 1 < alignment.heard_s.size()) to_s = std::min(to_s, alignment.heard_s[onset + 1]);
  const int64_t frames = sound.features.frames();
  const int64_t first = std::clamp<int64_t>(std::llround(from_s * sound.frame_rate), 0, frames - 1);
  return {first, std::clamp<int64_t>(std::llround(to_s * sound.frame_rate), first + 1, frames)};
}

// What is heard from one onset on beside what is written from another on.
double LikenessBetween(const FrameMatrix& heard, FrameRange at, const FrameMatrix& written,
                       FrameRange beside) {
  double sum = 0;
  for (int64_t frame = at.first; frame < at.end; ++frame) {
    const int64_t other = std::min(beside.first + frame - at.first, beside.end - 1);
    sum += Alike(heard.row(frame), written.row(other), written.width);
  }
  return std::clamp(sum / static_cast<double>(at.end - at.first), 0.0, 1.0);
}

// Requires the sound normalised.
void MeasureLikeness(const Sound& sound, std::span<const music::Note> notes,
                     const features::FeatureSettings& settings, FineAlignment& alignment) {
  const auto count = static_cast<int64_t>(alignment.onsets_s.size());
  alignment.likeness.assign(count, 0);
  alignment.chance.assign(count, 0);
  std::vector<TimePoint> points;
  for (int64_t i = 0; i < count; ++i)
    points.push_back({alignment.onsets_s[i], alignment.heard_s[i]});
  const absl::StatusOr<TimeMap> time = TimeMap::Create(std::move(points));
  if (!time.ok()) return;
  FrameFeatures written = FeaturesOfNotes(Placed(notes, *time), sound.features.frames(), settings);
  NormaliseFeatures(sound.frame_rate, kDecayFrames, written);
  for (int64_t i = 0; i < count; ++i) {
    const FrameRange at = FramesOf(sound, alignment, i);
    alignment.likeness[i] = LikenessBetween(sound.features.energies, at, written.energies, at);
    for (const int64_t away : kElsewhere) {
      const int64_t other = ((i + away) % count + count) % count;
      alignment.chance[i] += LikenessBetween(sound.features.energies, at, written.energies,
                                             FramesOf(sound, alignment, other)) /
                             std::size(kElsewhere);
    }
  }
}

}  // namespace

void Trim(TrimEnds ends, Sound& sound) {
  const std::vector<float> rises = RowSums(sound.features.onsets);
  const std::vector<float> energies = RowSums(sound.features.energies);
  const float loud = kQuietSound * *std::max_element(energies.begin(), energies.end());
  const float strong = kQuietOnset * *std::max_element(rises.begin(), rises.end());
  int64_t first = 0;
  int64_t past = sound.features.frames();
  if (ends == TrimEnds::kStart || ends == TrimEnds::kBoth) {
    const auto begin =
        std::find_if(rises.begin(), rises.end(), [&](float rise) { return rise >= strong; });
    first = std::max<int64_t>(0, begin - rises.begin() - 1);
  }
  if (ends == TrimEnds::kEnd || ends == TrimEnds::kBoth) {
    const auto end = std::find_if(energies.rbegin(), energies.rend(),
                                  [&](float energy) { return energy >= loud; });
    past = std::max<int64_t>(energies.rend() - end, first + 2);
  }
  if (past > sound.features.frames() || first + 2 > past) return;
  KeepRows(first, past, sound.features.energies);
  KeepRows(first, past, sound.features.onsets);
  sound.start_s += static_cast<double>(first) / sound.frame_rate;
}

std::vector<TimedNote> Placed(std::span<const music::Note> notes, const TimeMap& time) {
  std::vector<TimedNote> placed;
  placed.reserve(notes.size());
  for (const music::Note& note : notes)
    placed.push_back({time.To(note.onset_s), time.To(note.offset_s), note.pitch});
  return placed;
}

std::vector<TimePoint> SmoothPath(const std::vector<WarpStep>& path, double frame_rate,
                                  double width_s, double b_start_s) {
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

absl::Status CheckSpectrogram(const features::FeatureSequence& spectrogram,
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

absl::StatusOr<FineAlignment> AlignFinely(const Sound& sound, std::span<const music::Note> notes,
                                          const features::FeatureSettings& settings, OpenEnds open,
                                          const TimeMap& time,
                                          const std::function<absl::Status()>& check) {
  Sound normalised = sound;
  NormaliseFeatures(sound.frame_rate, kDecayFrames, normalised.features);
  TimeMap fine = time;
  for (const FinePass& pass : kFinePasses) {
    if (check) RETURN_IF_ERROR(check());
    ASSIGN_OR_RETURN(fine, FineMap(normalised, notes, settings, open, pass, fine));
  }
  FineAlignment alignment;
  if (check) RETURN_IF_ERROR(check());
  alignment.onsets_s = music::DistinctOnsets(notes, kTogether_s);
  alignment.heard_s = RefineOnsets(sound.features.onsets, sound.frame_rate, settings.lowest_pitch,
                                   GroupOnsets(notes, alignment.onsets_s, fine));
  if (check) RETURN_IF_ERROR(check());
  MeasureLikeness(normalised, notes, settings, alignment);
  return alignment;
}

}  // namespace antiphon::alignment
