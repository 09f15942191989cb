// `antiphon-trainer update`: brings a bundle up to date with a folder of scores, and keeps what has
// been done to the collection over the API. Makes the bundle where there is none.
#ifndef ANTIPHON_TRAINER_COMMANDS_UPDATE_COMMAND_H_
#define ANTIPHON_TRAINER_COMMANDS_UPDATE_COMMAND_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "trainer/base/progress.h"
#include "trainer/commands/index_command.h"
#include "trainer/commands/score_folder.h"

namespace antiphon::trainer::commands {

struct UpdateSummary {
  FolderSummary scores;
  bool is_new_bundle = false;
  int64_t files = 0;      // scores in the folder
  int64_t unchanged = 0;  // ... that are as they were; nothing else is known of them
  // Pieces of the others.
  int64_t added = 0, replaced = 0, as_they_were = 0;
  std::vector<std::string> kept;  // changed in the collection and in the folder: the former holds
  std::vector<std::string> deleted;  // from the collection, and changed in the folder: stay deleted
  std::vector<std::string> gone;     // files that were there before; their pieces stay
  std::vector<std::string> damaged;  // generations and changes of the bundle, one a line
};

// Where there is no bundle: RunIndex, without recordings; the folder may be empty.
//
// Otherwise a file is looked at when it, its row of metadata.tsv or its id is not as FOLDER says
// (folder_record.h). A piece of it is
//   - added, if neither the collection nor FOLDER has its id;
//   - replaced, if the collection has it as it was put there from the folder;
//   - left alone, if it has been changed, added or deleted otherwise.
// Each edit is durable at once, as over the API, so that this can be interrupted and repeated. With
// nothing to look at, the bundle is not opened. Pieces of files that are gone stay.
//
// Of the options, those that say how pieces are embedded and indexed are for a new bundle; it goes
// on as it was made. FailedPrecondition when a server has the bundle open; otherwise fails as
// RunIndex and editing::OpenOffline do.
[[nodiscard]] absl::StatusOr<UpdateSummary> RunUpdate(const IndexCommandOptions& options,
                                                      Progress& progress);

// Lines for a person.
std::string SummaryText(const UpdateSummary& summary);

}  // namespace antiphon::trainer::commands

#endif  // ANTIPHON_TRAINER_COMMANDS_UPDATE_COMMAND_H_
