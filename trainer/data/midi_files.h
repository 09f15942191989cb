// Walking folders of music: the one way in which every command finds its files. Stateless; safe
// from any thread.
#ifndef ANTIPHON_TRAINER_DATA_MIDI_FILES_H_
#define ANTIPHON_TRAINER_DATA_MIDI_FILES_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace antiphon::trainer::data {

// Of scores of every kind that is read; lower case.
const std::vector<std::string>& ScoreEndings();

struct SourceFile {
  std::filesystem::path path;
  std::string relative;  // below the folder, with '/', valid UTF-8 in normalisation form C

  std::string name() const {
    return path.stem().string();
  }  // the file's own, without its extension
};

// How many files of a kind a walk passed over, by what they are: ".txt", "without an ending", "link
// to nowhere", "link to a folder", "folder that must not be read".
using PassedOver = std::map<std::string, int64_t>;

// "12 .kar, 3 .m4a, 1 link to nowhere"; the most frequent first.
std::string ToText(const PassedOver& passed_over);

// The regular files below `folder` with one of the endings (lower case, with the dot; any case
// matches), in order of their paths. The others are counted in `passed_over`, if given, but for the
// folder's metadata.tsv. NotFound when `folder` is none, Unavailable when reading it fails
// half-way.
[[nodiscard]] absl::StatusOr<std::vector<SourceFile>> FilesBelow(
    const std::string& folder, const std::vector<std::string>& endings,
    PassedOver* passed_over = nullptr);

// Those with one of ScoreEndings(), and what is called .xml and holds MusicXML.
[[nodiscard]] absl::StatusOr<std::vector<SourceFile>> MidiFilesBelow(
    const std::string& folder, PassedOver* passed_over = nullptr);

}  // namespace antiphon::trainer::data

#endif  // ANTIPHON_TRAINER_DATA_MIDI_FILES_H_
