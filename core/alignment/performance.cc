#include "core/alignment/performance.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/alignment/alignment_features.h"
#include "core/alignment/beat_grid.h"
#include "core/alignment/evidence.h"
#include "core/alignment/fine_alignment.h"
#include "core/alignment/passage_search.h"
#include "core/base/status_macros.h"

namespace antiphon::alignment {
namespace {

using music::Note;
using music::Score;
using music::TimeMap;
using music::TimePoint;

// The fine alignment looks at so much of a recording at once, and at so much more to either side.
constexpr double kSegment_s = 200;
constexpr double kOverlap_s = 6;
// How much more of the score than the passages is laid beside a recording that begins or ends
// within it, seconds of sound.
constexpr double kMargin_s = 2;
constexpr double kOutside_s = 0.05;  // onsets this near outside the sound are in it
constexpr double kLeastStep_s = 1e-4;

// A note of the score as it is played: passage after passage, in seconds of sound at the mean
// tempo.
struct PlayedScoreNote {
  Note note;
  int position = 0;  // in Score::notes
  int passage = 0;
};

struct ScorePart {
  std::vector<Note> notes;     // by onset
  std::vector<int> positions;  // theirs in Score::notes
  std::vector<GridBeat> grid;
};

absl::StatusOr<ScorePart> CutPart(const Score& score, const PerformanceOptions& options) {
  if (!(options.score_end_s > options.score_start_s)) {
    return absl::InvalidArgumentError("alignment needs a part of the score that is not empty");
  }
  if (score.notes.size() > kMaxScoreNotes || score.duration_s > kMaxScore_s) {
    return absl::ResourceExhaustedError(absl::StrCat("score: longer than ", kMaxScore_s / 3600,
                                                     " hours or of more than ", kMaxScoreNotes,
                                                     " notes"));
  }
  ScorePart part;
  for (size_t i = 0; i < score.notes.size(); ++i) {
    const Note& note = score.notes[i];
    if (note.onset_s < options.score_start_s || note.onset_s >= options.score_end_s) continue;
    part.notes.push_back(note);
    part.positions.push_back(static_cast<int>(i));
  }
  if (part.notes.empty() || part.notes.back().onset_s <= part.notes.front().onset_s + kTogether_s) {
    return absl::FailedPreconditionError("alignment needs at least two distinct onsets");
  }
  ASSIGN_OR_RETURN(const std::vector<GridBeat> grid, BeatGrid(score));
  for (const GridBeat& beat : grid) {
    if (beat.at_s >= options.score_start_s && beat.at_s < options.score_end_s)
      part.grid.push_back(beat);
  }
  return part;
}

std::vector<PlayedScoreNote> AsPlayed(const ScorePart& part, const PassageSearch& search) {
  std::vector<PlayedScoreNote> played;
  for (size_t i = 0; i < search.spans.size(); ++i) {
    const ScoreSpan& span = search.spans[i];
    const bool first = i == 0, last = i + 1 == search.spans.size();
    const double before_s = first && search.open_start ? kMargin_s / search.slope : 0;
    const double after_s = last && search.open_end ? kMargin_s / search.slope : 0;
    const auto begin =
        std::lower_bound(part.notes.begin(), part.notes.end(), span.start_s - before_s,
                         [](const Note& note, double at_s) { return note.onset_s < at_s; });
    const double end_s = last ? span.end_s + after_s : span.end_s;
    const auto at_s = [&](double score_s) {
      return span.played_start_s + (score_s - span.start_s) * search.slope;
    };
    for (auto note = begin; note != part.notes.end() && note->onset_s < end_s; ++note) {
      PlayedScoreNote one{*note, part.positions[note - part.notes.begin()], static_cast<int>(i)};
      one.note.onset_s = at_s(note->onset_s);
      one.note.offset_s = at_s(last ? note->offset_s : std::min(note->offset_s, span.end_s));
      played.push_back(one);
    }
  }
  return played;
}

// A stretch of the recording that is aligned at once.
struct Segment {
  double start_s = 0, end_s = 0;  // what counts
  bool first = true, last = true;
};

std::vector<Segment> SegmentsOf(double start_s, double end_s) {
  const auto count = static_cast<int>(std::ceil((end_s - start_s) / kSegment_s));
  std::vector<Segment> segments;
  for (int i = 0; i < std::max(count, 1); ++i) {
    const double length_s = (end_s - start_s) / std::max(count, 1);
    segments.push_back(
        {start_s + i * length_s, start_s + (i + 1) * length_s, i == 0, i + 1 >= count});
  }
  return segments;
}

TrimEnds EndsToTrim(const Segment& segment, const PassageSearch& search) {
  const bool start = segment.first && !search.open_start;
  const bool end = segment.last && !search.open_end;
  if (start) return end ? TrimEnds::kBoth : TrimEnds::kStart;
  return end ? TrimEnds::kEnd : TrimEnds::kNone;
}

// Adds the segment's onsets to those before.
absl::Status LaySegment(const features::FeatureSequence& spectrogram,
                        const features::FeatureSettings& settings, int loudest,
                        const std::vector<PlayedScoreNote>& played, const PassageSearch& search,
                        const Segment& segment, const std::function<absl::Status()>& check,
                        LaidOnsets& laid) {
  const double rate = settings.frame_rate();
  const double from_s = segment.start_s - (segment.first ? 0 : kOverlap_s);
  const double to_s = segment.end_s + (segment.last ? 0 : kOverlap_s);
  const FrameRange range = {std::max<int64_t>(0, std::llround(from_s * rate)),
                            std::llround(to_s * rate)};
  Sound sound{FeaturesOfAudio(spectrogram, settings, loudest, range),
              static_cast<double>(range.first) / rate, rate};
  if (sound.features.frames() < 2) return absl::OkStatus();
  Trim(EndsToTrim(segment, search), sound);
  std::vector<TimePoint> points = search.time.points();
  for (TimePoint& point : points) point.to_s -= sound.start_s;
  ASSIGN_OR_RETURN(const TimeMap time, TimeMap::Create(std::move(points)));
  std::vector<Note> notes;
  for (const PlayedScoreNote& note : played) {
    const double at_s = time.To(note.note.onset_s);
    const bool from_before = segment.first || at_s > -kMargin_s;
    const bool to_after = segment.last || at_s < sound.duration_s() + kMargin_s;
    if (from_before && to_after) notes.push_back(note.note);
  }
  if (music::DistinctOnsets(notes, kTogether_s).size() < 2) return absl::OkStatus();
  ASSIGN_OR_RETURN(const FineAlignment fine, AlignFinely(sound, notes, settings,
                                                         {search.open_start && segment.first,
                                                          search.open_end && segment.last},
                                                         time, check));
  for (size_t i = 0; i < fine.onsets_s.size(); ++i) {
    const double heard_s = fine.heard_s[i] + sound.start_s;
    if (heard_s < segment.start_s && !(segment.first && !search.open_start)) continue;
    if (heard_s > segment.end_s && !(segment.last && !search.open_end)) continue;
    if (!laid.heard_s.empty() && (heard_s <= laid.heard_s.back() + kLeastStep_s ||
                                  fine.onsets_s[i] <= laid.played_s.back() + kLeastStep_s)) {
      continue;
    }
    laid.played_s.push_back(fine.onsets_s[i]);
    laid.heard_s.push_back(heard_s);
    laid.likeness.push_back(fine.likeness[i]);
    laid.chance.push_back(fine.chance[i]);
  }
  return absl::OkStatus();
}

absl::StatusOr<TimeMap> MapOf(const LaidOnsets& laid) {
  std::vector<TimePoint> points(laid.played_s.size());
  for (size_t i = 0; i < points.size(); ++i) points[i] = {laid.played_s[i], laid.heard_s[i]};
  return TimeMap::Create(std::move(points));
}

// The last onset not after `played_s`, or the first.
size_t OnsetAt(const LaidOnsets& laid, double played_s) {
  const auto after =
      std::upper_bound(laid.played_s.begin(), laid.played_s.end(), played_s + kLeastStep_s);
  return after == laid.played_s.begin() ? 0 : after - laid.played_s.begin() - 1;
}

class Builder {
 public:
  Builder(const Score& score, const ScorePart& part, const PassageSearch& search,
          const LaidOnsets& laid, const std::vector<double>& doubts, const TimeMap& map)
      : score_(score), part_(part), search_(search), laid_(laid), doubts_(doubts), map_(map) {}

