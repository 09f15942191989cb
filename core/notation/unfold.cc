#include "core/notation/unfold.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace antiphon::notation {
namespace {

constexpr int kNone = -1;

// A stretch of bars that is repeated, its endings included.
struct Repeat {
  int start = 0;
  int end = 0;  // the last bar
  int plays = 2;
};

// What stands at each bar, by index; kNone: nothing.
struct Signs {
  std::vector<Repeat> repeats;
  std::vector<int> starts;   // the repeat that begins with the bar
  std::vector<int> returns;  // ... that :| after the bar goes back to
  std::vector<int> ends;     // ... that is over after the bar
  std::vector<int> endings;  // ... whose times decide whether the bar is played
};

// The bars with endings that belong together: [first, last].
struct EndingRun {
  int first = 0;
  int last = 0;
  int greatest = 0;        // number of an ending
  bool single = true;      // one ending only, be it of several numbers
  bool has_first = false;  // an ending for the first time is among them
};

EndingRun RunFrom(const std::vector<WrittenBar>& bars, int first) {
  EndingRun run{first, first};
  std::set<int> seen;
  for (int i = first; i < static_cast<int>(bars.size()); ++i) {
    const std::vector<int>& now = bars[i].endings;
    if (now.empty() || (i > first && (bars[i].starts_repeat || bars[i].starts_movement))) break;
    const bool goes_on = i > first && now == bars[i - 1].endings && bars[i - 1].plays <= 1;
    const auto was_seen = [&seen](int number) { return seen.contains(number); };
    // Numbers that come again are those of another repeat.
    if (!goes_on && std::any_of(now.begin(), now.end(), was_seen)) break;
    if (!goes_on && i > first) run.single = false;
    if (!goes_on) seen.insert(now.begin(), now.end());
    run.last = i;
  }
  run.greatest = *seen.rbegin();
  run.has_first = seen.contains(1);
  return run;
}

// How often a repeat is played whose endings are `run`, and whose :| say `plays` at most.
int PlaysWithEndings(const EndingRun& run, int plays) {
  constexpr int kMost = 1'000'000;  // beyond any limit on bars
  const int greatest = std::clamp(run.greatest, 1, kMost);
  if (!run.single) return greatest;
  return std::max(plays, run.has_first ? greatest + 1 : greatest);
}

// The bars at which signs of one kind stand, by the names of the signs.
class NamedSigns {
 public:
  void Add(const std::string& name, int bar) {
    if (!name.empty()) bars_[name].push_back(bar);
  }

  // Within [first, end): the last one that is not after `bar`, and the first after it; kNone.
  std::pair<int, int> Around(const std::string& name, int bar, int first, int end) const {
    const auto found = bars_.find(name);
    if (found == bars_.end()) return {kNone, kNone};
    const std::vector<int>& bars = found->second;
    const auto next = std::upper_bound(bars.begin(), bars.end(), bar);
    const int before = next == bars.begin() || *(next - 1) < first ? kNone : *(next - 1);
    return {before, next == bars.end() || *next >= end ? kNone : *next};
  }

 private:
  std::map<std::string, std::vector<int>> bars_;  // rising
};

class SignReader {
 public:
  explicit SignReader(const std::vector<WrittenBar>& bars) : bars_(bars) {
    for (auto* list : {&signs_.starts, &signs_.returns, &signs_.ends, &signs_.endings})
      list->assign(bars.size(), kNone);
  }

  Signs Read() && {
    const int count = static_cast<int>(bars_.size());
    for (int i = 0; i < count;) {
      if (bars_[i].starts_movement) {
        open_.clear();
        after_last_ = i;
      }
      if (bars_[i].starts_repeat) open_.push_back(i);
      if (!bars_[i].endings.empty()) {
        const EndingRun run = RunFrom(bars_, i);
        TakeEndings(run);
        i = run.last + 1;
        continue;
      }
      if (bars_[i].plays > 1) signs_.returns[i] = Close(i, bars_[i].plays);
      ++i;
    }
    return std::move(signs_);
  }

 private:
  // Ends the innermost repeat that is open.
  int Close(int end, int plays) {
    Repeat repeat{after_last_, end, plays};
    if (!open_.empty()) {
      repeat.start = open_.back();
      open_.pop_back();
    }
    if (open_.empty()) after_last_ = end + 1;
    const int index = static_cast<int>(signs_.repeats.size());
    signs_.repeats.push_back(repeat);
    signs_.starts[repeat.start] = signs_.ends[end] = index;
    return index;
  }

