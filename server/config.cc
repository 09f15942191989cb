#include "server/config.h"

#include <algorithm>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "server/options.h"
#include "server/runtime/listen_address.h"
#include "server/runtime/version.h"

namespace antiphon::server {
namespace {

// Without the backticks that stand around code.
std::string Plain(absl::string_view text) { return absl::StrReplaceAll(text, {{"`", ""}}); }

// The parser, and what it parses into. A visitor of the options (options.h).
struct CommandLine {
  CLI::App app{"antiphon-server: finds the score for a sound and the sound for a score, over gRPC.",
               "antiphon-server"};
  Config config;
  bool print_config = false;
  bool print_version = false;
  bool print_option_table = false;
  bool hash_key = false;
  std::vector<std::string> names;  // of options that the environment may set, without dashes
  std::list<std::string> choices;  // as they were given
  std::vector<std::function<absl::Status()>> choose;  // put them into `config`

  void Text(absl::string_view name, std::string& value, absl::string_view allowed,
            absl::string_view meaning) {
    Add(name, value, allowed, meaning);
  }

  template <typename T>
  void Number(absl::string_view name, T& value, const Range<T>& range, absl::string_view meaning) {
    Add(name, value, Allowed(range), meaning);
  }

  template <typename Value, typename Names>
  void Choice(absl::string_view name, Value& value, const Names& names, absl::string_view meaning) {
    std::string& given = choices.emplace_back(NameOf(names, value));
    Add(name, given, Allowed(names), meaning);
    choose.push_back([name = std::string(name), &given, &names, &value] {
      for (const auto& [choice, chosen] : names) {
        if (choice != given) continue;
        value = chosen;
        return absl::OkStatus();
      }
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": '", given, "' is none of ", Plain(Allowed(names))));
    });
  }

  void Switch(absl::string_view name, bool& value, absl::string_view meaning) {
    app.add_flag(absl::StrCat("--", name, ",!--no-", name), value, Plain(meaning))
        ->envname(EnvironmentName(name))
        ->default_str(value ? "true" : "false")
        ->take_last();
    names.emplace_back(name);
  }

 private:
  template <typename T>
  void Add(absl::string_view name, T& value, absl::string_view allowed, absl::string_view meaning) {
    app.add_option(absl::StrCat("--", name), value,
                   Plain(absl::StrCat(meaning, " (", allowed, ")")))
        ->envname(EnvironmentName(name))
        ->capture_default_str()
        ->take_last();
    names.emplace_back(name);
  }
};

// What is done instead of serving.
void AddOtherActions(CommandLine& c) {
  c.app
      .add_flag("--print-config", c.print_config,
                "Print the effective configuration as TOML, and exit")
      ->configurable(false);
  c.app
      .add_flag("--hash-api-key", c.hash_key,
                "Read an API key from standard input, print its line's hash, and exit")
      ->configurable(false);
  c.app.add_flag("--version", c.print_version, "Print the version, and exit")->configurable(false);
  c.app
      .add_flag("--print-option-table", c.print_option_table,
                "Print the table of docs/operations.md, and exit")
      ->configurable(false)
      ->group("");  // for scripts/generate_option_table.py: hidden from --help
}

std::unique_ptr<CommandLine> MakeCommandLine() {
  auto c = std::make_unique<CommandLine>();
  VisitOptions(c->config, *c);
  c->app
      .set_config("--config", "",
                  "TOML file with any of these options, named as the flags without the dashes")
      ->envname(EnvironmentName("config"))
      ->take_last();
  c->names.push_back("config");
  c->app.allow_config_extras(CLI::config_extras_mode::error);
  AddOtherActions(*c);
  c->app.footer(
      "A flag beats the environment, the environment beats the file. SIGTERM and SIGINT stop the "
      "server: it takes no\n"
      "new calls, finishes those under way within the grace period, and exits 0. SIGHUP makes it "
      "reload the "
      "collection,\n"
      "the API keys and the certificate.");
  return c;
}

// Checks the numbers. A visitor of the options.
class RangeChecker {
 public:
  template <typename T>
  void Number(absl::string_view name, T value, const Range<T>& range, absl::string_view) {
    status_.Update(CheckRange(name, value, range));
  }
  void Text(absl::string_view, absl::string_view, absl::string_view, absl::string_view) {}
  template <typename Value, typename Names>
  void Choice(absl::string_view, Value, const Names&, absl::string_view) {}
  void Switch(absl::string_view, bool, absl::string_view) {}