  Performance Build(const std::vector<PlayedScoreNote>& played) {
    Performance performance;
    for (size_t i = 0; i < search_.spans.size(); ++i) AddPassage(i, performance);
    for (const PlayedScoreNote& note : played) AddNote(note, performance);
    std::stable_sort(
        performance.notes.begin(), performance.notes.end(),
        [](const PlayedNote& a, const PlayedNote& b) { return a.onset_s < b.onset_s; });
    return performance;
  }

 private:
  double PlayedAt(const ScoreSpan& span, double score_s) const {
    return span.played_start_s + (score_s - span.start_s) * search_.slope;
  }
  double ScoreAt(const ScoreSpan& span, double played_s) const {
    return span.start_s + (played_s - span.played_start_s) / search_.slope;
  }

  // The beat in which the first note begins: on it, or after a rest.
  double FirstBeat() const {
    const double onset_s = part_.notes.front().onset_s;
    const auto after = std::upper_bound(
        part_.grid.begin(), part_.grid.end(), onset_s,
        [](double at_s, const GridBeat& beat) { return at_s < beat.at_s - kLeastStep_s; });
    return after == part_.grid.begin() ? onset_s : std::prev(after)->at_s;
  }

  // The mean doubt of the onsets in [from, to), or that of the last one before.
  double DoubtBetween(double from_s, double to_s) const {
    const size_t first = OnsetAt(laid_, from_s);
    double sum = 0;
    size_t count = 0;
    for (size_t i = first; i < laid_.played_s.size(); ++i) {
      if (count > 0 && laid_.played_s[i] >= to_s - kLeastStep_s) break;
      sum += doubts_[i];
      ++count;
    }
    return sum / static_cast<double>(count);
  }

