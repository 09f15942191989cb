// The sources of the configuration put together: each gives some options a value, a later one beats
// an earlier one, and every value knows where it comes from.
//
// Values; safe from any thread as those are.
#ifndef ANTIPHON_SERVER_SETTINGS_H_
#define ANTIPHON_SERVER_SETTINGS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/config.h"

namespace antiphon::server {

// What one source says of one option.
struct Setting {
  // Of flags and the environment, which know only text: read as what the option takes.
  struct Unread {
    std::string text;
  };
  // Of a file, something that no option takes.
  struct NoValue {
    std::string kind;  // kTable, "an array", "a date", ...
  };
  static constexpr char kTable[] = "a table";

  std::string option;  // without dashes
  std::variant<Unread, std::string, bool, int64_t, double, NoValue> value;
  std::string origin;  // "--workers", "ANTIPHON_WORKERS", "/etc/antiphon.toml:3:1"
};

// What a text says of a switch: true, yes, on, 1 and false, no, off, 0, also in capitals and, but
// for on and off, by the first letter. nullopt: neither.
std::optional<bool> ReadSwitch(const std::string& text);

class Settings {
 public:
  // Takes over what a source says; it beats what the sources before said, and of two values for one
  // option the last counts. A value that is no option's, of the wrong type or out of range becomes
  // a problem, whether a later source beats it or not, and changes nothing.
  void Add(const std::vector<Setting>& source);

  // The defaults and what has been added. Not checked as a whole; see Config::FindProblems.
  const Config& config() const { return config_; }

  // Of each option that has been given a value.
  const std::map<std::string, std::string>& origins() const { return origins_; }

  // What was wrong with what has been added, in that order; the messages name the origins.
  const std::vector<ConfigProblem>& problems() const { return problems_; }

  // The message of a problem with the values, with the origin of each that is to blame.
  std::string Describe(const ConfigProblem& problem) const;

 private:
  Config config_;
  std::map<std::string, std::string> origins_;
  std::vector<ConfigProblem> problems_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SETTINGS_H_
