#include "server/command_line.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "server/config_check.h"
#include "server/config_file.h"
#include "server/environment.h"
#include "server/options.h"
#include "server/runtime/version.h"
#include "server/settings.h"
#include "server/similar_name.h"
#include "server/telemetry/logging.h"

namespace antiphon::server {
namespace {

using Messages = std::vector<std::string>;

std::string Flag(absl::string_view name) { return absl::StrCat("--", name); }

// The flags: their grammar and help, and what was given. A visitor of the options.
class Flags {
 public:
  Flags();

  // Reads the arguments; false where help was asked for. What is wrong is in problems().
  bool Parse(const std::vector<std::string>& arguments);

  std::string Help() const { return app_.help(); }
  std::vector<Setting> GivenSettings() const;     // of options
  std::optional<std::string> ConfigFile() const;  // that --config names
  const std::vector<ConfigProblem>& problems() const { return problems_; }

  bool print_config = false;
  bool check_config = false;
  bool print_version = false;
  bool print_option_table = false;
  bool hash_key = false;

  void Text(absl::string_view name, const std::string& value, absl::string_view allowed,
            absl::string_view meaning) {
    AddValue(name, "TEXT", value, allowed, meaning);
  }
  template <typename T>
  void Number(absl::string_view name, T value, const Range<T>& range, absl::string_view meaning) {
    AddValue(name, std::is_integral_v<T> ? "INT" : "FLOAT", absl::StrCat(value), Allowed(range),
             meaning);
  }
  template <typename Value, typename Names>
  void Choice(absl::string_view name, Value value, const Names& names, absl::string_view meaning) {
    AddValue(name, "TEXT", NameOf(names, value), Allowed(names), meaning);
  }
  void Switch(absl::string_view name, bool value, absl::string_view meaning);

 private:
  struct Option {
    std::string name;
    bool has_value = true;  // otherwise it is a switch
    CLI::Option* given = nullptr;
  };

  void AddValue(absl::string_view name, absl::string_view type, absl::string_view value,
                absl::string_view allowed, absl::string_view meaning);
  void AddOtherActions();
  const Option* Find(absl::string_view name) const;
  Messages Split(const std::vector<std::string>& arguments);
  void Blame(absl::string_view option, absl::string_view what);
  void RefuseUnknown(const Messages& unknown);