  void AddPassage(size_t index, Performance& performance) const {
    const ScoreSpan& span = search_.spans[index];
    const bool first = index == 0, last = index + 1 == search_.spans.size();
    PlayedPassage passage;
    passage.entry = span.entry;
    passage.score_start_s = span.start_s;
    passage.score_end_s = span.end_s;
    if (first) {
      passage.score_start_s = FirstBeat();
      if (search_.open_start) {
        passage.score_start_s =
            std::max(ScoreAt(span, map_.From(search_.sound_start_s)), passage.score_start_s);
      }
    }
    if (last && search_.open_end)
      passage.score_end_s = ScoreAt(span, map_.From(search_.sound_end_s));
    if (passage.score_end_s <= passage.score_start_s) {
      passage.score_start_s = span.start_s;
      passage.score_end_s = span.end_s;
    }
    passage.start_s = std::max(map_.To(PlayedAt(span, passage.score_start_s)), 0.0);
    passage.end_s = std::max(map_.To(PlayedAt(span, passage.score_end_s)), passage.start_s);
    passage.map = PassageMap(span, passage);
    AddBeats(span, passage, static_cast<int>(index), performance);
    performance.passages.push_back(std::move(passage));
  }

  // Through the onsets in the passage, and its ends.
  TimeMap PassageMap(const ScoreSpan& span, const PlayedPassage& passage) const {
    std::vector<TimePoint> points;
    const auto add = [&](double heard_s, double score_s) {
      if (points.empty() || (heard_s > points.back().from_s + kLeastStep_s &&
                             score_s > points.back().to_s + kLeastStep_s)) {
        points.push_back({heard_s, score_s});
      }
    };
    add(map_.To(PlayedAt(span, passage.score_start_s)), passage.score_start_s);
    for (size_t i = OnsetAt(laid_, PlayedAt(span, passage.score_start_s));
         i < laid_.played_s.size(); ++i) {
      const double score_s = ScoreAt(span, laid_.played_s[i]);
      if (score_s >= passage.score_end_s) break;
      add(laid_.heard_s[i], score_s);
    }
    add(map_.To(PlayedAt(span, passage.score_end_s)), passage.score_end_s);
    absl::StatusOr<TimeMap> map = TimeMap::Create(std::move(points));
    return map.ok() ? *std::move(map) : TimeMap(1 / search_.slope);
  }

  void AddBeats(const ScoreSpan& span, const PlayedPassage& passage, int index,
                Performance& performance) const {
    for (const GridBeat& beat : part_.grid) {
      if (beat.at_s < passage.score_start_s - kLeastStep_s) continue;
      if (beat.at_s >= passage.score_end_s - kLeastStep_s) break;
      const double next_s =
          score_.tempo_map.SecondsAt(score_.tempo_map.BeatsAt(beat.at_s) + beat.quarters);
      const double from_s = PlayedAt(span, beat.at_s), to_s = PlayedAt(span, next_s);
      const double at_s = std::max(map_.To(from_s), 0.0);
      const double length_s = std::max(map_.To(to_s) - at_s, kLeastStep_s);
      performance.beats.push_back(
          {beat.at_s, index, at_s, 60 * beat.quarters / length_s, DoubtBetween(from_s, to_s)});
    }
  }

