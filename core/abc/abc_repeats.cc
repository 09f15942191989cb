#include "core/abc/abc_repeats.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace antiphon::notation {
namespace {

// Goes along the bar lines and closes one repeated section after the other.
class Sections {
 public:
  Sections(std::vector<WrittenBar>* bars, AbcWarnings* warnings)
      : bars_(*bars), warnings_(*warnings) {}

  // The line before bar `index`.
  void Meet(const AbcBarLine& line, int index) {
    index_ = index;
    if (line.ends_repeat > 0 && index > 0) EndRepeat(line);
    const bool closes = line.starts_repeat > 0 || line.label != 0;
    if (in_ending_ && (closes || (line.thick && line.ending.empty()))) {
      CloseEnding(/*repeats=*/false);
      Finish();
    }
    if (line.starts_repeat > 0) StartRepeat(line);
    if (line.ends_repeat > 0 || line.thick || line.label != 0) implied_ = index;
    if (!line.ending.empty()) StartEnding(line);
  }

  // Behind the last bar.
  void End(int index) {
    index_ = index;
    if (in_ending_) CloseEnding(/*repeats=*/false);
    if (explicit_start_ && endings_.empty()) {
      warnings_.Add(absl::StrCat("the repeat that begins at bar ", Number(start_),
                                 " does not end; it is played once"));
    }
    Finish();
  }

 private:
  struct Ending {
    int first = 0;  // bars
    int last = 0;   // one behind
    std::vector<int> numbers;
    bool repeats = false;  // :| behind it
  };

  std::string Number(int bar) const {
    return bar < static_cast<int>(bars_.size()) ? bars_[bar].number : "";
  }

  void EndRepeat(const AbcBarLine& line) {
    if (in_ending_) {
      CloseEnding(/*repeats=*/true);
      if (line.ending.empty()) Finish();
      return;
    }
    if (!explicit_start_) start_ = implied_;
    if (start_ < index_) {
      bars_[start_].starts_repeat = true;
      bars_[index_ - 1].plays = 1 + std::max(line.ends_repeat, colons_);
    }
    explicit_start_ = false;
    colons_ = 0;
    Finish();
  }

  void StartRepeat(const AbcBarLine& line) {
    if (explicit_start_ && endings_.empty() && start_ < index_) {
      warnings_.Add(absl::StrCat("a repeat begins at bar ", Number(index_), " before that of bar ",
                                 Number(start_), " has ended; it is taken to end there"));
      bars_[start_].starts_repeat = true;
      bars_[index_ - 1].plays = 1 + colons_;
    }
    Finish();
    explicit_start_ = true;
    start_ = index_;
    colons_ = line.starts_repeat;
  }

  void StartEnding(const AbcBarLine& line) {
    if (in_ending_) {  // |1 ... |2
      warnings_.Add(absl::StrCat("an ending begins at bar ", Number(index_),
                                 " with no :| before it, which is put there"));
      CloseEnding(/*repeats=*/true);
    }
    if (endings_.empty() && !explicit_start_) start_ = line.ends_repeat > 0 ? index_ : implied_;
    in_ending_ = true;
    endings_.push_back({index_, index_, line.ending, false});
  }

  void CloseEnding(bool repeats) {
    in_ending_ = false;
    endings_.back().last = index_;
    endings_.back().repeats = repeats;
    if (endings_.back().first == index_) endings_.pop_back();
  }

  // Writes the endings of the section to the bars.
  void Finish() {
    if (!endings_.empty()) WriteEndings();
    endings_.clear();
    explicit_start_ = false;
    start_ = index_;
    colons_ = 0;
  }

