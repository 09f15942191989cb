// `antiphon-trainer index`: from a folder of MIDI files and, when given, one of recordings to a
// published bundle.
#ifndef ANTIPHON_TRAINER_COMMANDS_INDEX_COMMAND_H_
#define ANTIPHON_TRAINER_COMMANDS_INDEX_COMMAND_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/bundle/manifest.h"
#include "core/collection/bundle_builder.h"
#include "trainer/base/progress.h"
#include "trainer/commands/score_folder.h"

namespace antiphon::trainer::commands {

struct IndexCommandOptions {
  std::string midi_dir;        // searched below for data::ScoreEndings(); may hold a metadata.tsv
  std::string recordings_dir;  // searched below for audio::SoundFileEndings(); may hold a
                               // metadata.tsv; empty: none
  std::string bundle_root;     // made when it does not exist
  std::string collection;  // what everything is filed under for which metadata.tsv does not say it;
                           // may be empty
  collection::BuilderOptions builder;
  bool accept_damaged = false;  // recordings of which less than half can be decoded, too
  int64_t max_file_bytes = int64_t{2} << 30;  // larger files are passed over
  bool allow_empty = false;  // without a score that can be read: a bundle without a piece
  bool compare = true;       // find the music that pieces share
};

struct IndexSummary {
  bundle::Manifest manifest;
  FolderSummary scores;
  FolderSummary recordings;
  std::vector<std::string> same_music;  // stretches that two pieces share, each pair a line
  bool same_music_skipped = false;      // there were too many pieces to compare
};

// The longest of `piece_ids` (sorted) that `stem` starts with, up to its end or a character that is
// neither letter nor digit; or nothing.
std::string PieceOfRecording(std::string_view stem, const std::vector<std::string>& piece_ids);

// Walks the folders in order of their paths. A piece's id is its path (core/music/file_naming.h);
// title and composer come from metadata.tsv, else the title from the score or the file's name and
// the composer from the first folder's name, if there is one; its work from metadata.tsv. A
// recording belongs to the piece that metadata.tsv names, else to the one whose id is the longest
// that its file's name starts with, and takes title and composer from there when it has none of its
// own. An upbeat in metadata.tsv is written into the score (core/music/upbeat.h), unless the score
// says otherwise.
//
// Files that cannot be read are left out and listed in the summary, which also says what was read
// with warnings, what was passed over and which rows of metadata.tsv are of no use. NotFound when a
// folder is not there. Unless a bundle may be empty, NotFound when there is no score, and
// InvalidArgument with the first reasons when none can be read. Otherwise fails as BundleBuilder
// does.
[[nodiscard]] absl::StatusOr<IndexSummary> RunIndex(const IndexCommandOptions& options,
                                                    Progress& progress);

// Lines for a person: what was published, and everything that was not as it should be.
std::string SummaryText(const IndexSummary& summary);

}  // namespace antiphon::trainer::commands

#endif  // ANTIPHON_TRAINER_COMMANDS_INDEX_COMMAND_H_