  void AddNote(const PlayedScoreNote& played, Performance& performance) const {
    const PlayedPassage& passage = performance.passages[played.passage];
    const Note& note = score_.notes[played.position];
    if (note.onset_s < passage.score_start_s - kOutside_s ||
        note.onset_s > passage.score_end_s + kLeastStep_s) {
      return;
    }
    const double onset_s = map_.To(played.note.onset_s);
    const double offset_s = std::max(map_.To(played.note.offset_s), onset_s + kLeastStep_s);
    performance.notes.push_back({played.position, played.passage, onset_s, offset_s,
                                 doubts_[OnsetAt(laid_, played.note.onset_s)]});
  }

  const Score& score_;
  const ScorePart& part_;
  const PassageSearch& search_;
  const LaidOnsets& laid_;
  const std::vector<double>& doubts_;  // of the onsets
  const TimeMap& map_;                 // from the score as it is played to the recording
};

// A score laid out as it is played, beside the recording.
struct Layout {
  PassageSearch search;
  std::vector<PlayedScoreNote> played;
  LaidOnsets laid;
  Evidence evidence;
};

// Nothing where too little of the score is left.
absl::StatusOr<std::optional<Layout>> LayOut(const features::FeatureSequence& spectrogram,
                                             const features::FeatureSettings& settings, int loudest,
                                             const ScorePart& part, bool jumps,
                                             const PerformanceOptions& options) {
  absl::StatusOr<PassageSearch> search =
      FindPassages(spectrogram, settings, loudest, part.notes, part.grid, jumps, options);
  if (absl::IsNotFound(search.status())) return std::nullopt;
  RETURN_IF_ERROR(search.status());
  Layout layout{*std::move(search), {}, {}, {}};
  layout.played = AsPlayed(part, layout.search);
  for (const Segment& segment :
       SegmentsOf(layout.search.sound_start_s, layout.search.sound_end_s)) {
    RETURN_IF_ERROR(LaySegment(spectrogram, settings, loudest, layout.played, layout.search,
                               segment, options.check, layout.laid));
  }
  if (layout.laid.played_s.size() < 2) return std::nullopt;
  layout.evidence = WeighEvidence(layout.laid);
  return layout;
}

// Whether the passages of `jumping` are: the sound must be clearly more like them than like the
// score as it is written.
bool AreBelieved(const Layout& jumping, const Layout& straight) {
  return jumping.evidence.agreement > straight.evidence.agreement;
}

absl::StatusOr<Performance> Build(const Score& score, const ScorePart& part, const Layout& layout) {
  ASSIGN_OR_RETURN(const TimeMap map, MapOf(layout.laid));
  Performance performance =
      Builder(score, part, layout.search, layout.laid, layout.evidence.doubts, map)
          .Build(layout.played);
  performance.agreement = layout.evidence.agreement;
  return performance;
}

}  // namespace

features::FeatureSettings PerformanceSettings() { return {}; }

absl::StatusOr<Performance> AlignPerformance(const features::FeatureSequence& spectrogram,
                                             const features::FeatureSettings& settings,
                                             const Score& score,
                                             const PerformanceOptions& options) {
  RETURN_IF_ERROR(CheckSpectrogram(spectrogram, settings));
  if (static_cast<double>(spectrogram.frames()) / settings.frame_rate() > kMaxRecording_s) {
    return absl::ResourceExhaustedError(
        absl::StrCat("recording: longer than ", kMaxRecording_s / 3600, " hours"));
  }
  ASSIGN_OR_RETURN(const ScorePart part, CutPart(score, options));
  const int loudest = LoudestLevel(spectrogram);
  ASSIGN_OR_RETURN(std::optional<Layout> layout,
                   LayOut(spectrogram, settings, loudest, part, options.jumps, options));
  if (layout && layout->search.spans.size() > 1) {
    ASSIGN_OR_RETURN(std::optional<Layout> straight,
                     LayOut(spectrogram, settings, loudest, part, false, options));
    if (straight && !AreBelieved(*layout, *straight)) layout = std::move(straight);
  }
  if (!layout) return Performance{};
  Performance performance;
  performance.agreement = layout->evidence.agreement;
  if (performance.agreement < kBelongTogether) return performance;
  return Build(score, part, *layout);
}

}  // namespace antiphon::alignment