  void WriteEndings() {
    bool repeated = false;
    std::set<int> numbers;
    for (const Ending& ending : endings_) {
      repeated |= ending.repeats;
      numbers.insert(ending.numbers.begin(), ending.numbers.end());
    }
    const int most = *numbers.rbegin();
    // A pass without an ending would never come to the next one.
    if (!repeated || *numbers.begin() != 1 || most != static_cast<int>(numbers.size())) {
      warnings_.Add(
          absl::StrCat("the ending at bar ", Number(endings_.front().first),
                       repeated ? " is one of which others are missing" : " belongs to no repeat",
                       "; it is played as other bars"));
      return;
    }
    // With one ending alone, the last pass leaves it out.
    const int passes = endings_.size() == 1 ? most + 1 : most;
    bars_[start_].starts_repeat = true;
    for (const Ending& ending : endings_) {
      for (int i = ending.first; i < ending.last; ++i) bars_[i].endings = ending.numbers;
      // The last pass goes on, whether or not :| stands there.
      if (ending.repeats || ending.numbers.front() < most) bars_[ending.last - 1].plays = passes;
    }
  }

  std::vector<WrittenBar>& bars_;
  AbcWarnings& warnings_;
  int index_ = 0;
  int start_ = 0;  // of the section
  bool explicit_start_ = false;
  int colons_ = 0;   // of |: or |::
  int implied_ = 0;  // where a repeat without |: begins
  bool in_ending_ = false;
  std::vector<Ending> endings_;
};

// Plays bars [first, last) with their repeats.
absl::Status Unfold(std::span<const WrittenBar> bars, int first, int last, int64_t* steps_left,
                    std::vector<int>* order) {
  int start = first;
  int pass = 1;
  for (int i = first; i < last; ++i) {
    if (--*steps_left < 0)
      return absl::ResourceExhaustedError("P: makes the tune longer than the limit of bars");
    const WrittenBar& bar = bars[i];
    if (bar.starts_repeat && i != start) {
      start = i;
      pass = 1;
    }
    if (!bar.endings.empty() && !std::binary_search(bar.endings.begin(), bar.endings.end(), pass))
      continue;
    order->push_back(i);
    if (pass < bar.plays) {
      ++pass;
      i = start - 1;
    }
  }
  return absl::OkStatus();
}

}  // namespace

void ApplyAbcRepeats(std::span<const AbcBarLine> lines, std::vector<WrittenBar>* bars,
                     AbcWarnings* warnings) {
  Sections sections(bars, warnings);
  const int count = static_cast<int>(bars->size());
  for (int i = 0; i < count; ++i) sections.Meet(lines[i], i);
  AbcBarLine last = lines[count];
  last.starts_repeat = 0;
  last.ending.clear();
  sections.Meet(last, count);
  sections.End(count);
}

absl::StatusOr<std::vector<int>> OrderOfAbcParts(std::string_view order,
                                                 std::span<const AbcBarLine> lines,
                                                 std::span<const WrittenBar> bars,
                                                 const NotationLimits& limits,
                                                 AbcWarnings* warnings) {
  const int count = static_cast<int>(bars.size());
  std::map<char, std::pair<int, int>> parts;
  std::vector<int> starts;
  for (int i = 0; i < count; ++i) {
    if (lines[i].label != 0) starts.push_back(i);
  }
  starts.push_back(count);
  for (size_t i = 0; i + 1 < starts.size(); ++i)
    parts.try_emplace(lines[starts[i]].label, starts[i], starts[i + 1]);

  std::vector<int> played;
  std::string missing;
  int64_t steps_left = limits.max_bars;
  RETURN_IF_ERROR(Unfold(bars, 0, starts.front(), &steps_left, &played));
  bool any = false;
  for (const char label : order) {
    const auto found = parts.find(label);
    if (found == parts.end()) {
      if (missing.find(label) == std::string::npos) missing += label;
      continue;
    }
    any = true;
    RETURN_IF_ERROR(Unfold(bars, found->second.first, found->second.second, &steps_left, &played));
  }
  if (!any) return std::vector<int>{};
  if (!missing.empty())
    warnings->Add(absl::StrCat("parts in the order of P: that the tune has not: ", missing));
  return played;
}

}  // namespace antiphon::notation