  CLI::App app_{
      "antiphon-server: finds the score for a sound and the sound for a score, over gRPC.",
      "antiphon-server"};
  std::vector<Option> options_;
  std::vector<ConfigProblem> problems_;
};

Flags::Flags() {
  const Config defaults;
  VisitOptions(defaults, *this);
  AddValue(kConfigOption, "FILE", "", "a file",
           "TOML file with any of these options, named as the flags without the dashes");
  AddOtherActions();
  app_.allow_extras();  // and they are refused with a suggestion
  app_.footer(
      "A flag beats the environment, the environment beats the file. An empty variable is one that "
      "is not set.\n"
      "SIGTERM and SIGINT stop the server: it takes no new calls, finishes those under way within "
      "the grace\n"
      "period, and exits 0. SIGHUP makes it reload the collection, the API keys and the "
      "certificate.");
}

void Flags::AddValue(absl::string_view name, absl::string_view type, absl::string_view value,
                     absl::string_view allowed, absl::string_view meaning) {
  const std::string description = Plain(absl::StrCat(meaning, " (", allowed, ")"));
  CLI::Option* option = app_.add_option(Flag(name), description);
  option->option_text(
      absl::StrCat(type, value.empty() ? "" : "=", value, " (Env:", EnvironmentName(name), ")"));
  options_.push_back({std::string(name), /*has_value=*/true, option->take_all()});
}

void Flags::Switch(absl::string_view name, bool value, absl::string_view meaning) {
  const std::string description = Plain(meaning);
  CLI::Option* option = app_.add_flag(absl::StrCat("--", name, ",!--no-", name), description);
  option->option_text(
      absl::StrCat("[", value ? "true" : "false", "] (Env:", EnvironmentName(name), ")"));
  options_.push_back({std::string(name), /*has_value=*/false, option->take_all()});
}

// What is done instead of serving.
void Flags::AddOtherActions() {
  const auto add = [this](const char* flag, bool& asked, const char* meaning) {
    return app_.add_flag(flag, asked, meaning)->disable_flag_override();
  };
  add("--print-config", print_config, "Print the effective configuration as TOML, and exit");
  add("--check-config", check_config,
      "Check the configuration and the files that it names, print everything that is wrong, and "
      "exit");
  add("--hash-api-key", hash_key,
      "Read an API key from standard input, print its line's hash, and exit");
  add("--version", print_version, "Print the version, and exit");
  add("--print-option-table", print_option_table, "Print the table of docs/operations.md, and exit")
      ->group("");  // for scripts/generate_option_table.py: hidden from --help
}

const Flags::Option* Flags::Find(absl::string_view name) const {
  for (const Option& option : options_) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

// CLI11 takes "--snapshot-dir=" for "--snapshot-dir" and the next argument, whatever it is, for its
// value, and "--switch=" for "--switch". So that an empty value is what it looks like, it gets
// every value as an argument of its own, and switches without one; what is no value is refused
// here.
Messages Flags::Split(const std::vector<std::string>& arguments) {
  Messages split;
  for (auto at = arguments.begin(); at != arguments.end(); ++at) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(*at, absl::MaxSplits('=', 1));
    const bool has_equals = at->size() > parts.first.size();
    absl::string_view name = parts.first;
    const Option* option = absl::ConsumePrefix(&name, "--") ? Find(name) : nullptr;
    if (option != nullptr && option->has_value) {
      if (!has_equals && (at + 1 == arguments.end() || absl::StartsWith(*(at + 1), "--"))) {
        Blame(name,
              absl::StrCat("the flag --", name, " needs a value; one that begins with dashes ",
                           "is given as --", name, "=VALUE"));
        continue;
      }
      split.push_back(parts.first);
      split.push_back(has_equals ? parts.second : *++at);
    } else if (option != nullptr && has_equals) {
      const std::optional<bool> on = ReadSwitch(parts.second);
      if (on) split.push_back(Flag(absl::StrCat(*on ? "" : "no-", name)));
      if (!on)
        Blame(name, absl::StrCat("--", name, " takes true or false, and not '", parts.second, "'"));
    } else if (has_equals && absl::ConsumePrefix(&name, "no-") && Find(name) != nullptr) {
      Blame(name,
            absl::StrCat("--no-", name, " takes no value; write --", name, " or --no-", name));
    } else {
      split.push_back(*at);
    }
  }
  return split;
}

void Flags::Blame(absl::string_view option, absl::string_view what) {
  problems_.push_back({absl::StrCat(option, ": ", what), {std::string(option)}});
}

bool Flags::Parse(const std::vector<std::string>& arguments) {
  Messages split = Split(arguments);
  std::reverse(split.begin(), split.end());  // as CLI11 wants them
  try {
    app_.parse(std::move(split));
    RefuseUnknown(app_.remaining());
  } catch (const CLI::CallForHelp&) {
    return false;
  } catch (const CLI::Error& error) {
    problems_.push_back({error.what(), {}});
  }
  return true;
}

void Flags::RefuseUnknown(const Messages& unknown) {
  Messages names = OptionNames();
  for (const Option& option : options_) {
    if (!option.has_value) names.push_back(absl::StrCat("no-", option.name));
  }
  for (const char* name :
       {kConfigOption, "print-config", "check-config", "hash-api-key", "version"})
    names.emplace_back(name);
  bool after_unknown = false;
  for (const std::string& argument : unknown) {
    absl::string_view name = argument;
    const bool is_flag = absl::ConsumePrefix(&name, "-");
    // The value of a flag that is none is no second mistake.
    if (std::exchange(after_unknown, is_flag) && !is_flag) continue;
    std::string message =
        absl::StrCat(argument, ": there is no such ", is_flag ? "flag" : "argument");
    absl::ConsumePrefix(&name, "-");
    const auto similar =
        is_flag ? SimilarName(name.substr(0, name.find('=')), names) : std::nullopt;
    if (similar) absl::StrAppend(&message, "; did you mean --", *similar, "?");
    problems_.push_back({std::move(message), {}});
  }
}

std::vector<Setting> Flags::GivenSettings() const {
  std::vector<Setting> settings;
  for (const Option& option : options_) {
    if (option.name == kConfigOption || option.given->count() == 0) continue;
    const std::string value = option.given->results().back();  // of several the last counts
    const bool negated = !option.has_value && value == "false";
    settings.push_back({option.name, Setting::Unread{value},
                        Flag(absl::StrCat(negated ? "no-" : "", option.name))});
  }
  return settings;
}

std::optional<std::string> Flags::ConfigFile() const {
  const CLI::Option* given = Find(kConfigOption)->given;
  return given->count() == 0 ? std::nullopt : std::optional(given->results().back());
}

absl::Status Refuse(const Messages& problems) {
  return absl::InvalidArgumentError(absl::StrJoin(
      problems, "\n", [](auto* out, const auto& line) { out->append(EscapeText(line)); }));
}

ParsedCommandLine Print(std::string text) {
  return {.action = ParsedCommandLine::Action::kPrint,
          .config = {},
          .text = std::move(text),
          .warnings = {}};
}

// What is done without looking at the configuration, if anything.
std::optional<ParsedCommandLine> OtherAction(const Flags& flags) {
  if (flags.print_version) return Print(absl::StrCat("antiphon-server ", Version(), "\n"));
  if (flags.print_option_table) return Print(OptionTable());
  if (!flags.hash_key) return std::nullopt;
  ParsedCommandLine parsed;
  parsed.action = ParsedCommandLine::Action::kHashKey;
  return parsed;
}

// What is wrong. A value that was not taken is not also found missing.
class ProblemList {
 public:
  // That keep a value from being taken.
  void Add(const std::vector<ConfigProblem>& problems) {
    for (const ConfigProblem& problem : problems) {
      messages_.push_back(problem.message);
      not_taken_.insert(problem.options.begin(), problem.options.end());
    }
  }

