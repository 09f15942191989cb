#include "core/alignment/played_score.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace antiphon::alignment {
namespace {

constexpr double kShortest_s = 0.001;      // between two tempi
constexpr double kSlowest_s = 16;          // a quarter note; MIDI has no slower ones than 16.7
constexpr double kLeadInBeat_s = 2;        // a quarter note before the music begins, at most
constexpr double kShortestGapBeats = .25;  // between passages, quarter notes
constexpr double kSameBeat = 1e-6;         // quarter notes
constexpr int kMaxNumerator = 255, kMaxDenominator = 64;

// A beat of the recording on the two clocks of the result.
struct Knot {
  double at_s = 0;
  double beat = 0;   // quarter notes from the start of the result
  bool bar = false;  // a bar begins, or what is played of it
  int denominator = 4;
};

// What a place in the score is counted in.
int DenominatorAt(const music::Score& score, double beats) {
  if (!score.bars.empty()) {
    const auto after =
        std::upper_bound(score.bars.begin(), score.bars.end(), beats + kSameBeat,
                         [](double beat, const music::PlayedBar& bar) { return beat < bar.beat; });
    return after == score.bars.begin() ? after->denominator : std::prev(after)->denominator;
  }
  const auto& signatures = score.tempo_map.time_signatures();
  const auto after = std::upper_bound(
      signatures.begin(), signatures.end(), beats + kSameBeat,
      [](double beat, const music::TimeSignature& signature) { return beat < signature.beat; });
  return after == signatures.begin() ? after->denominator : std::prev(after)->denominator;
}

// From one beat to the next. Where the music jumps, what was left of the passage before and what
// comes before the first beat of the next lie between.
double BeatsBetween(const music::Score& score, const Performance& performance,
                    const PlayedBeat& from, const PlayedBeat& to) {
  const music::TempoMap& map = score.tempo_map;
  if (from.passage == to.passage) return map.BeatsAt(to.score_s) - map.BeatsAt(from.score_s);
  const double left_over =
      map.BeatsAt(performance.passages.at(from.passage).score_end_s) - map.BeatsAt(from.score_s);
  const double lead_in =
      map.BeatsAt(to.score_s) - map.BeatsAt(performance.passages.at(to.passage).score_start_s);
  return std::max(kShortestGapBeats, left_over + lead_in);
}

std::vector<Knot> KnotsOf(const music::Score& score, const Performance& performance) {
  std::vector<Knot> knots;
  const PlayedBeat* last = nullptr;  // of those that have a knot
  std::optional<std::pair<int, int>> bar;
  for (const PlayedBeat& beat : performance.beats) {
    Knot knot{.at_s = beat.at_s, .beat = 0, .bar = true, .denominator = 4};
    if (last == nullptr) {
      if (beat.at_s > kShortest_s) {
        knots.push_back({});
        knot.beat = std::ceil(beat.at_s / kLeadInBeat_s);
      }
    } else {
      const double lasts_s = beat.at_s - last->at_s;
      const double beats = BeatsBetween(score, performance, *last, beat);
      if (lasts_s < kShortest_s || beats < kSameBeat) continue;
      knot.beat = knots.back().beat + beats * std::ceil(lasts_s / beats / kSlowest_s);
    }
    const music::ScorePosition place = music::PositionAt(score, beat.score_s);
    const std::pair<int, int> here = {place.bar.bar, place.pass};
    knot.bar = here != bar || beat.passage != last->passage;
    knot.denominator = DenominatorAt(score, place.beats);
    bar = here;
    last = &beat;
    knots.push_back(knot);
  }
  return knots;
}

std::vector<music::TempoChange> TempiOf(const std::vector<Knot>& knots, double last_bpm) {
  std::vector<music::TempoChange> tempi;
  for (size_t i = 0; i + 1 < knots.size(); ++i) {
    const Knot &here = knots[i], &next = knots[i + 1];
    tempi.push_back({here.beat, (next.at_s - here.at_s) / (next.beat - here.beat)});
  }
  if (!knots.empty())
    tempi.push_back({knots.back().beat, std::clamp(60 / last_bpm, kShortest_s, kSlowest_s)});
  return tempi;
}

// The metre of a bar so long, if it has one.
std::optional<music::TimeSignature> SignatureOf(double beat, double length, int denominator) {
  for (; denominator <= kMaxDenominator; denominator *= 2) {
    const double numerator = length * denominator / 4;
    if (std::abs(numerator - std::round(numerator)) > 1e-3) continue;
    if (numerator < 0.5 || numerator > kMaxNumerator + 0.5) return std::nullopt;
    return music::TimeSignature{beat, static_cast<int>(std::lround(numerator)), denominator};
  }
  return std::nullopt;
}

// A signature wherever a bar is another one than that before.
std::vector<music::TimeSignature> SignaturesOf(const std::vector<Knot>& knots) {
  std::vector<music::TimeSignature> signatures;
  std::optional<size_t> begin;
  for (size_t i = 0; i < knots.size(); ++i) {
    const bool ends = i + 1 == knots.size() || knots[i + 1].bar;
    if (!begin) begin = i;
    if (!ends || i + 1 == knots.size()) continue;
    const Knot& bar = knots[*begin];
    const auto found = SignatureOf(bar.beat, knots[i + 1].beat - bar.beat, bar.denominator);
    if (found && (signatures.empty() || signatures.back().numerator != found->numerator ||
                  signatures.back().denominator != found->denominator)) {
      signatures.push_back(*found);
    }
    begin = std::nullopt;
  }
  return signatures;
}

}  // namespace

music::Score PlayedScore(const music::Score& score, const Performance& performance) {
  music::Score played;
  played.title = score.title;
  played.composer = score.composer;
  played.parts = score.parts;
  const std::vector<Knot> knots = KnotsOf(score, performance);
  const double last_bpm =
      performance.beats.empty() ? 120 : performance.beats.back().beats_per_minute;
  // The lists are in order and within their ranges, so that it can't fail.
  auto map = music::TempoMap::Create(TempiOf(knots, last_bpm), SignaturesOf(knots));
  if (map.ok()) played.tempo_map = *std::move(map);
  played.notes.reserve(performance.notes.size());
  for (const PlayedNote& heard : performance.notes) {
    music::Note note = score.notes.at(heard.note);
    note.onset_s = std::max(0.0, heard.onset_s);
    note.offset_s = note.sounding_offset_s = std::max(heard.offset_s, note.onset_s + kShortest_s);
    played.duration_s = std::max(played.duration_s, note.sounding_offset_s);
    played.notes.push_back(note);
  }
  std::stable_sort(played.notes.begin(), played.notes.end(),
                   [](const music::Note& a, const music::Note& b) {
                     return std::pair(a.onset_s, a.pitch) < std::pair(b.onset_s, b.pitch);
                   });
  return played;
}

}  // namespace antiphon::alignment
