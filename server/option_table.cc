#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "server/options.h"

namespace antiphon::server {
namespace {

// With commas between thousands, from five digits on.
template <typename T>
std::string Grouped(T value) {
  if (value < 10'000) return absl::StrCat(value);
  std::string text = absl::StrCat(static_cast<int64_t>(value));
  for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3) text.insert(at, ",");
  return text;
}

template <typename T>
std::string LowToHigh(const Range<T>& range) {
  return absl::StrCat(Grouped(range.low), " to ", Grouped(range.high));
}

// A bar would end the cell.
std::string Cell(absl::string_view text) { return absl::StrReplaceAll(text, {{"|", "\\|"}}); }

class TableWriter {
 public:
  void Text(absl::string_view name, const std::string& value, absl::string_view allowed,
            absl::string_view meaning) {
    Row(Flag(name), name, value.empty() ? "none" : absl::StrCat("`", value, "`"), allowed, meaning);
  }
  template <typename T>
  void Number(absl::string_view name, T value, const Range<T>& range, absl::string_view meaning) {
    Row(Flag(name), name, absl::StrCat(value), Allowed(range), meaning);
  }
  template <typename Value, typename Names>
  void Choice(absl::string_view name, Value value, const Names& names, absl::string_view meaning) {
    Row(Flag(name), name, absl::StrCat("`", NameOf(names, value), "`"), Allowed(names), meaning);
  }
  void Switch(absl::string_view name, bool value, absl::string_view meaning) {
    Row(absl::StrCat(Flag(name), ", ", Flag(absl::StrCat("no-", name))), name,
        value ? "true" : "false", "true, false", meaning);
  }

  std::string text() const { return absl::StrCat(absl::StrJoin(rows_, "\n"), "\n"); }

 private:
  static std::string Flag(absl::string_view name) { return absl::StrCat("`--", name, "`"); }

  void Row(absl::string_view flag, absl::string_view name, absl::string_view value,
           absl::string_view allowed, absl::string_view meaning) {
    rows_.push_back(absl::StrCat("| ", flag, " | `", EnvironmentName(name), "` | ", value, " | ",
                                 Cell(allowed), " | ", Cell(meaning), " |"));
  }

  std::vector<std::string> rows_ = {"| Flag | Environment | Default | Range | Meaning |",
                                    "| --- | --- | --- | --- | --- |"};
};

struct NameCollector {
  std::vector<std::string> names;

  void Text(absl::string_view name, absl::string_view, absl::string_view, absl::string_view) {
    names.emplace_back(name);
  }
  template <typename T>
  void Number(absl::string_view name, T, const Range<T>&, absl::string_view) {
    names.emplace_back(name);
  }
  template <typename Value, typename Names>
  void Choice(absl::string_view name, Value, const Names&, absl::string_view) {
    names.emplace_back(name);
  }
  void Switch(absl::string_view name, bool, absl::string_view) { names.emplace_back(name); }
};

}  // namespace

std::vector<std::string> OptionNames() {
  const Config defaults;
  NameCollector collector;
  VisitOptions(defaults, collector);
  return collector.names;
}

std::string Plain(absl::string_view text) { return absl::StrReplaceAll(text, {{"`", ""}}); }

std::string EnvironmentName(absl::string_view option) {
  return absl::StrCat("ANTIPHON_",
                      absl::AsciiStrToUpper(absl::StrReplaceAll(option, {{"-", "_"}})));
}

std::string Allowed(const Range<int>& range) { return LowToHigh(range); }
std::string Allowed(const Range<double>& range) { return LowToHigh(range); }

std::string OptionTable() {
  const Config defaults;
  TableWriter table;
  VisitOptions(defaults, table);
  return table.text();
}

}  // namespace antiphon::server