  const absl::Status& status() const { return status_; }  // the first failure

 private:
  absl::Status status_;
};

absl::Status CheckSecurity(const Config& config) {
  if (config.tls.certificate.empty() != config.tls.key.empty()) {
    return absl::InvalidArgumentError(config.tls.certificate.empty()
                                          ? "tls-key: needs tls-cert as well"
                                          : "tls-cert: needs tls-key as well");
  }
  if (!config.tls.client_ca.empty() && config.tls.certificate.empty()) {
    return absl::InvalidArgumentError("tls-client-ca: needs tls-cert and tls-key as well");
  }
  const bool authenticates = config.api_keys.enabled() || !config.tls.client_ca.empty();
  if (authenticates || config.allow_unauthenticated || IsLocalAddress(config.listen))
    return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("listen: ", config.listen,
                   " can be reached from other machines, and nobody has to say who he is; set "
                   "api-keys-file or tls-client-ca, or allow-unauthenticated to let everybody in"));
}

// What else than serving the flags ask for, if anything.
std::optional<ParsedCommandLine> OtherAction(const CommandLine& c) {
  using Action = ParsedCommandLine::Action;
  const auto print = [](std::string text) {
    return ParsedCommandLine{.action = Action::kPrint, .config = {}, .text = std::move(text)};
  };
  if (c.print_version) return print(absl::StrCat("antiphon-server ", Version(), "\n"));
  if (c.print_option_table) return print(OptionTable());
  if (c.hash_key) return ParsedCommandLine{.action = Action::kHashKey, .config = {}, .text = ""};
  if (c.print_config)
    return print(c.app.config_to_str(/*default_also=*/true, /*write_description=*/true));
  return std::nullopt;
}

}  // namespace

absl::Status Config::Validate() const {
  if (store.bundle.empty()) {
    return absl::InvalidArgumentError(
        "bundle: missing; name the directory of a bundle, as in --bundle DIR");
  }
  if (listen.empty())
    return absl::InvalidArgumentError("listen: empty; give host:port, such as 127.0.0.1:50051");
  const std::string& device = store.collection.encoder.device;
  const bool is_device = device == "cpu" || device == "auto" || absl::StartsWith(device, "cuda:");
  if (!is_device)
    return absl::InvalidArgumentError(
        absl::StrCat("device: '", device, "' is none of cpu, cuda:N, auto"));
  RangeChecker checker;
  VisitOptions(*this, checker);
  RETURN_IF_ERROR(checker.status());
  RETURN_IF_ERROR(snapshots.Validate());
  if (store.read_only && snapshots.every_h > 0) {
    return absl::InvalidArgumentError(
        "snapshot-every: a server that only reads its bundle takes no snapshots");
  }
  return CheckSecurity(*this);
}

absl::StatusOr<ParsedCommandLine> ParseCommandLine(const std::vector<std::string>& arguments,
                                                   const std::vector<std::string>& environment) {
  const std::unique_ptr<CommandLine> c = MakeCommandLine();

  // CLI11 would let the file beat the environment. So the environment's settings are put in front
  // of the flags: whatever is given as an argument beats the file, and of two arguments the last
  // counts.
  std::vector<std::string> all;
  std::vector<std::string> from_environment;
  for (const std::string& name : c->names) {
    const std::string prefix = EnvironmentName(name) + "=";
    for (const std::string& entry : environment) {
      if (!absl::StartsWith(entry, prefix)) continue;
      all.push_back(absl::StrCat("--", name, "=", absl::StripPrefix(entry, prefix)));
      from_environment.push_back(EnvironmentName(name));
    }
  }
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::reverse(all.begin(), all.end());  // as CLI11 wants them

  ParsedCommandLine parsed;
  try {
    c->app.parse(std::move(all));
  } catch (const CLI::CallForHelp&) {
    parsed.action = ParsedCommandLine::Action::kPrint;
    parsed.text = c->app.help();
    return parsed;
  } catch (const CLI::Error& error) {
    std::string message = error.what();
    if (!from_environment.empty()) {
      absl::StrAppend(&message, " (set in the environment: ", absl::StrJoin(from_environment, ", "),
                      ")");
    }
    return absl::InvalidArgumentError(message);
  }
  if (std::optional<ParsedCommandLine> other = OtherAction(*c)) return *std::move(other);
  RETURN_IF_ERROR(c->config.Validate());
  for (const auto& choose : c->choose) RETURN_IF_ERROR(choose());
  parsed.config = c->config;
  return parsed;
}

}  // namespace antiphon::server
