// What the pieces and recordings in a folder of files are called: the same wherever a folder
// becomes a collection, and whatever the format of a file. Stateless functions; safe from any
// thread.
#ifndef ANTIPHON_CORE_MUSIC_FILE_NAMING_H_
#define ANTIPHON_CORE_MUSIC_FILE_NAMING_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace antiphon::music {

// In the folder; may be missing.
inline constexpr char kMetadataFile[] = "metadata.tsv";

// A row of metadata.tsv: tab-separated, the first line names the columns, `file` (path below the
// folder) and any of id, title, composer, piece_id, collection, work_id, upbeat; other columns are
// passed over.
struct FileMetadata {
  std::string id;  // in the place of the one that the path gives
  std::string title;
  std::string composer;
  std::string piece_id;
  std::string collection;
  std::string work_id;
  // Quarter notes before the first complete bar (see WithUpbeat in upbeat.h), 0 to 64.
  std::optional<double> upbeat;
};

// By `file`, as CleanName writes it.
using Metadata = std::map<std::string, FileMetadata>;

// InvalidArgument, with the line, on a file without that column, a line with more columns than the
// first, a second line about the same file, or an upbeat that is no number from 0 to 64.
[[nodiscard]] absl::StatusOr<Metadata> ParseMetadata(std::string_view text);

// The name of a file, or a path, as it is stored, shown and compared: UTF-8 in NFC (other encodings
// as CleanMidiText tells them), without control characters and a "./" in front.
std::string CleanName(std::string_view name);

// All of the following take paths below the folder. However a system writes the accents in them,
// they mean the same (normalisation form C).

// The row of a file; nothing known where there is none.
FileMetadata MetadataOf(const Metadata& metadata, std::string_view relative_path);

// The files that rows name and that are not among `relative_paths`, in order.
std::vector<std::string> RowsWithoutFile(const Metadata& metadata,
                                         const std::vector<std::string>& relative_paths);

// "bach/wtc1/prelude_1.mid" gives "bach__wtc1__prelude_1".
std::string IdOfPath(std::string_view relative_path);

// The id that the file's row gives, else that of its path.
std::string IdOf(const Metadata& metadata, std::string_view relative_path);

struct ScoreName {
  std::string id;
  std::string work_id;  // may be empty
};

// The ids and works of a folder's scores, in the order of their paths, of which the ends tell the
// format. What IdOf would call the same is one work where the formats are others: MIDI, or else the
// first, has the id, and "prelude_1.krn" is called "prelude_1.krn". A row of metadata decides.
std::vector<ScoreName> NamesOfScores(const Metadata& metadata,
                                     const std::vector<std::string>& relative_paths);

// Whether a title is only the name of a file: "bwv255.mxl", "C:\\Songs\\air.MID". By its end; it
// may be the name of another file than the one it stands in.
bool IsFileName(std::string_view title);

// Whether a title is what a program writes where there is none: "Untitled score", "Sans titre".
// ASCII letters may be of either case.
bool IsPlaceholder(std::string_view title);

// The title that a score states: empty where it is only the name of a file or a placeholder.
std::string StatedTitle(std::string title);

// "bach/wtc1/prelude_1.mid" gives "prelude 1": the title of a file that has none.
std::string TitleOfPath(std::string_view relative_path);

// "bach/wtc1/prelude_1.mid" gives "bach": the composer of a file that has none. Empty for a file in
// no folder.
std::string ComposerOfPath(std::string_view relative_path);

}  // namespace antiphon::music

#endif  // ANTIPHON_CORE_MUSIC_FILE_NAMING_H_
