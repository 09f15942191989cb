#include "trainer/commands/given_options.h"

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"

namespace antiphon::trainer::commands {

absl::Status RefuseIdle(const CLI::App& command, const std::string& option, bool can_act,
                        std::string_view reason) {
  if (can_act || command.count(option) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(option, " can't act here: ", std::string(reason)));
}

}  // namespace antiphon::trainer::commands
