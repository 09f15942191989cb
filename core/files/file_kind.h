// What a file is, by its first bytes, whatever its name ends in: for everything that takes files
// from people. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_FILES_FILE_KIND_H_
#define ANTIPHON_CORE_FILES_FILE_KIND_H_

#include <cstddef>
#include <string_view>

namespace antiphon::files {

enum class FileKind {
  kUnknown,
  kAudio,        // of any format; whether it can be decoded is the decoder's to say
  kMidi,         // a Standard MIDI File, also within RIFF or MacBinary or behind white space
  kNotation,     // a score that is read: MusicXML, Humdrum, ABC
  kUnreadScore,  // ... and one that is not, such as MEI
  kOther,        // known, and no music: PDF, pictures, archives
};

// Whether core/scores/read_score.h reads it.
constexpr bool IsScore(FileKind kind) {
  return kind == FileKind::kMidi || kind == FileKind::kNotation;
}

struct FileType {
  FileKind kind = FileKind::kUnknown;
  std::string_view name;  // "FLAC", "MusicXML", of static storage; empty for kUnknown
};

// So many bytes are enough, and fewer are read as what there is: MP3 frames and the fields of ABC
// stand behind what else is in front.
inline constexpr size_t kFileHeadBytes = 8192;

// `head` is the beginning of the file.
FileType TypeOf(std::string_view head);

}  // namespace antiphon::files

#endif  // ANTIPHON_CORE_FILES_FILE_KIND_H_
