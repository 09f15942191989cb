// The configuration file: any text gives settings or the place of a fault, and what is taken is
// printed as a file that says the same.
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "server/config_file.h"
#include "server/settings.h"
#include "tests/fuzz/fuzz.h"

using antiphon::fuzz::Require;

namespace antiphon::server {
namespace {

// Of the settings of a text that is TOML, and of nothing else.
Settings Read(absl::string_view text) {
  Settings settings;
  const auto given = ParseConfigFile(text, "server.toml");
  if (!given.ok()) {
    fuzz::RequireRefusal(given.status(), {absl::StatusCode::kInvalidArgument});
    Require(absl::StartsWith(given.status().message(), "server.toml:"), "a fault has a place");
    return settings;
  }
  settings.Add(*given);
  Require(settings.problems().size() + settings.origins().size() <= given->size(),
          "a setting is taken or refused");
  return settings;
}

std::string Printed(const Config& config) {
  const auto printed = WriteConfigFile(config, std::map<std::string, std::string>());
  Require(printed.ok(), "what a file said can be written to one");
  return *printed;
}

}  // namespace
}  // namespace antiphon::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace server = antiphon::server;
  const server::Settings settings =
      server::Read(absl::string_view(reinterpret_cast<const char*>(data), size));
  for (const server::ConfigProblem& problem : settings.config().FindProblems())
    Require(!settings.Describe(problem).empty(), "a problem has a message");
  const std::string printed = server::Printed(settings.config());
  const server::Settings again = server::Read(printed);
  Require(again.problems().empty(), "what is printed is taken");
  Require(server::Printed(again.config()) == printed, "what is printed reads back the same");
  return 0;
}
