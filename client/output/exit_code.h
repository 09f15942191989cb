// The program's exit status, for scripts. Free of state.
#ifndef ANTIPHON_CLIENT_OUTPUT_EXIT_CODE_H_
#define ANTIPHON_CLIENT_OUTPUT_EXIT_CODE_H_

#include "absl/status/status.h"

namespace antiphon::client {

enum class ExitCode {
  kOk = 0,           // a match, or the thing asked for
  kNothing = 1,      // no match, nothing found, or too little input to compare
  kBadInput = 2,     // wrong usage, an unreadable file, output that cannot be written, or input
                     // that the server refuses
  kUnreachable = 3,  // no server there, not serving yet or any more, or no answer in time
  kServerError = 4,  // the server failed, or is too busy
};

// Requires a failure, as OpenInput, MakeQuery and Connection give it.
ExitCode ExitCodeOf(const absl::Status& failure);

// The graver of the two: the later in the list above.
ExitCode Worse(ExitCode a, ExitCode b);

// For --help.
inline constexpr char kExitCodeHelp[] =
    "Exit status:\n"
    "  0  a match, or what was asked for\n"
    "  1  no match, nothing found, or too little input to compare\n"
    "  2  wrong usage, an unreadable file, output that cannot be written, or input that the\n"
    "     server refuses\n"
    "  3  the server cannot be reached, is not serving, or did not answer in time\n"
    "  4  the server failed, or is too busy\n";

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_OUTPUT_EXIT_CODE_H_
