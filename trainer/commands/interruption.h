// Ctrl-C as a request to end: for commands that write large files, which they then remove. One at a
// time in a process.
#ifndef ANTIPHON_TRAINER_COMMANDS_INTERRUPTION_H_
#define ANTIPHON_TRAINER_COMMANDS_INTERRUPTION_H_

#include "absl/status/status.h"

namespace antiphon::trainer::commands {

// As long as it lives, the first SIGINT or SIGTERM is noted, and a second one ends the process.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  // Cancelled once a signal has come.
  static absl::Status KeepGoing();
};

}  // namespace antiphon::trainer::commands

#endif  // ANTIPHON_TRAINER_COMMANDS_INTERRUPTION_H_