  // With the values that were.
  void AddOfValues(const std::vector<ConfigProblem>& problems, const Settings& settings) {
    for (const ConfigProblem& problem : problems) {
      const bool known =
          std::any_of(problem.options.begin(), problem.options.end(),
                      [this](const auto& name) { return not_taken_.contains(name); });
      if (!known) messages_.push_back(settings.Describe(problem));
    }
  }

  const Messages& messages() const { return messages_; }

 private:
  Messages messages_;
  std::set<std::string> not_taken_;
};

// The file that is to be read, if any.
absl::StatusOr<std::vector<Setting>> ReadFile(const Flags& flags, const Environment& environment) {
  const auto path = flags.ConfigFile() ? flags.ConfigFile() : environment.config_file;
  if (!path) return std::vector<Setting>();
  if (path->empty()) return absl::InvalidArgumentError("the name of the file is empty");
  return ReadConfigFile(*path);
}

// The three sources, one over the other, and everything that is wrong with them.
void PutTogether(const Flags& flags, const Environment& environment, Settings& settings,
                 ProblemList& problems) {
  for (const std::string& problem : environment.problems) problems.Add({{problem, {}}});
  const auto file = ReadFile(flags, environment);
  if (file.ok()) {
    settings.Add(*file);
  } else {
    const std::string origin =
        flags.ConfigFile() ? Flag(kConfigOption) : EnvironmentName(kConfigOption);
    problems.Add(
        {{absl::StrCat(kConfigOption, ": ", file.status().message(), " (from ", origin, ")"), {}}});
  }
  settings.Add(environment.settings);
  settings.Add(flags.GivenSettings());
  problems.Add(settings.problems());
  if (!file.ok()) return;  // what is missing may stand in it
  problems.AddOfValues(settings.config().FindProblems(), settings);
  if (flags.check_config) problems.AddOfValues(FindFileProblems(settings.config()), settings);
}

}  // namespace

absl::StatusOr<ParsedCommandLine> ParseCommandLine(const std::vector<std::string>& arguments,
                                                   const std::vector<std::string>& entries) {
  const auto flags = std::make_unique<Flags>();
  if (!flags->Parse(arguments)) return Print(flags->Help());
  std::optional<ParsedCommandLine> other = OtherAction(*flags);
  const Environment environment = other ? Environment() : ReadEnvironment(entries);
  Settings settings;
  ProblemList problems;
  problems.Add(flags->problems());
  if (!other) PutTogether(*flags, environment, settings, problems);
  if (!problems.messages().empty()) return Refuse(problems.messages());
  if (other) return *std::move(other);

  ParsedCommandLine parsed;
  if (flags->check_config) {
    parsed = Print("configuration is valid\n");
  } else if (flags->print_config) {
    ASSIGN_OR_RETURN(std::string text, WriteConfigFile(settings.config(), settings.origins()));
    parsed = Print(std::move(text));
  } else {
    parsed.config = settings.config();
  }
  parsed.warnings = environment.warnings;
  return parsed;
}

}  // namespace antiphon::server
