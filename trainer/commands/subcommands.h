// The subcommands of antiphon-trainer: each adds its flags to the program, and its work as a
// callback that leaves its outcome in `outcome`. Both the program and `outcome` must outlive
// parsing. Every subcommand has a source of its own name.
#ifndef ANTIPHON_TRAINER_COMMANDS_SUBCOMMANDS_H_
#define ANTIPHON_TRAINER_COMMANDS_SUBCOMMANDS_H_

#include "absl/status/status.h"

namespace CLI {
class App;
}

namespace antiphon::trainer::commands {

void AddOverlap(CLI::App& program, absl::Status& outcome);   // pieces to leave out of training
void AddPrepare(CLI::App& program, absl::Status& outcome);   // MIDI folder → feature store
void AddTrain(CLI::App& program, absl::Status& outcome);     // feature stores → model
void AddInit(CLI::App& program, absl::Status& outcome);      // untrained model, the yardstick
void AddEvaluate(CLI::App& program, absl::Status& outcome);  // model and corpus → figures
void AddBackground(CLI::App& program,
                   absl::Status& outcome);                    // what every answer is compared with
void AddCalibrate(CLI::App& program, absl::Status& outcome);  // how sure answers are
void AddIndex(CLI::App& program, absl::Status& outcome);      // MIDI and recordings → bundle
void AddUpdate(CLI::App& program, absl::Status& outcome);     // folder → bundle, what has changed
void AddMigrate(CLI::App& program, absl::Status& outcome);    // older bundle → present format
void AddReindex(CLI::App& program, absl::Status& outcome);  // bundle → the same with another model
void AddExport(CLI::App& program, absl::Status& outcome);   // bundle → folder of files
void AddImport(CLI::App& program, absl::Status& outcome);   // such a folder → bundle
void AddInspect(CLI::App& program, absl::Status& outcome);  // what is in a model or a bundle
void AddRender(CLI::App& program, absl::Status& outcome);   // MIDI → sound
void AddPicture(CLI::App& program,
                absl::Status& outcome);  // spectrogram over pianoroll, to look at

}  // namespace antiphon::trainer::commands

#endif  // ANTIPHON_TRAINER_COMMANDS_SUBCOMMANDS_H_
