#include "core/abc/abc_score.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/abc/abc_repeats.h"
#include "core/base/status_macros.h"

namespace antiphon::notation {
namespace {

// Times at which bars begin, from 0, and behind the last one, with what is drawn there.
struct Grid {
  std::vector<Ticks> at;
  std::vector<AbcBarLine> lines;
};

void Merge(const AbcBarLine& from, AbcBarLine* into) {
  into->thick |= from.thick;
  into->ends_repeat = std::max(into->ends_repeat, from.ends_repeat);
  into->starts_repeat = std::max(into->starts_repeat, from.starts_repeat);
  if (into->ending.empty()) into->ending = from.ending;
  if (into->label == 0) into->label = from.label;
}

Grid GridOf(const AbcVoiceResult& voice) {
  Grid grid;
  if (voice.boundaries.empty() || voice.boundaries.front().at > 0) {
    grid.at.push_back(0);
    grid.lines.emplace_back();
  }
  for (const AbcBoundary& boundary : voice.boundaries) {
    grid.at.push_back(boundary.at);
    grid.lines.push_back(boundary.line);
  }
  if (grid.at.back() < voice.end) {
    grid.at.push_back(voice.end);
    grid.lines.emplace_back();
  }
  return grid;
}

// Moves times of one voice to those of the score.
class TimeShift {
 public:
  TimeShift(const std::vector<Ticks>& from, const std::vector<Ticks>& to) : from_(from), to_(to) {}

  Ticks operator()(Ticks at) const {
    const auto next = std::upper_bound(from_.begin(), from_.end(), at);
    const size_t bar = next == from_.begin() ? 0 : static_cast<size_t>(next - from_.begin()) - 1;
    return to_[bar] + (at - from_[bar]);
  }