  void TakeEndings(const EndingRun& run) {
    int plays = 1;
    for (int i = run.first; i <= run.last; ++i) plays = std::max(plays, bars_[i].plays);
    if (plays <= 1) return;
    const int repeat = Close(run.last, PlaysWithEndings(run, plays));
    for (int i = run.first; i <= run.last; ++i) {
      signs_.endings[i] = repeat;
      // One goes back from all but the last, :| or not.
      const bool ends = i < run.last && bars_[i + 1].endings != bars_[i].endings;
      if (bars_[i].plays > 1 || ends) signs_.returns[i] = repeat;
    }
  }

  const std::vector<WrittenBar>& bars_;
  std::vector<int> open_;  // bars after |: that no :| has closed yet
  int after_last_ = 0;     // where a repeat without |: begins
  Signs signs_;
};

std::string NameOf(const std::vector<WrittenBar>& bars, int bar) {
  return bars[bar].number.empty() ? absl::StrCat("bar ", bar + 1, " of the file")
                                  : absl::StrCat("bar ", bars[bar].number);
}

// A reading of the signs.
struct Reading {
  std::vector<int> order;
  std::vector<int> unreached;  // bars that were passed over for their endings and never played
};

// A player who reads the signs.
class Reader {
 public:
  Reader(const std::vector<WrittenBar>& bars, const NotationLimits& limits,
         std::vector<std::string>* warnings)
      : bars_(bars),
        limits_(limits),
        warnings_(warnings),
        signs_(SignReader(bars).Read()),
        times_(signs_.repeats.size()),
        jump_taken_(bars.size(), false),
        to_coda_(bars.size(), false),
        next_coda_(bars.size(), kNone),
        segno_(bars.size(), kNone),
        next_movement_(bars.size(), kNone),
        fates_(bars.size(), Fate::kNotMet) {
    FindTargets();
  }

  absl::StatusOr<Reading> Read() && {
    const auto count = static_cast<int>(bars_.size());
    // Bars that are passed over because of their endings take time too.
    int64_t steps_left = 16 * (int64_t{limits_.max_bars} + 1);
    for (int bar = 0; bar < count;) {
      if (--steps_left < 0) return TooLong();
      if (bars_[bar].starts_movement && bar != movement_) StartMovement(bar);
      if (signs_.starts[bar] != kNone) Enter(signs_.starts[bar]);
      if (!IsPlayed(bar)) {
        if (fates_[bar] == Fate::kNotMet) fates_[bar] = Fate::kPassedOver;
        bar = GoOn(bar);
        continue;
      }
      if (static_cast<int64_t>(reading_.order.size()) >= limits_.max_bars) return TooLong();
      reading_.order.push_back(bar);
      fates_[bar] = Fate::kPlayed;
      bar = After(bar);
    }
    for (int bar = 0; bar < count; ++bar) {
      if (fates_[bar] == Fate::kPassedOver) reading_.unreached.push_back(bar);
    }
    return std::move(reading_);
  }

 private:
  enum class Fate : uint8_t { kNotMet, kPassedOver, kPlayed };

  // How often a repeat was entered since the last jump; what was before is forgotten.
  struct Times {
    int times = 0;  // 0: it isn't being played
    int since = 0;  // as since_ was
  };

  absl::Status TooLong() const {
    return absl::ResourceExhaustedError(
        absl::StrCat("score has more than ", limits_.max_bars, " bars with its repeats played"));
  }

  void FindTargets() {
    const auto count = static_cast<int>(bars_.size());
    for (int i = 0, segno = kNone; i < count; ++i) {
      to_coda_[i] = bars_[i].to_coda;
      if (bars_[i].segno) segno_names_.Add(bars_[i].segno_name, i);
      if (bars_[i].coda) coda_names_.Add(bars_[i].coda_name, i);
      if (bars_[i].starts_movement) segno = kNone;
      segno_[i] = segno = bars_[i].segno ? i : segno;
    }
    int coda = kNone, movement = count;
    for (int i = count - 1; i >= 0; --i) {
      next_coda_[i] = coda;
      next_movement_[i] = movement;
      if (bars_[i].coda) coda = i;
      if (!bars_[i].starts_movement) continue;
      movement = i;
      coda = kNone;
    }
    for (int i = 0; i < count; i = next_movement_[i]) FindWordlessCoda(i, next_movement_[i]);
  }

