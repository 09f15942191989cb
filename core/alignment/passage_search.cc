#include "core/alignment/passage_search.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "core/alignment/alignment_features.h"
#include "core/alignment/jump_path.h"
#include "core/alignment/repeats.h"
#include "core/base/status_macros.h"

namespace antiphon::alignment {
namespace {

using music::TimeMap;
using music::TimePoint;

constexpr double kRate = 4.2;                    // frames/s of the path
constexpr int64_t kMaxCells = int64_t{1} << 30;  // longer music gets longer frames
constexpr int64_t kMaxSampleCells = 8 << 20;     // the same of a sample
constexpr int64_t kChunkFrames = 4096;           // whose features are in memory at once
constexpr double kLongestSound_s = 60;           // of a note: it has died away
constexpr float kQuietSound = 0.1f;  // of the loudest frame: what still belongs to the music
// Seconds of sound per second of the score that are tried, beside the quotient of the lengths.
constexpr double kSlopes[] = {0.35, 0.5, 0.7, 1, 1.4, 2, 2.8};
constexpr double kLeastSlope = 0.3, kMostSlope = 3.5;
// A path that goes at another slope is looked for again at that one.
constexpr double kSameSlope = 0.1;  // natural logarithm
constexpr int kMostSlopes = 2;
constexpr int kSamples = 3;  // stretches of the sound that say which slope it is
constexpr double kSample_s = 20;
// Of beginning elsewhere than the score does, for each frame of a short recording.
constexpr double kStartCost = 0.05;
constexpr double kSmoothing_s = 2;
constexpr double kLeastRise = 0.02;  // of a smoothed path

using Check = std::function<absl::Status()>;

void Append(const FrameMatrix& more, FrameMatrix& matrix) {
  matrix.width = more.width;
  matrix.cells.insert(matrix.cells.end(), more.cells.begin(), more.cells.end());
}

FrameFeatures Rows(const FrameFeatures& features, int64_t first, int64_t end) {
  FrameFeatures rows{FrameMatrix(0, features.energies.width),
                     FrameMatrix(0, features.onsets.width)};
  rows.energies.cells.assign(features.energies.row(first), features.energies.row(end));
  rows.onsets.cells.assign(features.onsets.row(first), features.onsets.row(end));
  return rows;
}

// What is heard, `factor` frames to a frame. Not normalised.
absl::StatusOr<FrameFeatures> CoarseSound(const features::FeatureSequence& spectrogram,
                                          const features::FeatureSettings& settings, int loudest,
                                          int factor, const Check& check) {
  FrameFeatures coarse;
  const int64_t chunk = kChunkFrames / factor * factor;
  for (int64_t first = 0; first < spectrogram.frames(); first += chunk) {
    if (check) RETURN_IF_ERROR(check());
    const FrameFeatures some = CoarseFeatures(
        FeaturesOfAudio(spectrogram, settings, loudest, {first, first + chunk}), factor);
    Append(some.energies, coarse.energies);
    Append(some.onsets, coarse.onsets);
  }
  return coarse;
}

struct ScorePart {
  std::span<const music::Note> notes;
  double start_s = 0, end_s = 0;
};

// What is written from start to end, at `slope` seconds of sound for a second. Normalised.
absl::StatusOr<FrameFeatures> CoarseScore(const ScorePart& part,
                                          const features::FeatureSettings& settings, double slope,
                                          int factor, const Check& check) {
  FrameFeatures coarse;
  const double rate = settings.frame_rate();
  const auto frames = std::max<int64_t>(
      static_cast<int64_t>(std::ceil((part.end_s - part.start_s) * slope * rate)), 2 * factor);
  const int64_t chunk = kChunkFrames / factor * factor;
  for (int64_t first = 0; first < frames; first += chunk) {
    if (check) RETURN_IF_ERROR(check());
    const int64_t count = std::min(chunk, frames - first);
    const double first_s = static_cast<double>(first) / rate;
    const double end_s = static_cast<double>(first + count) / rate;
    std::vector<TimedNote> placed;
    const auto audible = std::lower_bound(
        part.notes.begin(), part.notes.end(), part.start_s + (first_s - kLongestSound_s) / slope,
        [](const music::Note& note, double at_s) { return note.onset_s < at_s; });
    for (const music::Note& note : std::span(audible, part.notes.end())) {
      if ((note.onset_s - part.start_s) * slope >= end_s) break;
      const TimedNote at = {(note.onset_s - part.start_s) * slope,
                            (note.offset_s - part.start_s) * slope, note.pitch};
      if (at.offset_s + 1 > first_s)
        placed.push_back({at.onset_s - first_s, at.offset_s - first_s, at.pitch});
    }
    const FrameFeatures some = CoarseFeatures(FeaturesOfNotes(placed, count, settings), factor);
    Append(some.energies, coarse.energies);
    Append(some.onsets, coarse.onsets);
  }
  NormaliseFeatures(rate / factor, 1, coarse);
  return coarse;
}

// The rows between silences, not empty.
std::pair<int64_t, int64_t> LoudRows(const FrameFeatures& features) {
  std::vector<float> sums(features.frames());
  for (int64_t row = 0; row < features.frames(); ++row) {
    for (int i = 0; i < features.energies.width; ++i) sums[row] += features.energies.row(row)[i];
  }
  const float loud = kQuietSound * *std::max_element(sums.begin(), sums.end());
  const auto is_loud = [&](float sum) { return sum >= loud; };
  const auto first = std::find_if(sums.begin(), sums.end(), is_loud);
  const auto last = std::find_if(sums.rbegin(), sums.rend(), is_loud);
  return {first - sums.begin(), sums.rend() - last};
}

// The slope at which stretches of the sound are most like any of the score.
absl::StatusOr<double> FindSlope(const FrameFeatures& sound, const ScorePart& part,
                                 const features::FeatureSettings& settings, int factor,
                                 const Check& check) {
  const double rate = settings.frame_rate() / factor;
  const auto length = std::min<int64_t>(sound.frames(), std::llround(kSample_s * rate));
  JumpPathOptions options;
  options.start_cost = options.end_cost = 0;
  options.jumps = false;
  options.check = check;
  std::vector<double> slopes(std::begin(kSlopes), std::end(kSlopes));
  slopes.push_back(
      std::clamp(static_cast<double>(sound.frames()) / rate / (part.end_s - part.start_s),
                 kLeastSlope, kMostSlope));
  double best_cost = std::numeric_limits<double>::infinity();
  double best = 1;
  for (const double slope : slopes) {
    ASSIGN_OR_RETURN(const FrameFeatures score, CoarseScore(part, settings, slope, factor, check));
    double cost = 0;
    for (int sample = 0; sample < kSamples; ++sample) {
      const int64_t first = (sound.frames() - length) * (2 * int64_t{sample} + 1) / (2 * kSamples);
      ASSIGN_OR_RETURN(const JumpPath path,
                       CheapestJumpPath(Rows(sound, first, first + length), score, {}, options));
      cost += path.cost;
      if (length == sound.frames()) break;
    }
    if (cost < best_cost) {
      best_cost = cost;
      best = slope;
    }
  }
  return best;
}

// One path and what it was found on.
struct CoarsePath {
  JumpPath path;
  double slope = 1;
  double rate = 0;        // frames/s
  int64_t first_row = 0;  // of the sound, where the path begins
  int64_t score_frames = 0;
};

std::vector<Line> LinesOf(const std::vector<GridBeat>& grid, const ScorePart& part, double slope,
                          double rate) {
  std::vector<Line> lines;
  lines.reserve(grid.size());
  for (const GridBeat& beat : grid)
    lines.push_back({std::llround((beat.at_s - part.start_s) * slope * rate), beat.starts_bar});
  return lines;
}

// The sound that a path is found for, `factor` frames to a frame, without the silence around it.
struct CoarseSoundRows {
  FrameFeatures rows;
  int64_t first_row = 0;  // of the coarse frames of the recording
  int factor = 1;
};

absl::StatusOr<CoarseSoundRows> LoudSound(const features::FeatureSequence& spectrogram,
                                          const features::FeatureSettings& settings, int loudest,
                                          int factor, const Check& check) {
  ASSIGN_OR_RETURN(const FrameFeatures sound,
                   CoarseSound(spectrogram, settings, loudest, factor, check));
  const auto [first, end] = LoudRows(sound);
  CoarseSoundRows loud{Rows(sound, first, end), first, factor};
  NormaliseFeatures(settings.frame_rate() / factor, 1, loud.rows);
  return loud;
}

absl::StatusOr<CoarsePath> PathAt(double slope, const CoarseSoundRows& sound,
                                  const features::FeatureSettings& settings, const ScorePart& part,
                                  const std::vector<GridBeat>& grid, bool jumps,
                                  const PerformanceOptions& options) {
  CoarsePath result;
  result.slope = slope;
  result.rate = settings.frame_rate() / sound.factor;
  result.first_row = sound.first_row;
  ASSIGN_OR_RETURN(const FrameFeatures score,
                   CoarseScore(part, settings, slope, sound.factor, options.check));
  result.score_frames = score.frames();
  JumpPathOptions path_options;
  path_options.jumps = jumps;
  path_options.start_cost =
      std::min(path_options.start_cost, kStartCost * static_cast<double>(sound.rows.frames()));
  if (!options.jumps) path_options.start_cost = path_options.end_cost = 1e9;
  path_options.check = options.check;
  ASSIGN_OR_RETURN(
      result.path,
      CheapestJumpPath(sound.rows, score, LinesOf(grid, part, slope, result.rate), path_options));
  return result;
}

// Of the path as a whole: what it goes on by is as long as the sound.
double SlopeOf(const CoarsePath& coarse) {
  const std::vector<JumpStep>& steps = coarse.path.steps;
  int64_t gone = 0;
  int64_t frames = 0;
  for (size_t i = 1; i < steps.size(); ++i) {
    if (steps[i].landed >= 0) continue;
    gone += steps[i].score - steps[i - 1].score;
    ++frames;
  }
  const double share =
      static_cast<double>(frames) / static_cast<double>(std::max<int64_t>(gone, 1));
  return std::clamp(coarse.slope * share, kLeastSlope, kMostSlope);
}

// As many frames to a frame as keep the table of both small enough.
int Lengthened(int factor, double cells, int64_t most) {
  const double too_many = cells / static_cast<double>(most);
  return too_many > 1 ? static_cast<int>(std::ceil(factor * std::sqrt(too_many))) : factor;
}

absl::StatusOr<CoarsePath> FindPath(const features::FeatureSequence& spectrogram,
                                    const features::FeatureSettings& settings, int loudest,
                                    const ScorePart& part, const std::vector<GridBeat>& grid,
                                    bool jumps, const PerformanceOptions& options) {
  const auto factor = static_cast<int>(std::max(1.0, std::round(settings.frame_rate() / kRate)));
  ASSIGN_OR_RETURN(CoarseSoundRows sound,
                   LoudSound(spectrogram, settings, loudest, factor, options.check));
  const double score_frames = (part.end_s - part.start_s) * settings.frame_rate() / factor;
  const int sample_factor =
      Lengthened(factor, std::min(kSample_s * kRate, 1.0 * sound.rows.frames()) * score_frames,
                 kMaxSampleCells);
  CoarseSoundRows samples = sound;
  if (sample_factor > factor) {
    ASSIGN_OR_RETURN(samples,
                     LoudSound(spectrogram, settings, loudest, sample_factor, options.check));
  }
  ASSIGN_OR_RETURN(const double slope,
                   FindSlope(samples.rows, part, settings, sample_factor, options.check));
  const int path_factor = Lengthened(
      factor, static_cast<double>(sound.rows.frames()) * score_frames * slope, kMaxCells);
  if (path_factor > factor) {
    ASSIGN_OR_RETURN(sound, LoudSound(spectrogram, settings, loudest, path_factor, options.check));
  }
  ASSIGN_OR_RETURN(CoarsePath path, PathAt(slope, sound, settings, part, grid, jumps, options));
  for (int again = 0; again < kMostSlopes; ++again) {
    const double better_slope = SlopeOf(path);
    if (std::abs(std::log(better_slope / path.slope)) < kSameSlope) break;
    ASSIGN_OR_RETURN(CoarsePath other,
                     PathAt(better_slope, sound, settings, part, grid, jumps, options));
    if (!(other.path.cost < path.path.cost)) break;
    path = std::move(other);
  }
  return path;
}

// A jump and the step that lands.
struct Landing {
  size_t step = 0;
  Jump jump;
};

// The jumps of a path, as late as they may be said to be. A passage that nothing is left of is
// none.
std::vector<Landing> LandingsOf(const CoarsePath& coarse, const std::vector<GridBeat>& grid,
                                const std::vector<uint64_t>& contents, double start_s) {
  const std::vector<JumpStep>& steps = coarse.path.steps;
  std::vector<Landing> landings;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].landed < 0) continue;
    Landing landing = {i, {steps[i].left, steps[i].landed}};
    const double from_s = landings.empty() ? start_s : grid[landings.back().jump.to].at_s;
    if (grid[landing.jump.from].at_s <= from_s) {
      if (landings.empty()) {
        landing.jump.from = landing.jump.to;  // nothing has been played before
      } else {
        landing.jump.from = landings.back().jump.from;
        landings.pop_back();
      }
    }
    landings.push_back(landing);
  }
  for (size_t i = 0; i < landings.size(); ++i) {
    const int last =
        i + 1 < landings.size() ? landings[i + 1].jump.from : static_cast<int>(grid.size());
    if (landings[i].jump.from != landings[i].jump.to)
      landings[i].jump = Latest(landings[i].jump, last, contents);
  }
  return landings;
}

