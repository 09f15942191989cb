#include "server/settings.h"

#include <optional>
#include <type_traits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "server/options.h"
#include "server/similar_name.h"

namespace antiphon::server {
namespace {

absl::string_view KindOf(const Setting& setting) {
  struct Namer {
    absl::string_view operator()(const Setting::Unread&) const { return "text"; }
    absl::string_view operator()(const std::string&) const { return "text"; }
    absl::string_view operator()(bool value) const { return value ? "true" : "false"; }
    absl::string_view operator()(int64_t) const { return "a whole number"; }
    absl::string_view operator()(double) const { return "a number with a fraction"; }
    absl::string_view operator()(const Setting::NoValue& none) const { return none.kind; }
  };
  return std::visit(Namer{}, setting.value);
}

// Gives the option of a setting its value. A visitor of the options.
class Assigner {
 public:
  explicit Assigner(const Setting& setting) : setting_(setting) {}

  bool found() const { return found_; }                    // that there is such an option
  const std::string& problem() const { return problem_; }  // empty: the value was taken
  const std::string& option() const { return option_; }

  void Text(absl::string_view name, std::string& value, absl::string_view allowed,
            absl::string_view) {
    if (!Is(name)) return;
    const int64_t* number = std::get_if<int64_t>(&setting_.value);
    if (const std::string* text = GivenText()) {
      value = *text;
    } else if (number != nullptr && *number == 0) {
      value = absl::StrCat(*number);  // metrics-listen = 0; no other option takes it
    } else {
      Refuse("text in quotes", allowed);
    }
  }

  template <typename T>
  void Number(absl::string_view name, T& value, const Range<T>& range, absl::string_view) {
    using Wide = std::conditional_t<std::is_integral_v<T>, int64_t, double>;
    if (!Is(name)) return;
    constexpr absl::string_view kWanted =
        std::is_integral_v<T> ? absl::string_view("a whole number") : "a number";
    const std::optional<Wide> number = GivenNumber<Wide>();
    if (!number) return Refuse(kWanted, Allowed(range));
    const absl::Status in_range = CheckRange(name, *number, Range<Wide>{range.low, range.high});
    if (!in_range.ok()) {
      problem_ = std::string(in_range.message());
      return;
    }
    value = static_cast<T>(*number);
  }

  template <typename Value, typename Names>
  void Choice(absl::string_view name, Value& value, const Names& names, absl::string_view) {
    if (!Is(name)) return;
    const std::string* text = GivenText();
    if (text == nullptr) return Refuse("text in quotes", Allowed(names));
    for (const auto& [choice, chosen] : names) {
      if (choice != *text) continue;
      value = chosen;
      return;
    }
    problem_ = absl::StrCat(name, ": '", *text, "' is none of ", Plain(Allowed(names)));
  }

  void Switch(absl::string_view name, bool& value, absl::string_view) {
    // A file may say no-warmup = true, as the flag does.
    const bool negated = setting_.option == absl::StrCat("no-", name);
    if (!negated && !Is(name)) return;
    found_ = true;
    option_ = std::string(name);
    std::optional<bool> on;
    if (const bool* given = std::get_if<bool>(&setting_.value)) on = *given;
    if (const auto* unread = std::get_if<Setting::Unread>(&setting_.value))
      on = ReadSwitch(unread->text);
    if (!on) return Refuse("true or false", "");
    if (negated && !*on) {
      problem_ = absl::StrCat("no-", name, ": false says it twice; write ", name, " = true");
      return;
    }
    value = *on != negated;
  }

 private:
  bool Is(absl::string_view name) {
    if (setting_.option != name) return false;
    found_ = true;
    option_ = std::string(name);
    return true;
  }

  const std::string* GivenText() const {
    if (const auto* unread = std::get_if<Setting::Unread>(&setting_.value)) return &unread->text;
    return std::get_if<std::string>(&setting_.value);
  }

  template <typename T>
  std::optional<T> GivenNumber() const {
    T value{};
    if (const auto* unread = std::get_if<Setting::Unread>(&setting_.value)) {
      bool read = false;
      if constexpr (std::is_integral_v<T>) {
        read = absl::SimpleAtoi(unread->text, &value);
      } else {
        read = absl::SimpleAtod(unread->text, &value);
      }
      return read ? std::optional<T>(value) : std::nullopt;
    }
    if (const T* number = std::get_if<T>(&setting_.value)) return *number;
    if constexpr (!std::is_integral_v<T>) {
      if (const auto* whole = std::get_if<int64_t>(&setting_.value)) return static_cast<T>(*whole);
    }
    return std::nullopt;
  }

  void Refuse(absl::string_view wanted, absl::string_view allowed) {
    problem_ = absl::StrCat(setting_.option, ": takes ", wanted);
    if (!allowed.empty()) absl::StrAppend(&problem_, " (", Plain(allowed), ")");
    const auto* unread = std::get_if<Setting::Unread>(&setting_.value);
    if (unread != nullptr) {
      absl::StrAppend(&problem_, ", and not '", unread->text, "'");
    } else {
      absl::StrAppend(&problem_, ", and not ", KindOf(setting_));
    }
  }

  const Setting& setting_;
  bool found_ = false;
  std::string option_;
  std::string problem_;
};

std::string NoSuchOption(const Setting& setting) {
  const auto* none = std::get_if<Setting::NoValue>(&setting.value);
  if (none != nullptr && none->kind == Setting::kTable) {
    return absl::StrCat(setting.option,
                        ": is a table, and the options stand at the top of the file, in none");
  }
  std::string message = absl::StrCat(setting.option, ": there is no such option");
  if (const auto similar = SimilarName(setting.option, OptionNames()))
    absl::StrAppend(&message, "; did you mean ", *similar, "?");
  return message;
}

std::string From(absl::string_view message, absl::string_view origin) {
  return origin.empty() ? std::string(message) : absl::StrCat(message, " (from ", origin, ")");
}

}  // namespace

std::optional<bool> ReadSwitch(const std::string& text) {
  const std::string lower = absl::AsciiStrToLower(text);
  if (lower == "on") return true;
  if (lower == "off") return false;
  bool value = false;
  return absl::SimpleAtob(lower, &value) ? std::optional(value) : std::nullopt;
}

void Settings::Add(const std::vector<Setting>& source) {
  for (const Setting& setting : source) {
    Assigner assigner(setting);
    VisitOptions(config_, assigner);
    if (!assigner.found()) {
      problems_.push_back({From(NoSuchOption(setting), setting.origin), {setting.option}});
    } else if (!assigner.problem().empty()) {
      problems_.push_back({From(assigner.problem(), setting.origin), {assigner.option()}});
    } else {
      origins_[assigner.option()] = setting.origin;
    }
  }
}

std::string Settings::Describe(const ConfigProblem& problem) const {
  std::vector<std::string> origins;
  for (const std::string& option : problem.options) {
    const auto origin = origins_.find(option);
    if (origin == origins_.end()) continue;
    origins.push_back(problem.options.size() == 1 ? origin->second
                                                  : absl::StrCat(option, ": ", origin->second));
  }
  return From(problem.message, absl::StrJoin(origins, ", "));
}

}  // namespace antiphon::server
