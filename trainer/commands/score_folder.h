// A folder of scores as the pieces that it becomes: which files, under which ids, with what its
// metadata.tsv, the scores and the paths say of them. And what became of a folder's files, for a
// person. Belongs to one thread.
#ifndef ANTIPHON_TRAINER_COMMANDS_SCORE_FOLDER_H_
#define ANTIPHON_TRAINER_COMMANDS_SCORE_FOLDER_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/catalog/catalog.h"
#include "core/music/file_naming.h"
#include "core/scores/read_score.h"
#include "trainer/data/midi_files.h"

namespace antiphon::trainer::commands {

// What became of one folder.
struct FolderSummary {
  std::string folder;
  std::vector<std::string> skipped;      // files that could not be read: "path: reason"
  std::vector<std::string> warnings;     // of files that were read: "path: warning"
  size_t warned = 0;                     // files that have warnings
  data::PassedOver passed_over;          // what is no score, or no recording, by its name
  std::vector<std::string> unused_rows;  // files that metadata.tsv names and that aren't there
};

// Notes a file that was read, with its warnings, or that was not.
void NoteFile(const data::SourceFile& file, const absl::Status& status,
              const std::vector<std::string>& warnings, FolderSummary& summary);

// Appends what was not as it should be, in lines for a person. `noun` is "score" or "recording".
void AppendFolder(const std::string& noun, const FolderSummary& summary, std::string& text);

// Appends "HEADING:" and the lines below it, unless there is none.
void AppendLines(const std::string& heading, const std::vector<std::string>& lines,
                 std::string& text);

// "1 score", "2 scores".
std::string Count(size_t count, const std::string& one, const std::string& several);

// Whether it is not a file's own fault: an encoder has failed, or the disk.
bool IsFatal(const absl::Status& status);

// NotFound, ResourceExhausted beyond `max_bytes`, or Unavailable, without the file's name.
[[nodiscard]] absl::StatusOr<std::string> ReadSourceFile(const std::filesystem::path& path,
                                                         int64_t max_bytes);

// Of the folder's metadata.tsv; empty where there is none. Failures name the file.
[[nodiscard]] absl::StatusOr<music::Metadata> ReadMetadata(const std::string& folder);

std::vector<std::string> PathsOf(const std::vector<data::SourceFile>& files);

struct ScoreFolderOptions {
  std::string path;
  std::string collection;  // of pieces for which metadata.tsv does not say it; may be empty
  bool with_parts = false;
  int64_t max_file_bytes = int64_t{2} << 30;  // larger files are not read
};

class ScoreFolder {
 public:
  // Called with each piece of a file: id, title, composer, collection, work_id and with_parts are
  // set. `score` is what is to be kept of it, the upbeat included.
  using Take = std::function<absl::Status(const catalog::Piece& piece, const std::string& score)>;

  // Lists the files in order of their paths and notes in `summary` what is passed over and which
  // rows of metadata.tsv match no file. NotFound when there is no such folder.
  [[nodiscard]] static absl::StatusOr<ScoreFolder> Open(const ScoreFolderOptions& options,
                                                        FolderSummary& summary);

  const std::vector<data::SourceFile>& files() const { return files_; }

  // Fails as ReadSourceFile.
  [[nodiscard]] absl::StatusOr<std::string> Read(const data::SourceFile& file) const;

  // Hash of all that the pieces of a file of these bytes depend on, 64 hexadecimal digits.
  std::string FingerprintOf(const data::SourceFile& file, const std::string& bytes) const;

  // Reads the pieces in a file of these bytes and hands them on; each tune of a book is a piece.
  // The status is that of the file: the failure of its only piece, or of the first tune where all
  // have failed. What failed otherwise is among the warnings. A failure that is not the file's own
  // (IsFatal) ends it at once.
  [[nodiscard]] absl::Status TakePieces(const data::SourceFile& file, std::string bytes,
                                        const Take& take, std::vector<std::string>& warnings) const;

 private:
  explicit ScoreFolder(ScoreFolderOptions options) : options_(std::move(options)) {}

  [[nodiscard]] absl::Status TakeTunes(const data::SourceFile& file, music::FileMetadata metadata,
                                       const std::vector<notation::FiledScore>& tunes,
                                       const Take& take, std::vector<std::string>& warnings) const;
  [[nodiscard]] absl::Status TakePiece(const data::SourceFile& file,
                                       const music::FileMetadata& metadata, const std::string& id,
                                       std::string bytes, const Take& take,
                                       std::vector<std::string>& warnings) const;

  ScoreFolderOptions options_;
  std::vector<data::SourceFile> files_;
  music::Metadata metadata_;
  std::map<std::string, music::ScoreName> names_;  // by path
};

}  // namespace antiphon::trainer::commands

#endif  // ANTIPHON_TRAINER_COMMANDS_SCORE_FOLDER_H_