struct Spans {
  std::vector<ScoreSpan> spans;
  std::vector<size_t> first_steps;  // of the path, for each span
};

Spans SpansOf(const CoarsePath& coarse, const ScorePart& part, const std::vector<GridBeat>& grid) {
  const std::vector<JumpStep>& steps = coarse.path.steps;
  const auto at_s = [&](int64_t frame) {
    return part.start_s + static_cast<double>(frame) / coarse.rate / coarse.slope;
  };
  const std::vector<uint64_t> contents = BeatContents(part.notes, grid);
  Spans result;
  ScoreSpan span;
  span.start_s = steps.front().score <= 1 ? part.start_s : at_s(steps.front().score);
  result.first_steps.push_back(0);
  for (const Landing& landing : LandingsOf(coarse, grid, contents, span.start_s)) {
    const Jump& jump = landing.jump;
    if (jump.from != jump.to) {
      span.end_s = grid[jump.from].at_s;
      result.spans.push_back(span);
      result.first_steps.push_back(landing.step);
      span.entry = EntryOf(jump, contents);
      span.played_start_s += (span.end_s - span.start_s) * coarse.slope;
    }
    span.start_s = grid[jump.to].at_s;
  }
  span.end_s = steps.back().score >= coarse.score_frames - 2
                   ? part.end_s
                   : std::min(at_s(steps.back().score + 1), part.end_s);
  span.end_s = std::max(span.end_s, span.start_s + 1 / coarse.rate / coarse.slope);
  result.spans.push_back(span);
  return result;
}

