// Walking folders of music: the one way in which every command finds its files. Stateless; safe
// from any thread.
#ifndef ANTIPHON_TRAINER_DATA_MIDI_FILES_H_
#define ANTIPHON_TRAINER_DATA_MIDI_FILES_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace antiphon::trainer::data {

struct SourceFile {
  std::filesystem::path path;
  std::string relative;  // below the folder, with '/', valid UTF-8

  std::string name() const {
    return path.stem().string();
  }  // the file's own, without its extension
};

// The regular files below `folder` with one of the extensions (lower case, with the dot; any case
// matches), in order of their paths. Folders that must not be read, folders whose names end like a
// file's and links to nowhere are passed over. NotFound when `folder` is none, Unavailable when
// reading it fails half-way.
[[nodiscard]] absl::StatusOr<std::vector<SourceFile>> FilesBelow(
    const std::string& folder, const std::vector<std::string>& extensions);

// Those that end in .mid or .midi.
[[nodiscard]] absl::StatusOr<std::vector<SourceFile>> MidiFilesBelow(const std::string& folder);

}  // namespace antiphon::trainer::data

#endif  // ANTIPHON_TRAINER_DATA_MIDI_FILES_H_
