#include "core/music/score.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"

namespace antiphon::music {
namespace {

void SortNotes(std::vector<Note>& notes) {
  std::stable_sort(notes.begin(), notes.end(), [](const Note& a, const Note& b) {
    return std::tie(a.onset_s, a.pitch) < std::tie(b.onset_s, b.pitch);
  });
}

// What holds at `start`, moved to 0, and the changes inside (start, end), moved by -start.
template <typename Change>
std::vector<Change> Cut(const std::vector<Change>& changes, double start, double end) {
  std::vector<Change> cut;
  for (Change change : changes) {
    if (change.beat >= end) break;
    change.beat -= start;
    if (change.beat <= 0) {
      change.beat = 0;
      cut.clear();
    }
    cut.push_back(change);
  }
  return cut;
}

TempoMap CutTempoMap(const TempoMap& map, double start_s, double end_s) {
  const double start = map.BeatsAt(start_s);
  const double end = map.BeatsAt(end_s);
  std::vector<TempoChange> tempi = Cut(map.tempi(), start, end);
  std::vector<TimeSignature> signatures = Cut(map.time_signatures(), start, end);
  if (start < 0) {  // before the beginning the first tempo and metre hold
    tempi.insert(tempi.begin(), {0, map.tempi().front().seconds_per_beat});
    signatures.insert(signatures.begin(), map.time_signatures().front());
    signatures.front().beat = 0;
  }
  // A cut inside a bar leaves an upbeat: stating the signature again at the next bar line keeps the
  // bar lines in place.
  const BarPosition position = map.BarAt(start);
  const double next_bar = map.BeatsAtBar({position.bar + 1, 1.0});
  if (position.beat > 1.0 && next_bar > start && next_bar < end) {
    TimeSignature again = signatures.front();
    again.beat = next_bar - start;
    signatures.insert(signatures.begin() + 1, again);
  }
  // Parts of a valid map are valid.
  return TempoMap::Create(std::move(tempi), std::move(signatures),
                          Cut(map.key_signatures(), start, end))
      .value();
}

// As the tempo map has it, a position this close before a bar line, in quarter notes, is on it.
constexpr double kBarLineTolerance = 1e-6;

// The bars in [start, end), in quarter notes, the first and the last cut.
std::vector<PlayedBar> CutBars(const std::vector<PlayedBar>& bars, double start, double end) {
  std::vector<PlayedBar> cut;
  for (const PlayedBar& bar : bars) {
    if (bar.beat + bar.length <= start + kBarLineTolerance || bar.beat >= end) continue;
    cut.push_back(bar);
    PlayedBar& kept = cut.back();
    kept.length = std::min(bar.length, end - bar.beat);
    if (bar.beat >= start) {
      kept.beat -= start;
      continue;
    }
    const double before = start - bar.beat;
    kept.beat = 0;
    kept.length -= before;
    kept.written_beat += before;
    kept.missing += before;
  }
  return cut;
}

// The bar that is played at a position in quarter notes. Requires that there are bars.
const PlayedBar& BarPlayedAt(const std::vector<PlayedBar>& bars, double beats) {
  const auto after =
      std::upper_bound(bars.begin(), bars.end(), beats + kBarLineTolerance,
                       [](double position, const PlayedBar& bar) { return position < bar.beat; });
  return after == bars.begin() ? bars.front() : *(after - 1);
}

}  // namespace

ScorePosition PositionAt(const Score& score, double seconds) {
  ScorePosition position;
  position.beats = std::max(score.tempo_map.BeatsAt(seconds), 0.0);
  position.written_beats = position.beats;
  if (score.bars.empty()) {
    position.bar = score.tempo_map.BarAt(position.beats);
    position.label = absl::StrCat(position.bar.bar);
    return position;
  }
  const PlayedBar& bar = BarPlayedAt(score.bars, position.beats);
  const double into_bar = std::clamp(position.beats - bar.beat, 0.0, bar.length);
  position.written_beats = bar.written_beat + into_bar;
  position.bar = {bar.number, 1.0 + (bar.missing + into_bar) * bar.denominator / 4.0};
  position.label = bar.label.empty() ? absl::StrCat(bar.number) : bar.label;
  position.pass = bar.pass;
  return position;
}

std::vector<double> TimesPlayed(const Score& score, double written_beats) {
  if (score.bars.empty()) {
    if (written_beats < 0) return {};
    return {score.tempo_map.SecondsAt(written_beats)};
  }
  std::vector<double> times;
  for (const PlayedBar& bar : score.bars) {
    const double into_bar = written_beats - bar.written_beat;
    if (into_bar > -kBarLineTolerance && into_bar < bar.length - kBarLineTolerance)
      times.push_back(score.tempo_map.SecondsAt(bar.beat + std::max(into_bar, 0.0)));
  }
  return times;
}

Score Excerpt(const Score& score, double start_s, double end_s) {
  Score excerpt;
  excerpt.title = score.title;
  excerpt.composer = score.composer;
  excerpt.opus = score.opus;
  excerpt.parts = score.parts;
  excerpt.tempo_map = CutTempoMap(score.tempo_map, start_s, end_s);
  excerpt.bars =
      CutBars(score.bars, score.tempo_map.BeatsAt(start_s), score.tempo_map.BeatsAt(end_s));
  excerpt.duration_s = std::max(std::min(score.duration_s, end_s) - start_s, 0.0);
  for (Note note : score.notes) {
    if (note.onset_s >= end_s || note.sounding_offset_s <= start_s) continue;
    note.onset_s = std::max(note.onset_s, start_s) - start_s;
    note.sounding_offset_s = std::min(note.sounding_offset_s, end_s) - start_s;
    note.offset_s = std::min(note.offset_s, end_s) - start_s;
    if (note.sounding_offset_s <= note.onset_s) continue;  // all that rounding leaves of it
    // Only the pedal held it at the start: it is heard, so here it counts as held.
    if (note.offset_s <= note.onset_s) note.offset_s = note.sounding_offset_s;
    excerpt.notes.push_back(note);
  }
  SortNotes(excerpt.notes);
  return excerpt;
}

Score AtTempoRatio(const Score& score, double ratio) {
  Score scaled = score;
  scaled.warnings.clear();
  for (Note& note : scaled.notes) {
    note.onset_s /= ratio;
    note.offset_s /= ratio;
    note.sounding_offset_s /= ratio;
  }
  scaled.duration_s /= ratio;
  std::vector<TempoChange> tempi = score.tempo_map.tempi();
  for (TempoChange& tempo : tempi) tempo.seconds_per_beat /= ratio;
  scaled.tempo_map = TempoMap::Create(std::move(tempi), score.tempo_map.time_signatures(),
                                      score.tempo_map.key_signatures())
                         .value();
  return scaled;
}

Score Transposed(const Score& score, int semitones) {
  Score transposed = score;
  transposed.warnings.clear();
  for (Note& note : transposed.notes) note.pitch += semitones;
  std::erase_if(transposed.notes,
                [](const Note& note) { return note.pitch < 0 || note.pitch > 127; });
  return transposed;
}

std::vector<int> SoundingParts(const Score& score) {
  std::set<std::pair<int, int>> sounding;  // track and channel
  for (const Note& note : score.notes) sounding.emplace(note.track, note.channel);
  std::vector<int> parts;
  for (size_t i = 0; i < score.parts.size(); ++i) {
    if (sounding.contains({score.parts[i].track, score.parts[i].channel}))
      parts.push_back(static_cast<int>(i));
  }
  return parts;
}

Score OnlyPart(const Score& score, int part) {
  const Part& kept = score.parts[part];
  Score only = score;
  only.warnings.clear();
  std::erase_if(only.notes, [&](const Note& note) {
    return note.track != kept.track || note.channel != kept.channel;
  });
  return only;
}

std::vector<double> DistinctOnsets(std::span<const Note> notes, double tolerance_s) {
  std::vector<double> onsets;
  onsets.reserve(notes.size());
  for (const Note& note : notes) onsets.push_back(note.onset_s);
  std::sort(onsets.begin(), onsets.end());
  size_t kept = 0;
  for (const double onset : onsets) {
    if (kept > 0 && (onset == onsets[kept - 1] || onset - onsets[kept - 1] < tolerance_s)) continue;
    onsets[kept++] = onset;
  }
  onsets.resize(kept);
  return onsets;
}

}  // namespace antiphon::music
