#include "core/humdrum/humdrum_form.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/music/midi_text.h"

namespace antiphon::notation {
namespace {

// A place where a bar may begin.
struct Mark {
  Ticks at = 0;
  std::string number;
  bool ends_repeat = false;
  bool starts_repeat = false;
  bool section = false;

  bool binding() const { return section || ends_repeat || starts_repeat; }
};

// The places in order, those at one time as one. Requires sorted parts of the form.
std::vector<Mark> Marks(const HumdrumForm& form, Ticks end) {
  std::vector<Mark> marks(1);
  size_t section = 0;
  const auto at = [&marks](Ticks time) -> Mark& {
    if (marks.back().at < time) marks.emplace_back().at = time;
    return marks.back();
  };
  const auto sections_until = [&](Ticks time) {
    for (; section < form.sections.size() && form.sections[section].at <= time; ++section) {
      at(form.sections[section].at).section = true;
    }
  };
  for (const auto& [time, line] : form.bars) {
    sections_until(time - 1);
    Mark& mark = at(time);
    if (!line.number.empty()) mark.number = line.number;
    mark.ends_repeat = mark.ends_repeat || line.ends_repeat;
    mark.starts_repeat = mark.starts_repeat || line.starts_repeat;
  }
  sections_until(end);
  at(end);
  return marks;
}

std::optional<int> NumberOf(const std::string& label) {
  int number = 0;
  const size_t digits = std::min(label.find_first_not_of("0123456789"), label.size());
  if (!absl::SimpleAtoi(absl::string_view(label).substr(0, digits), &number)) return std::nullopt;
  return number;
}

// Length of a full bar at a time.
class BarLengths {
 public:
  explicit BarLengths(const std::vector<Written<Metre>>& metres) : metres_(metres) {}

  // Times must rise from call to call.
  Ticks At(Ticks time) {
    while (next_ < metres_.size() && metres_[next_].at <= time) {
      const Metre& metre = metres_[next_++].value;
      length_ = 4 * kTicksPerQuarter * metre.numerator / metre.denominator;
    }
    return length_;
  }

 private:
  const std::vector<Written<Metre>>& metres_;
  size_t next_ = 0;
  Ticks length_ = 4 * kTicksPerQuarter;
};

// The number of a bar that has none in the file: the rest of a bar that a repeat sign divides has
// that bar's, and one between 7 and 9 is 8.
std::string MissingNumber(const std::vector<Mark>& marks, size_t index, const WrittenBar* before,
                          bool before_is_full) {
  std::optional<int> next;
  for (size_t i = index + 1; i < marks.size() && i <= index + 2; ++i) {
    if (marks[i].number.empty()) continue;
    next = NumberOf(marks[i].number);
    break;
  }
  if (before == nullptr) {
    return next.has_value() && *next > 0 ? absl::StrCat(*next - 1) : "";
  }
  if (!before_is_full) return before->number;
  const std::optional<int> last = NumberOf(before->number);
  if (last.has_value() && next.has_value() && *next == *last + 2) return absl::StrCat(*last + 1);
  return "";
}

absl::Status TooManyBars(const NotationLimits& limits) {
  return absl::ResourceExhaustedError(absl::StrCat("it has more than ", limits.max_bars, " bars"));
}

absl::Status MakeBars(std::vector<Mark> marks, const NotationLimits& limits, WrittenScore* score) {
  BarLengths lengths(score->metres);
  const bool numbered = std::any_of(marks.begin(), marks.end(),
                                    [](const Mark& mark) { return !mark.number.empty(); });
  std::vector<WrittenBar>& bars = score->bars;
  for (size_t i = 0; i + 1 < marks.size(); ++i) {
    const Mark& mark = marks[i];
    const Ticks until = marks[i + 1].at;
    const WrittenBar* before = bars.empty() ? nullptr : &bars.back();
    const bool full = before == nullptr || before->length >= lengths.At(before->start);
    // A line within a bar, for the eye only.
    if (before != nullptr && numbered && mark.number.empty() && !full && !mark.binding()) {
      bars.back().length = until - bars.back().start;
      if (marks[i + 1].ends_repeat) bars.back().plays = 2;
      continue;
    }
    if (static_cast<int64_t>(bars.size()) >= limits.max_bars) return TooManyBars(limits);
    WrittenBar bar;
    bar.start = mark.at;
    bar.length = until - mark.at;
    bar.number = mark.number.empty() ? MissingNumber(marks, i, before, full) : mark.number;
    bar.starts_repeat = mark.starts_repeat;
    bar.plays = marks[i + 1].ends_repeat ? 2 : 1;
    bars.push_back(std::move(bar));
  }
  return absl::OkStatus();
}

// A stretch of bars with a name.
struct Section {
  std::string name;
  int begin = 0;
  int end = 0;
};

// A name that comes again at another place goes on with its section.
std::vector<Section> Sections(const HumdrumForm& form, const std::vector<WrittenBar>& bars) {
  std::vector<Section> sections;
  int bar = 0;
  const int count = static_cast<int>(bars.size());
  for (const auto& [at, name] : form.sections) {
    while (bar < count && bars[static_cast<size_t>(bar)].start < at) ++bar;
    if (bar == count) break;
    if (!sections.empty() && sections.back().name == name) continue;
    if (!sections.empty()) sections.back().end = bar;
    sections.push_back({name, bar, count});
  }
  return sections;
}

using SectionIndex = std::map<std::string, const Section*, std::less<>>;

// The sections that a word of the list names: one, or several without commas ("AABB"). Nothing if
// it names what isn't there.
std::optional<std::vector<const Section*>> Named(absl::string_view word,
                                                 const SectionIndex& index) {
  if (const auto found = index.find(word); found != index.end()) return {{found->second}};
  std::vector<const Section*> named;
  while (!word.empty()) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(word[0]))) {
      word.remove_prefix(1);
      continue;
    }
    auto found = index.end();
    for (size_t length = std::min<size_t>(word.size(), 8); length > 0 && found == index.end();
         --length) {
      found = index.find(word.substr(0, length));
    }
    if (found == index.end()) return std::nullopt;
    named.push_back(found->second);
    word.remove_prefix(found->first.size());
  }
  return named;
}