  // Of two coda signs and no words, the first is where one leaves.
  void FindWordlessCoda(int start, int end) {
    int first = kNone, signs = 0;
    for (int i = start; i < end; ++i) {
      if (to_coda_[i]) return;
      if (!bars_[i].coda) continue;
      if (first == kNone) first = i;
      ++signs;
    }
    if (signs < 2 || first == start) return;
    to_coda_[first - 1] = true;
    next_coda_[first - 1] = next_coda_[first];
  }

  void StartMovement(int bar) {
    movement_ = bar;
    jumps_ = 0;
    Forget();
    once_ = false;
    jumped_from_ = kNone;
  }

  void Forget() {
    ++since_;
    unfinished_ = 0;
  }

  int TimesOf(int repeat) const {
    const Times& times = times_[repeat];
    if (times.times > 0 && times.since == since_) return times.times;
    return once_ ? signs_.repeats[repeat].plays : 1;  // it was entered in the middle
  }

  void Set(int repeat, int times) {
    const int plays = signs_.repeats[repeat].plays;
    const bool known = times_[repeat].since == since_ && times_[repeat].times > 0;
    const auto unfinished = [plays](int n) { return n > 0 && n < plays ? 1 : 0; };
    unfinished_ += unfinished(times) - (known ? unfinished(times_[repeat].times) : 0);
    times_[repeat] = {times, since_};
  }

  void Enter(int repeat) {
    const Times& times = times_[repeat];
    if (times.times > 0 && times.since == since_) return;  // back from its end
    Set(repeat, once_ ? signs_.repeats[repeat].plays : 1);
  }

  bool IsPlayed(int bar) const {
    const std::vector<int>& endings = bars_[bar].endings;
    if (endings.empty()) return true;
    const int repeat = signs_.endings[bar];
    const int time = repeat == kNone ? jumps_ + 1 : TimesOf(repeat);
    return std::find(endings.begin(), endings.end(), time) != endings.end();
  }

  int GoOn(int bar) {
    if (signs_.ends[bar] != kNone) Set(signs_.ends[bar], 0);
    if (bar == jumped_from_) once_ = false;
    return bar + 1;
  }

  // The bar to go to.
  int After(int bar) {
    if (const int repeat = signs_.returns[bar]; repeat != kNone) {
      if (const int times = TimesOf(repeat); times < signs_.repeats[repeat].plays) {
        Set(repeat, times + 1);
        return signs_.repeats[repeat].start;
      }
    }
    if (unfinished_ == 0 || (unfinished_ == 1 && EndsUnfinished(bar))) {
      if (jumps_ > 0 && bars_[bar].fine) return next_movement_[bar];
      if (jumps_ > 0 && to_coda_[bar]) {
        if (const int coda = CodaAfter(bar); coda != kNone) {
          once_ = false;
          jumped_from_ = kNone;
          return coda;
        }
        Warn(absl::StrCat(NameOf(bars_, bar), ": no coda sign follows the words To Coda"));
      }
      if (const std::optional<int> target = JumpFrom(bar)) return *target;
    }
    return GoOn(bar);
  }

  int CodaAfter(int bar) const {
    const int end = next_movement_[bar];
    const int named = coda_names_.Around(bars_[bar].to_coda_name, bar, movement_, end).second;
    return named != kNone ? named : next_coda_[bar];
  }

  int SegnoFor(int bar) const {
    const auto [before, after] =
        segno_names_.Around(bars_[bar].dal_segno_name, bar, movement_, next_movement_[bar]);
    return before != kNone ? before : after != kNone ? after : segno_[bar];
  }

  // The repeat is over with this bar whatever its plays say: no :| leads back from here.
  bool EndsUnfinished(int bar) const {
    const int repeat = signs_.ends[bar];
    return repeat != kNone && TimesOf(repeat) < signs_.repeats[repeat].plays;
  }

  std::optional<int> JumpFrom(int bar) {
    if (jump_taken_[bar] || !(bars_[bar].da_capo || bars_[bar].dal_segno)) return std::nullopt;
    jump_taken_[bar] = true;
    int target = movement_;
    if (bars_[bar].dal_segno) {
      target = SegnoFor(bar);
      if (target == kNone) {
        Warn(absl::StrCat(NameOf(bars_, bar), ": no segno stands before the words Dal Segno"));
        if (!bars_[bar].da_capo) return std::nullopt;
        target = movement_;
      }
    }
    ++jumps_;
    Forget();
    once_ = !bars_[bar].repeats_after_jump && target <= bar;
    jumped_from_ = bar;
    return target;
  }

