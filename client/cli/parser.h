// The parts of the command line's grammar, one function for each group of commands. Internal to
// client/cli. Used by one thread.
#ifndef ANTIPHON_CLIENT_CLI_PARSER_H_
#define ANTIPHON_CLIENT_CLI_PARSER_H_

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_join.h"
#include "client/cli/command_line.h"

namespace antiphon::client {

// Each adds commands to `app`; the one that is used writes into `command`, which must outlive
// `app`, once the whole line has been read.
void AddQueryCommands(CLI::App& app, Command& command);        // search, identify, embed
void AddPerformanceCommands(CLI::App& app, Command& command);  // align, follow, transcribe
void AddCatalogCommands(CLI::App& app, Command& command);      // pieces, piece, recording, snippet
void AddAdminCommands(CLI::App& app, Command& command);        // status, admin

// Seconds, or as in 1:23.5.
CLI::Option* AddTime(CLI::App& app, const std::string& name, std::optional<double>& value,
                     const std::string& description);

// --composer, --collection, --piece, --work, --exact.
void AddScope(CLI::App& app, ScopeArguments& scope);

// --encoding, --rate, --channels: of raw samples from the standard input.
struct RawOptions {
  CLI::Option* encoding;
  CLI::Option* rate;
  CLI::Option* channels;
};
RawOptions AddRawSamples(CLI::App& app, v1::Pcm::Encoding& encoding, int& sample_rate,
                         int& channels);
// ValidationError where one of them is given: samples that come with a file's header need none.
void CheckNoRawSamples(const CLI::App& app);

// One of some words.
template <typename T>
CLI::Option* AddChoice(CLI::App& app, const std::string& name, T& value,
                       const std::vector<std::pair<std::string, T>>& choices,
                       const std::string& description) {
  std::vector<std::string> names;
  names.reserve(choices.size());
  for (const auto& [choice, unused] : choices) names.push_back(choice);
  const auto choose = [name, choices, names, &value](const std::string& text) {
    const auto found = std::find_if(choices.begin(), choices.end(),
                                    [&](const auto& c) { return c.first == text; });
    if (found == choices.end()) {
      throw CLI::ValidationError(name, "'" + text + "' is none of " + absl::StrJoin(names, ", "));
    }
    value = found->second;
  };
  return app.add_option_function<std::string>(name, choose, description)
      ->type_name(absl::StrJoin(names, "|"));
}

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_CLI_PARSER_H_