std::string Quoted(absl::string_view name) {
  return absl::StrCat("\"", music::CleanMidiText(std::string(name.substr(0, 40))), "\"");
}

absl::Status SetOrder(absl::string_view list, const std::vector<Section>& sections,
                      const NotationLimits& limits, WrittenScore* score) {
  SectionIndex index;
  for (const Section& section : sections) index.emplace(section.name, &section);
  std::map<const Section*, bool> played;
  std::string missing;
  std::vector<int> order;
  const auto play = [&](int begin, int end) {
    if (static_cast<int64_t>(order.size()) + end - begin > limits.max_bars) return false;
    for (int bar = begin; bar < end; ++bar) order.push_back(bar);
    return true;
  };
  if (!sections.empty() && !play(0, sections.front().begin)) return TooManyBars(limits);
  for (const absl::string_view word : absl::StrSplit(list, ',', absl::SkipWhitespace())) {
    const auto named = Named(absl::StripAsciiWhitespace(word), index);
    if (!named.has_value()) {
      if (missing.empty()) missing = Quoted(word);
      continue;
    }
    for (const Section* section : *named) {
      if (!play(section->begin, section->end)) return TooManyBars(limits);
      played[section] = true;
    }
  }
  if (!missing.empty()) {
    score->warnings.push_back(absl::StrCat("the expansion list names section ", missing,
                                           ", which isn't there",
                                           played.empty() ? ": the repeat signs count" : ""));
  }
  if (played.empty()) return absl::OkStatus();
  for (const Section& section : sections) {
    if (section.begin < section.end && !played.contains(&section)) {
      score->warnings.push_back(
          absl::StrCat("section ", Quoted(section.name), " is not in the expansion list"));
      break;
    }
  }
  score->order = std::move(order);
  return absl::OkStatus();
}

// Sections A1, A2 after each other are the endings of what is before them.
void SetEndings(const std::vector<Section>& sections, std::vector<WrittenBar>* bars) {
  const auto pass = [](const Section& section) {
    const std::string& name = section.name;
    const bool ending = name.size() == 2 && absl::ascii_isupper(name[0]) &&
                        absl::ascii_isdigit(name[1]) && name[1] != '0';
    return ending ? name[1] - '0' : 0;
  };
  for (size_t i = 0; i < sections.size();) {
    size_t last = i;
    while (last < sections.size() && pass(sections[last]) == static_cast<int>(last - i) + 1 &&
           sections[last].name[0] == sections[i].name[0] &&
           sections[last].begin < sections[last].end) {
      ++last;
    }
    for (size_t k = i; last > i + 1 && k < last; ++k) {
      for (int bar = sections[k].begin; bar < sections[k].end; ++bar) {
        // The last ending goes no further than its own repeat or one bar: what follows it has no
        // name of its own in some files.
        if (k + 1 == last && bar > sections[k].begin) break;
        (*bars)[static_cast<size_t>(bar)].endings = {static_cast<int>(k - i) + 1};
      }
      WrittenBar& end = (*bars)[static_cast<size_t>(sections[k].end) - 1];
      if (k + 1 < last) end.plays = std::max(end.plays, 2);
    }
    i = std::max(last, i + 1);
  }
}

}  // namespace

absl::Status SetBars(const HumdrumForm& form, const HumdrumOrder& order, Ticks end,
                     const NotationLimits& limits, WrittenScore* score) {
  std::vector<Mark> marks = Marks(form, end);
  if (order.already_played) {
    for (Mark& mark : marks) mark.ends_repeat = mark.starts_repeat = false;
  }
  RETURN_IF_ERROR(MakeBars(std::move(marks), limits, score));
  if (order.already_played) return absl::OkStatus();
  const std::vector<Section> sections = Sections(form, score->bars);
  SetEndings(sections, &score->bars);
  if (!order.list.empty()) {
    RETURN_IF_ERROR(SetOrder(order.list, sections, limits, score));
  }
  if (order.has_variants) {
    score->warnings.emplace_back(
        order.list.empty() ? "only variants of an expansion list are given: the repeat signs count"
                           : "the expansion list's variants (such as norep) are not used");
  }
  return absl::OkStatus();
}

}  // namespace antiphon::notation