// From the score as it is played to the recording, averaged.
absl::StatusOr<TimeMap> TimeOf(const CoarsePath& coarse, const ScorePart& part,
                               const Spans& spans) {
  const std::vector<JumpStep>& steps = coarse.path.steps;
  const auto count = static_cast<int64_t>(steps.size());
  std::vector<double> total(count + 1);
  size_t passage = 0;
  for (int64_t i = 0; i < count; ++i) {
    while (passage + 1 < spans.spans.size() &&
           spans.first_steps[passage + 1] <= static_cast<size_t>(i)) {
      ++passage;
    }
    const ScoreSpan& span = spans.spans[passage];
    const double score_s =
        part.start_s + static_cast<double>(steps[i].score) / coarse.rate / coarse.slope;
    total[i + 1] = total[i] + span.played_start_s + (score_s - span.start_s) * coarse.slope;
  }
  const int64_t reach = std::max<int64_t>(1, std::llround(kSmoothing_s * coarse.rate / 2));
  std::vector<TimePoint> points;
  const int64_t stride = std::max<int64_t>(1, reach / 2);
  for (int64_t place = 0; place < count - 1 + stride; place += stride) {
    const int64_t i = std::min(place, count - 1);
    const int64_t near = std::min({reach, i, count - 1 - i});
    const TimePoint point = {
        (total[i + near + 1] - total[i - near]) / static_cast<double>(2 * near + 1),
        static_cast<double>(coarse.first_row + i) / coarse.rate};
    const bool rises = points.empty() || point.from_s - points.back().from_s >
                                             kLeastRise * (point.to_s - points.back().to_s);
    if (rises) points.push_back(point);
  }
  if (points.size() < 2) return absl::NotFoundError("the path stands still");
  return TimeMap::Create(std::move(points));
}

}  // namespace

