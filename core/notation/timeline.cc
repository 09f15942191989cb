#include "core/notation/timeline.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/music/midi_text.h"

namespace antiphon::notation {
namespace {

// Lengths this close are the same: tuplets that ticks cannot say are rounded.
constexpr Ticks kTolerance = kTicksPerQuarter / 64;
// Doubles hold all ticks up to here.
constexpr Ticks kLongest = Ticks{1} << 52;

Ticks LengthOf(const Metre& metre) {
  return 4 * kTicksPerQuarter / metre.denominator * metre.numerator;
}

bool IsShort(Ticks length, const Metre& metre) { return length < LengthOf(metre) - kTolerance; }

// What holds at a time: the last change that is not after it, or null.
template <typename Value>
const Value* At(const std::vector<Written<Value>>& changes, Ticks time) {
  const auto after =
      std::upper_bound(changes.begin(), changes.end(), time,
                       [](Ticks at, const Written<Value>& change) { return at < change.at; });
  return after == changes.begin() ? nullptr : &(after - 1)->value;
}

// What the print says of each bar, by index.
struct CountedBar {
  Metre metre;
  Ticks missing = 0;  // of its metre, before it
  int number = 1;
};

std::vector<CountedBar> CountBars(const WrittenScore& score) {
  std::vector<CountedBar> counted(score.bars.size());
  bool second_half = false;
  int since_movement = 0;
  for (size_t i = 0; i < counted.size(); ++i) {
    const WrittenBar& bar = score.bars[i];
    CountedBar& now = counted[i];
    if (const Metre* metre = At(score.metres, bar.start)) now.metre = *metre;
    const bool is_short = IsShort(bar.length, now.metre);
    if (i == 0 || bar.starts_movement) {
      second_half = false;
      since_movement = 0;
      now.number = is_short ? 0 : 1;
      now.missing = is_short ? LengthOf(now.metre) - bar.length : 0;
      continue;
    }
    const WrittenBar& before = score.bars[i - 1];
    const CountedBar& last = counted[i - 1];
    // Two halves on both sides of a repeat sign are one bar. The end of one ending and the
    // beginning of the next are not, nor is what follows an upbeat.
    second_half = ++since_movement > 1 && !second_half && is_short &&
                  IsShort(before.length, last.metre) &&
                  std::abs(before.length + bar.length - LengthOf(now.metre)) <= kTolerance &&
                  LengthOf(last.metre) == LengthOf(now.metre) &&
                  (bar.endings.empty() || bar.endings == before.endings);
    now.number = second_half ? last.number : last.number + 1;
    now.missing = second_half ? before.length : 0;
  }
  return counted;
}

// Collects changes in the order of playing: what holds at the start of each bar, if that is another
// value than before, and what changes within it. `first` holds until the score says something.
template <typename Value, typename Same>
class ChangesAsPlayed {
 public:
  ChangesAsPlayed(const std::vector<Written<Value>>& changes, Value first, Same same, int64_t limit)
      : changes_(changes), first_(first), same_(same), limit_(limit) {}

  // False at more than `limit` changes.
  bool Add(const WrittenBar& bar, Ticks played) {
    auto next =
        std::upper_bound(changes_.begin(), changes_.end(), bar.start,
                         [](Ticks at, const Written<Value>& change) { return at < change.at; });
    AddOne(played, next == changes_.begin() ? first_ : (next - 1)->value);
    for (; next != changes_.end() && next->at < bar.start + bar.length; ++next)
      AddOne(played + (next->at - bar.start), next->value);
    return static_cast<int64_t>(played_.size()) <= limit_;
  }

  const std::vector<Written<Value>>& played() const { return played_; }

 private:
  void AddOne(Ticks at, const Value& value) {
    if (!played_.empty() && same_(played_.back().value, value)) return;
    played_.push_back({at, value});
  }