 private:
  const std::vector<Ticks>& from_;
  const std::vector<Ticks>& to_;
};

// All voices have equally many bars: each bar is as long as the longest.
Grid AlignedGrid(std::span<const Grid> grids, AbcWarnings* warnings) {
  Grid grid = grids.front();
  for (const Grid& other : grids.subspan(1)) {
    for (size_t i = 0; i < grid.lines.size(); ++i) Merge(other.lines[i], &grid.lines[i]);
  }
  int uneven = 0;
  size_t first_uneven = 0;
  for (size_t i = 0; i + 1 < grid.at.size(); ++i) {
    Ticks longest = 0;
    Ticks shortest = INT64_MAX;
    for (const Grid& other : grids) {
      longest = std::max(longest, other.at[i + 1] - other.at[i]);
      shortest = std::min(shortest, other.at[i + 1] - other.at[i]);
    }
    grid.at[i + 1] = grid.at[i] + longest;
    if (longest != shortest && uneven++ == 0) first_uneven = i;
  }
  if (uneven > 0) {
    warnings->Add(absl::StrCat("bars in which the voices differ in length: ", uneven,
                               ", the first of them the ", first_uneven + 1,
                               ". of the tune; the shorter voices wait"));
  }
  return grid;
}

// The voices have bars of their own: those of the voice with the most of them count, and what else
// is at a bar line of another voice cuts them.
Grid UnitedGrid(std::span<const Grid> grids) {
  size_t main = 0;
  Ticks end = 0;
  for (size_t i = 0; i < grids.size(); ++i) {
    if (grids[i].at.size() > grids[main].at.size()) main = i;
    end = std::max(end, grids[i].at.back());
  }
  std::vector<std::pair<Ticks, const AbcBarLine*>> lines;
  const AbcBarLine plain;
  for (size_t i = 0; i < grids.size(); ++i) {
    for (size_t k = 0; k < grids[i].at.size(); ++k) {
      const AbcBarLine& line = grids[i].lines[k];
      const bool sign =
          line.ends_repeat > 0 || line.starts_repeat > 0 || !line.ending.empty() || line.label != 0;
      if (i == main || sign) lines.emplace_back(grids[i].at[k], &line);
    }
  }
  lines.emplace_back(end, &plain);
  std::stable_sort(lines.begin(), lines.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  Grid grid;
  for (const auto& [at, line] : lines) {
    if (grid.at.empty() || grid.at.back() != at) {
      grid.at.push_back(at);
      grid.lines.emplace_back();
    }
    Merge(*line, &grid.lines.back());
  }
  return grid;
}

// Gives the bars numbers: 0 for an upbeat, else from 1; both halves of a bar that is cut have one.
void NumberBars(std::span<const AbcBarLine> lines, std::span<const Written<AbcMetre>> metres,
                std::vector<WrittenBar>* bars) {
  size_t next_metre = 0;
  Ticks full = 0;  // of the metre; 0: free
  Ticks filled = 0;
  int number = 0;
  for (size_t i = 0; i < bars->size(); ++i) {
    WrittenBar& bar = (*bars)[i];
    for (; next_metre < metres.size() && metres[next_metre].at <= bar.start; ++next_metre) {
      const AbcMetre& metre = metres[next_metre].value;
      full =
          metre.free ? 0 : 4 * kTicksPerQuarter * metre.metre.numerator / metre.metre.denominator;
    }
    const bool upbeat = i == 0 && bar.length < full && bars->size() > 1;
    const bool rest_of_bar = number > 0 && filled < full && filled + bar.length <= full &&
                             lines[i].ending.empty() &&
                             (lines[i].thick || lines[i].ends_repeat > 0 ||
                              lines[i].starts_repeat > 0 || lines[i].label != 0);
    if (!upbeat && !rest_of_bar) {
      ++number;
      filled = 0;
    }
    filled += upbeat ? 0 : bar.length;
    bar.number = absl::StrCat(number);
  }
}

// Puts segno, coda, fine and jumps at bars.
void ApplySigns(std::span<const AbcSignAt> signs, std::vector<WrittenBar>* bars,
                AbcWarnings* warnings) {
  const int last = static_cast<int>(bars->size()) - 1;
  // The bar with the time; `behind`: the one that ends with it, if one does.
  const auto bar_at = [&](Ticks at, bool behind) {
    const auto next =
        std::upper_bound(bars->begin(), bars->end(), behind ? at - 1 : at,
                         [](Ticks time, const WrittenBar& bar) { return time < bar.start; });
    return std::clamp(static_cast<int>(next - bars->begin()) - 1, 0, last);
  };
  const auto count = [&](AbcSign sign) {
    return std::count_if(signs.begin(), signs.end(),
                         [&](const AbcSignAt& other) { return other.sign == sign; });
  };
  const int64_t codas = count(AbcSign::kCoda);
  const int64_t to_codas = count(AbcSign::kDaCoda);
  int64_t coda = 0;
  for (const AbcSignAt& sign : signs) {
    const int at = bar_at(sign.at, sign.behind);
    const bool at_start = !sign.behind && (*bars)[at].start == sign.at;
    switch (sign.sign) {
      case AbcSign::kSegno:
        (*bars)[bar_at(sign.at, false)].segno = true;
        break;
      case AbcSign::kFine:
        (*bars)[at].fine = true;
        break;
      case AbcSign::kDaCapo:
        (*bars)[at].da_capo = true;
        break;
      case AbcSign::kDalSegno:
        (*bars)[at].dal_segno = true;
        break;
      case AbcSign::kDaCoda:
        // Beside two signs of the coda it is a word at the jump back.
        if (codas == 1) (*bars)[at].to_coda = true;
        break;
      case AbcSign::kCoda:
        // The last one begins the coda; one before it says where to leave for it.
        if (++coda == codas && (codas > 1 || to_codas > 0)) {
          (*bars)[bar_at(sign.at, false)].coda = true;
        } else if (codas > 1) {
          (*bars)[at_start ? std::max(0, at - 1) : at].to_coda = true;
        } else {
          warnings->Add("a coda sign without a second one is passed over");
        }
        break;
    }
  }
}

template <typename Value>
void SortByTime(std::vector<Written<Value>>* changes) {
  std::stable_sort(changes->begin(), changes->end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
}

// Of changes at one time the first counts; what changes nothing goes.
template <typename Value, typename Same>
void Tidy(std::vector<Written<Value>>* changes, Same&& same) {
  SortByTime(changes);
  std::vector<Written<Value>> kept;
  for (const Written<Value>& change : *changes) {
    if (!kept.empty() && (kept.back().at == change.at || same(kept.back().value, change.value)))
      continue;
    kept.push_back(change);
  }
  *changes = std::move(kept);
}

struct Changes {
  std::vector<Written<AbcMetre>> metres;
  std::vector<AbcSignAt> signs;
};

// Moves one voice into the score.
void AddPart(AbcPart part, const TimeShift& shift, WrittenScore* score, Changes* changes) {
  const int index = static_cast<int>(score->parts.size());
  for (WrittenNote note : part.voice.notes) {
    note.onset = shift(note.onset);
    note.part = index;
    score->notes.push_back(note);
  }
  // Of changes at one time in one voice the last counts.
  const auto add = [&](auto& from, auto* into) {
    for (size_t i = 0; i < from.size(); ++i) {
      if (i + 1 < from.size() && from[i + 1].at == from[i].at) continue;
      if (from[i].at > 0 && from[i].at >= part.voice.end) continue;  // no music follows
      from[i].at = shift(from[i].at);
      into->push_back(from[i]);
    }
  };
  add(part.voice.metres, &changes->metres);
  add(part.voice.keys, &score->keys);
  add(part.voice.tempi, &score->tempi);
  for (AbcSignAt sign : part.voice.signs) {
    // What is behind a bar stays with it, where the next one begins later.
    sign.at = sign.behind && sign.at > 0 ? shift(sign.at - 1) + 1 : shift(sign.at);
    changes->signs.push_back(sign);
  }
  score->unpitched_notes += part.voice.unpitched;
  score->parts.push_back(std::move(part.part));
}

void FinishChanges(Changes* changes, WrittenScore* score) {
  Tidy(&changes->metres, [](const AbcMetre& a, const AbcMetre& b) {
    return a.free == b.free && a.metre.numerator == b.metre.numerator &&
           a.metre.denominator == b.metre.denominator;
  });
  for (const Written<AbcMetre>& metre : changes->metres) {
    if (!metre.value.free) score->metres.push_back({metre.at, metre.value.metre});
  }
  Tidy(&score->keys,
       [](const Key& a, const Key& b) { return a.fifths == b.fifths && a.minor == b.minor; });
  Tidy(&score->tempi, [](double a, double b) { return a == b; });
  std::stable_sort(
      score->notes.begin(), score->notes.end(), [](const WrittenNote& a, const WrittenNote& b) {
        return std::tuple(a.onset, -a.grace, a.pitch) < std::tuple(b.onset, -b.grace, b.pitch);
      });
  // The same sign in several voices is one.
  std::stable_sort(changes->signs.begin(), changes->signs.end(),
                   [](const AbcSignAt& a, const AbcSignAt& b) {
                     return std::tuple(a.at, a.sign, a.behind) < std::tuple(b.at, b.sign, b.behind);
                   });
  changes->signs.erase(std::unique(changes->signs.begin(), changes->signs.end(),
                                   [](const AbcSignAt& a, const AbcSignAt& b) {
                                     return a.at == b.at && a.sign == b.sign &&
                                            a.behind == b.behind;
                                   }),
                       changes->signs.end());
}

}  // namespace

absl::Status AssembleAbcScore(std::vector<AbcPart> parts, const std::string& order,
                              const NotationLimits& limits, AbcWarnings* warnings,
                              WrittenScore* score) {
  std::vector<Grid> grids;
  grids.reserve(parts.size());
  for (const AbcPart& part : parts) grids.push_back(GridOf(part.voice));
  const bool aligned = std::all_of(grids.begin(), grids.end(), [&](const Grid& grid) {
    return grid.at.size() == grids.front().at.size();
  });
  if (!aligned) warnings->Add("the voices have different numbers of bars");
  const Grid grid = aligned ? AlignedGrid(grids, warnings) : UnitedGrid(grids);
  const size_t bars = grid.at.size() - 1;
  if (bars > static_cast<size_t>(limits.max_bars))
    return absl::ResourceExhaustedError(absl::StrCat("more than ", limits.max_bars, " bars"));

  Changes changes;
  for (size_t i = 0; i < parts.size(); ++i) {
    AddPart(std::move(parts[i]), TimeShift(grids[i].at, aligned ? grid.at : grids[i].at), score,
            &changes);
  }
  if (score->notes.size() > static_cast<size_t>(limits.max_notes))
    return absl::ResourceExhaustedError(absl::StrCat("more than ", limits.max_notes, " notes"));
  FinishChanges(&changes, score);
  for (size_t i = 0; i < bars; ++i) {
    WrittenBar bar;
    bar.start = grid.at[i];
    bar.length = grid.at[i + 1] - grid.at[i];
    score->bars.push_back(std::move(bar));
  }
  NumberBars(grid.lines, changes.metres, &score->bars);
  ApplyAbcRepeats(grid.lines, &score->bars, warnings);
  ApplySigns(changes.signs, &score->bars, warnings);
  if (!order.empty()) {
    ASSIGN_OR_RETURN(score->order,
                     OrderOfAbcParts(order, grid.lines, score->bars, limits, warnings));
  }
  return absl::OkStatus();
}

}  // namespace antiphon::notation