absl::StatusOr<PassageSearch> FindPassages(const features::FeatureSequence& spectrogram,
                                           const features::FeatureSettings& settings, int loudest,
                                           std::span<const music::Note> notes,
                                           const std::vector<GridBeat>& grid, bool jumps,
                                           const PerformanceOptions& options) {
  ScorePart part{notes, notes.front().onset_s, 0};
  for (const music::Note& note : notes) part.end_s = std::max(part.end_s, note.offset_s);
  ASSIGN_OR_RETURN(const CoarsePath coarse,
                   FindPath(spectrogram, settings, loudest, part, grid, jumps, options));
  PassageSearch search;
  search.slope = coarse.slope;
  search.cost = coarse.path.cost;
  Spans spans = SpansOf(coarse, part, grid);
  ASSIGN_OR_RETURN(search.time, TimeOf(coarse, part, spans));
  search.spans = std::move(spans.spans);
  search.open_start = search.spans.front().start_s > part.start_s;
  search.open_end = search.spans.back().end_s < part.end_s;
  search.sound_start_s = static_cast<double>(coarse.first_row) / coarse.rate;
  search.sound_end_s =
      static_cast<double>(coarse.first_row + coarse.path.steps.size()) / coarse.rate;
  return search;
}

}  // namespace antiphon::alignment
