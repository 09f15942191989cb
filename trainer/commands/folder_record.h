// What a bundle has taken from a folder of scores: the file FOLDER in the bundle's directory
// (docs/formats.md). By it a file that is as it was is told from one that is new or has changed,
// and a piece that was changed or deleted over the API from one that was not. Plain values; safe
// from any thread.
#ifndef ANTIPHON_TRAINER_COMMANDS_FOLDER_RECORD_H_
#define ANTIPHON_TRAINER_COMMANDS_FOLDER_RECORD_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace antiphon::trainer::commands {

inline constexpr char kFolderRecordFile[] = "FOLDER";

// Of a piece that is not, or no longer, as its file says: somebody changed it, or had put it there.
inline constexpr int64_t kNotOfTheFolder = -1;

struct FolderRecord {
  struct Entry {
    std::string file;         // below the folder
    std::string fingerprint;  // of the file when it was last looked at (ScoreFolder)
    int64_t version = 0;      // of the piece, as it was put in; or kNotOfTheFolder
  };

  std::string origin;                   // of the collection that it is about; empty: of none
  std::map<std::string, Entry> pieces;  // by id; stay when the piece is deleted

  // Empty where there is no such file. DataLoss when it is damaged.
  [[nodiscard]] static absl::StatusOr<FolderRecord> Read(const std::string& bundle_root);

  // Replaces the file as a whole: a crash leaves this one or the one before.
  [[nodiscard]] absl::Status Write(const std::string& bundle_root) const;

  // By file: the fingerprint with which all pieces of it are recorded, or nothing where they
  // differ.
  std::map<std::string, std::string> Fingerprints() const;
};

}  // namespace antiphon::trainer::commands

#endif  // ANTIPHON_TRAINER_COMMANDS_FOLDER_RECORD_H_
