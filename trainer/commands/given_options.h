// What was given on the command line but can't act, and the option that most subcommands share.
// Stateless.
#ifndef ANTIPHON_TRAINER_COMMANDS_GIVEN_OPTIONS_H_
#define ANTIPHON_TRAINER_COMMANDS_GIVEN_OPTIONS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace CLI {
class App;
}

namespace antiphon::trainer::commands {

// Of a folder of scores. The second is its name from when there was only MIDI.
inline constexpr char kScoresOption[] = "--scores,--midi";

// InvalidArgument, with the reason, when the option ("--name") was given though it can't act: a
// subcommand doesn't ignore what it is told. Requires that the subcommand has the option.
[[nodiscard]] absl::Status RefuseIdle(const CLI::App& command, const std::string& option,
                                      bool can_act, std::string_view reason);

}  // namespace antiphon::trainer::commands

#endif  // ANTIPHON_TRAINER_COMMANDS_GIVEN_OPTIONS_H_