  const std::vector<Written<Value>>& changes_;
  const Value first_;
  const Same same_;
  const int64_t limit_;
  std::vector<Written<Value>> played_;
};

absl::Status PlaceBars(const WrittenScore& score, Timeline* line) {
  for (const int index : line->order) {
    const Ticks length = score.bars[index].length;
    if (length > kLongest - line->end)
      return absl::ResourceExhaustedError("score has more quarter notes than can be counted");
    line->starts.push_back(line->end);
    line->end += length;
  }
  line->run_ends.resize(line->order.size());
  for (size_t k = line->order.size(); k-- > 0;) {
    const WrittenBar& bar = score.bars[line->order[k]];
    const bool goes_on = k + 1 < line->order.size() && line->order[k + 1] == line->order[k] + 1;
    line->run_ends[k] = goes_on ? line->run_ends[k + 1] : bar.start + bar.length;
  }
  return absl::OkStatus();
}

// The metre of each bar, stated again where bars are shorter or longer than it says.
std::vector<music::TimeSignature> Signatures(const std::vector<CountedBar>& counted,
                                             const Timeline& line) {
  std::vector<music::TimeSignature> signatures;
  Ticks stated_at = 0;
  for (size_t k = 0; k < line.order.size(); ++k) {
    const Metre& metre = counted[line.order[k]].metre;
    const bool same = !signatures.empty() && signatures.back().numerator == metre.numerator &&
                      signatures.back().denominator == metre.denominator;
    const Ticks beyond = (line.starts[k] - stated_at) % LengthOf(metre);
    if (same && (beyond <= kTolerance || beyond >= LengthOf(metre) - kTolerance)) continue;
    stated_at = line.starts[k];
    signatures.push_back({QuartersOf(stated_at), metre.numerator, metre.denominator});
  }
  return signatures;
}

std::vector<music::PlayedBar> PlayedBars(const WrittenScore& score,
                                         const std::vector<CountedBar>& counted,
                                         const Timeline& line) {
  std::vector<std::string> labels;
  labels.reserve(score.bars.size());
  for (const WrittenBar& bar : score.bars) labels.push_back(music::CleanMidiText(bar.number));
  std::vector<int> times(score.bars.size(), 0);
  std::vector<music::PlayedBar> bars;
  bars.reserve(line.order.size());
  for (size_t k = 0; k < line.order.size(); ++k) {
    const int index = line.order[k];
    music::PlayedBar bar;
    bar.beat = QuartersOf(line.starts[k]);
    bar.length = QuartersOf(score.bars[index].length);
    bar.written_beat = QuartersOf(score.bars[index].start);
    bar.missing = QuartersOf(counted[index].missing);
    bar.denominator = counted[index].metre.denominator;
    bar.number = counted[index].number;
    bar.label = labels[index];
    bar.pass = ++times[index];
    bars.push_back(std::move(bar));
  }
  return bars;
}

absl::StatusOr<music::TempoMap> MakeTempoMap(const WrittenScore& score,
                                             const std::vector<CountedBar>& counted,
                                             const Timeline& line, double default_tempo,
                                             const NotationLimits& limits) {
  ChangesAsPlayed tempi(
      score.tempi, default_tempo, [](double a, double b) { return a == b; }, limits.max_notes);
  ChangesAsPlayed keys(
      score.keys, Key{},
      [](const Key& a, const Key& b) { return a.fifths == b.fifths && a.minor == b.minor; },
      limits.max_notes);
  for (size_t k = 0; k < line.order.size(); ++k) {
    const WrittenBar& bar = score.bars[line.order[k]];
    if (!tempi.Add(bar, line.starts[k]) || !keys.Add(bar, line.starts[k])) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "score changes its tempo or its key more than ", limits.max_notes, " times"));
    }
  }
  std::vector<music::TempoChange> tempo_changes;
  for (const Written<double>& tempo : tempi.played())
    tempo_changes.push_back({QuartersOf(tempo.at), 60 / tempo.value});
  std::vector<music::KeySignature> key_changes;
  for (const Written<Key>& key : score.keys.empty() ? std::vector<Written<Key>>() : keys.played())
    key_changes.push_back({QuartersOf(key.at), key.value.fifths, key.value.minor});
  return music::TempoMap::Create(std::move(tempo_changes), Signatures(counted, line),
                                 std::move(key_changes));
}

}  // namespace

double QuartersOf(Ticks ticks) {
  return static_cast<double>(ticks) / static_cast<double>(kTicksPerQuarter);
}

absl::StatusOr<Timeline> MakeTimeline(const WrittenScore& score, std::vector<int> order,
                                      double default_tempo, const NotationLimits& limits) {
  Timeline line;
  line.order = std::move(order);
  RETURN_IF_ERROR(PlaceBars(score, &line));
  const std::vector<CountedBar> counted = CountBars(score);
  ASSIGN_OR_RETURN(line.tempo_map, MakeTempoMap(score, counted, line, default_tempo, limits));
  const double duration_s = line.tempo_map.SecondsAt(QuartersOf(line.end));
  if (!(duration_s <= limits.max_duration_s)) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "score lasts ", duration_s, " s as it is played, the limit is ", limits.max_duration_s));
  }
  line.bars = PlayedBars(score, counted, line);
  return line;
}

}  // namespace antiphon::notation
