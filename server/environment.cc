#include "server/environment.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/options.h"
#include "server/similar_name.h"

namespace antiphon::server {
namespace {

constexpr absl::string_view kPrefix = "ANTIPHON_";

// Read by others than the server.
constexpr absl::string_view kOfOthers[] = {
    "ANTIPHON_API_KEY", "ANTIPHON_SERVER",      // the client
    "ANTIPHON_JOBS", "ANTIPHON_SKIP_PACKAGES",  // scripts/
    // The build, whose settings are also given as variables of the environment of scripts/build.sh.
    "ANTIPHON_ABC2MIDI", "ANTIPHON_BENCHMARKS", "ANTIPHON_CHECK_ONLY", "ANTIPHON_CUDA",
    "ANTIPHON_FAISS_ROOT", "ANTIPHON_FUZZERS", "ANTIPHON_PACKAGE", "ANTIPHON_REVISION",
    "ANTIPHON_SANITIZE", "ANTIPHON_SONGBOOK_DIR", "ANTIPHON_SONGBOOK_SOURCE_DIR", "ANTIPHON_TESTS",
    "ANTIPHON_VERSION",
    // The tests.
    "ANTIPHON_BUILD_DIR", "ANTIPHON_COMPOSE", "ANTIPHON_CORPORA", "ANTIPHON_SOURCE_DIR",
    "ANTIPHON_TEST_MODEL"};

bool IsNumber(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// Of a service called antiphon, or antiphon-something: ANTIPHON_SERVICE_HOST,
// ANTIPHON_SERVICE_PORT, ANTIPHON_SERVICE_PORT_NAME, ANTIPHON_PORT (a URL),
// ANTIPHON_PORT_50051_TCP, ANTIPHON_PORT_50051_TCP_ADDR, ..._PORT, ..._PROTO.
bool IsOfKubernetes(absl::string_view name, absl::string_view value) {
  std::vector<absl::string_view> words = absl::StrSplit(name, '_');
  const auto at = [&words](size_t from_end) {
    return words.size() > from_end ? words[words.size() - 1 - from_end] : absl::string_view();
  };
  for (size_t i = 1; i + 1 < words.size(); ++i) {
    if (words[i] == "SERVICE" && words[i + 1] == "PORT") return true;
  }
  if (at(1) == "SERVICE" && at(0) == "HOST") return true;
  if (at(0) == "PORT" && absl::StrContains(value, "://")) return true;
  if (at(0) == "ADDR" || at(0) == "PORT" || at(0) == "PROTO") words.pop_back();
  const bool protocol = at(0) == "TCP" || at(0) == "UDP" || at(0) == "SCTP";
  return protocol && IsNumber(at(1)) && at(2) == "PORT";
}

// The option whose variable was probably meant.
std::optional<std::string> OptionMeant(absl::string_view name,
                                       const std::vector<std::string>& options) {
  const std::string option =
      absl::AsciiStrToLower(absl::StrReplaceAll(absl::StripPrefix(name, kPrefix), {{"_", "-"}}));
  const std::string without_no(absl::StripPrefix(option, "no-"));
  if (std::find(options.begin(), options.end(), without_no) != options.end()) return without_no;
  return SimilarName(option, options);
}

}  // namespace

Environment ReadEnvironment(const std::vector<std::string>& entries) {
  Environment environment;
  std::vector<std::string> options = OptionNames();
  options.emplace_back(kConfigOption);
  std::set<std::string> seen;
  for (const std::string& entry : entries) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(entry, absl::MaxSplits('=', 1));
    const auto& [name, value] = parts;
    if (!absl::StartsWith(name, kPrefix) || !seen.insert(name).second || value.empty()) continue;
    const auto option = std::find_if(options.begin(), options.end(), [&name = name](const auto& o) {
      return EnvironmentName(o) == name;
    });
    if (option != options.end() && *option == kConfigOption) {
      environment.config_file = value;
    } else if (option != options.end()) {
      environment.settings.push_back({*option, Setting::Unread{value}, name});
    } else if (std::count(std::begin(kOfOthers), std::end(kOfOthers), name) > 0 ||
               IsOfKubernetes(name, value)) {
      continue;
    } else if (const auto meant = OptionMeant(name, options)) {
      environment.problems.push_back(absl::StrCat(name, ": no option has this variable; ", *meant,
                                                  " has ", EnvironmentName(*meant)));
    } else {
      environment.warnings.push_back(
          absl::StrCat(name, " is set, and no option has this variable"));
    }
  }
  return environment;
}

}  // namespace antiphon::server
