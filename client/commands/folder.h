// What add-all does alike for pieces and recordings: which files of a folder are to be added and
// under which names, and what became of each. Used by one thread at a time.
#ifndef ANTIPHON_CLIENT_COMMANDS_FOLDER_H_
#define ANTIPHON_CLIENT_COMMANDS_FOLDER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/arguments.h"
#include "client/commands/context.h"
#include "client/commands/rendering.h"
#include "client/output/exit_code.h"
#include "client/output/progress.h"
#include "core/files/music_folder.h"
#include "core/music/file_naming.h"
#include "nlohmann/json_fwd.hpp"

namespace antiphon::client {

// A folder that is to be added.
struct FolderPlan {
  files::MusicFolder folder;
  music::Metadata metadata;                                   // what metadata.tsv says
  std::vector<std::pair<std::string, absl::Status>> refused;  // by name, and why
  std::vector<files::FolderFile> files;  // the others of folder.files, by name; each has its own id
  std::map<std::string, music::ScoreName> names;  // of `files`, by name
};

// Reads the folder and its metadata.tsv, and warns of rows that match no file. Two files of one id
// (a.mid and a.kar) are one too many: the second is refused. Scores of one name in two formats are
// two editions (music::NamesOfScores). NotFound when nothing in the folder
// is `wanted`, saying what was passed over; InvalidArgument when it or metadata.tsv cannot be read.
[[nodiscard]] absl::StatusOr<FolderPlan> PlanFolder(const std::string& folder, files::Wanted wanted,
                                                    Context& context);

// What is added of a folder.
struct FolderPiece {
  std::string file;
  std::string tune;  // its number in a book; empty: all of the file
};

// "bach/air.mid", or "songs.abc, tune 7a".
std::string NameOf(const FolderPiece& piece);

// What became of the files of a plan, on the screen and as an exit code. Borrows its arguments.
class FolderTally {
 public:
  // `nouns` is "pieces" or "recordings".
  FolderTally(const AddFolderArguments& arguments, const FolderPlan& plan, Context& context);

  // There are so many tunes beyond the first of each book.
  void FoundTunes(int64_t more) { more_tunes_ += more; }

  // It is in the collection now: `answer` is shown with --json, `warnings` and `shared` are
  // otherwise.
  void Added(const FolderPiece& piece, const nlohmann::ordered_json& answer,
             const Warnings& warnings, const SameMusicPairs& shared);

  // It is not. AlreadyExists counts as there already, and is no failure if the user says so.
  void Failed(const FolderPiece& piece, const absl::Status& why);

  // Sums up, so that the counts add up to what was found: a file or a tune of which nothing is
  // known by now has failed. `end` is how the calls ended. The exit code is that of the gravest
  // failure.
  ExitCode Finish(const absl::Status& end);

 private:
  void ShowProgress(const FolderPiece& piece);
  void ReportAtOnce();
  void Summarise();

  const AddFolderArguments& arguments_;
  const FolderPlan& plan_;
  Context& context_;
  Progress progress_;
  int64_t added_ = 0, existing_ = 0, failed_ = 0, not_tried_ = 0, more_tunes_ = 0;
  ExitCode worst_ = ExitCode::kOk;
};

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_COMMANDS_FOLDER_H_
