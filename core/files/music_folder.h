// A folder of music: which files in it are to be read, which are passed over, and what they are
// called. Everything that is found is accounted for. Stateless functions; safe from any thread.
#ifndef ANTIPHON_CORE_FILES_MUSIC_FOLDER_H_
#define ANTIPHON_CORE_FILES_MUSIC_FOLDER_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/files/file_kind.h"
#include "core/music/file_naming.h"

namespace antiphon::files {

struct FolderFile {
  std::filesystem::path path;  // to open it by
  // Below the folder, with '/', as CleanName writes it: what ids, titles and rows of metadata.tsv
  // go by. A link has its own name, not that of its target.
  std::string name;
  FileType type;
};

// Something that is not read.
struct PassedOver {
  std::string name;            // as in FolderFile
  std::string group;           // what it is counted under: ".txt", "hidden", "link to a folder"
  std::string_view type_name;  // "PDF", of static storage; empty where it is not known
};

struct UnreadableEntry {
  std::string name;
  std::string why;
};

enum class Wanted {
  kScores,  // of every kind that is read
  kAudio,
};

struct MusicFolder {
  std::vector<FolderFile> files;            // by name
  std::vector<PassedOver> passed_over;      // by name
  std::vector<UnreadableEntry> unreadable;  // folders and files that must not be read

  // All of them. metadata.tsv of the folder itself is not among them.
  int64_t found() const {
    return static_cast<int64_t>(files.size() + passed_over.size() + unreadable.size());
  }
};

// Everything below `folder`: the files that hold what is wanted, whatever their names, and those
// whose names promise it, so that a damaged one is named. Passed over are all others, and what is
// hidden (a name that starts with '.'), links to folders, links to nowhere, and what is no file.
// NotFound when `folder` is none.
[[nodiscard]] absl::StatusOr<MusicFolder> ReadMusicFolder(const std::string& folder, Wanted wanted);

// "12 .kar, 3 .m4a, 1 hidden": how many were passed over, by group, the largest first; empty where
// none was.
std::string PassedOverText(const MusicFolder& folder);

// What is wrong between the rows of metadata.tsv and the folder: a line for each row whose file is
// not there, or is not read.
std::vector<std::string> UnmatchedRows(const music::Metadata& metadata, const MusicFolder& folder);

}  // namespace antiphon::files

#endif  // ANTIPHON_CORE_FILES_MUSIC_FOLDER_H_