  void Warn(std::string what) {
    if (std::find(warnings_->begin(), warnings_->end(), what) == warnings_->end() &&
        warnings_->size() < 100) {
      warnings_->push_back(std::move(what));
    }
  }

  const std::vector<WrittenBar>& bars_;
  const NotationLimits& limits_;
  std::vector<std::string>* const warnings_;
  const Signs signs_;
  std::vector<Times> times_;        // by repeat
  std::vector<bool> jump_taken_;    // by bar
  std::vector<bool> to_coda_;       // by bar
  std::vector<int> next_coda_;      // by bar: the first coda sign after it
  std::vector<int> segno_;          // by bar: the last one that is not after it
  std::vector<int> next_movement_;  // by bar
  NamedSigns segno_names_, coda_names_;
  int movement_ = 0;         // the first bar of the one that is played
  int jumps_ = 0;            // D.C. and D.S. taken in it
  int since_ = 0;            // counts what Times forgets at
  int jumped_from_ = kNone;  // the bar of the last one, until it is passed
  bool once_ = false;        // repeats are played once
  int unfinished_ = 0;       // repeats being played that are not at their last time
  std::vector<Fate> fates_;  // by bar
  Reading reading_;
};

// Numbers the endings of those that belong together without gaps, where `unreached` says that one
// of them is never played: first and third become first and second.
void CloseGaps(const std::vector<int>& unreached, std::vector<WrittenBar>& bars) {
  const auto count = static_cast<int>(bars.size());
  for (int i = 0; i < count; ++i) {
    if (bars[i].endings.empty()) continue;
    const EndingRun run = RunFrom(bars, i);
    i = run.last;
    const auto lost = std::lower_bound(unreached.begin(), unreached.end(), run.first);
    if (run.single || lost == unreached.end() || *lost > run.last) continue;
    std::map<int, int> rank;
    for (int bar = run.first; bar <= run.last; ++bar) {
      for (const int number : bars[bar].endings) rank[number] = 0;
    }
    int next = 0;
    for (auto& [number, place] : rank) place = ++next;
    for (int bar = run.first; bar <= run.last; ++bar) {
      for (int& number : bars[bar].endings) number = rank[number];
    }
  }
}

// As the numbers say; endings that are never reached so are played all the same.
absl::StatusOr<std::vector<int>> ReadAll(const std::vector<WrittenBar>& bars,
                                         const NotationLimits& limits,
                                         std::vector<std::string>* warnings) {
  constexpr int kMostTries = 4;
  std::vector<std::string> said;
  ASSIGN_OR_RETURN(Reading reading, Reader(bars, limits, &said).Read());
  if (!reading.unreached.empty()) {
    const int first = reading.unreached.front();
    std::vector<WrittenBar> mended = bars;
    CloseGaps(reading.unreached, mended);
    for (int tries = 1; !reading.unreached.empty(); ++tries) {
      said = {absl::StrCat(NameOf(bars, first), ": no repeat reaches the ending for time ",
                           bars[first].endings.front(), ", which is played all the same")};
      ASSIGN_OR_RETURN(reading, Reader(mended, limits, &said).Read());
      for (const int bar : reading.unreached) mended[bar].endings.clear();
      if (tries == kMostTries) {
        for (WrittenBar& bar : mended) bar.endings.clear();
      }
    }
  }
  if (warnings != nullptr) std::move(said.begin(), said.end(), std::back_inserter(*warnings));
  return std::move(reading.order);
}

}  // namespace

absl::StatusOr<std::vector<int>> Unfold(const WrittenScore& score, const NotationLimits& limits,
                                        std::vector<std::string>* warnings) {
  if (!score.order.empty()) {
    if (static_cast<int64_t>(score.order.size()) > limits.max_bars) {
      return absl::ResourceExhaustedError(absl::StrCat("score has more than ", limits.max_bars,
                                                       " bars in the order that it states"));
    }
    return score.order;
  }
  return ReadAll(score.bars, limits, warnings);
}

}  // namespace antiphon::notation
