// Where the Standard MIDI File lies in the bytes of a file: people keep them wrapped as RMID (RIFF)
// or MacBinary, and behind blank lines that a download or a mail program left.
//
// Internal to core/music, but for LooksLikeMidi (midi_file.h). Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_MUSIC_MIDI_CONTAINER_H_
#define ANTIPHON_CORE_MUSIC_MIDI_CONTAINER_H_

#include <cstddef>
#include <optional>
#include <string_view>

namespace antiphon::music {

struct ContainedMidi {
  std::string_view bytes;  // from MThd on; a part of what was given
  size_t offset = 0;       // of `bytes` in what was given
  // Bytes before MThd that belong to no known wrapper.
  size_t passed_over = 0;
};

// Nothing when there is no MIDI file: none at the start, in an RMID or MacBinary file, or behind at
// most kMostBytesBeforeMidi bytes.
inline constexpr size_t kMostBytesBeforeMidi = 1024;
std::optional<ContainedMidi> FindMidi(std::string_view bytes);

}  // namespace antiphon::music

#endif  // ANTIPHON_CORE_MUSIC_MIDI_CONTAINER_H_
