#include "core/music/midi_container.h"

#include <algorithm>
#include <cstdint>

#include "core/music/midi_file.h"

namespace antiphon::music {
namespace {

constexpr std::string_view kMagic = "MThd";
constexpr size_t kMacBinaryHeader = 128;

uint32_t Byte(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }

// The caller has seen to it that four bytes are there.
uint32_t LittleEndian32(std::string_view bytes, size_t at) {
  return Byte(bytes, at) | Byte(bytes, at + 1) << 8 | Byte(bytes, at + 2) << 16 |
         Byte(bytes, at + 3) << 24;
}
uint32_t BigEndian32(std::string_view bytes, size_t at) {
  return Byte(bytes, at) << 24 | Byte(bytes, at + 1) << 16 | Byte(bytes, at + 2) << 8 |
         Byte(bytes, at + 3);
}

// The data chunk of a RIFF file of type RMID (MMA, RP-029). A length that goes beyond the end of
// the file is taken for the rest of it.
std::optional<ContainedMidi> InRmid(std::string_view bytes) {
  if (bytes.substr(0, 4) != "RIFF" || bytes.substr(std::min<size_t>(8, bytes.size()), 4) != "RMID")
    return std::nullopt;
  for (size_t at = 12; bytes.size() - at >= 8;) {
    const size_t length = std::min<size_t>(LittleEndian32(bytes, at + 4), bytes.size() - at - 8);
    if (bytes.substr(at, 4) == "data") {
      const std::string_view data = bytes.substr(at + 8, length);
      if (!data.starts_with(kMagic)) return std::nullopt;
      return ContainedMidi{data, at + 8};
    }
    at = std::min(at + 8 + length + length % 2, bytes.size());
  }
  return std::nullopt;
}

// The data fork behind a MacBinary header: byte 0 is 0, the file's name has 1 to 63 bytes, and the
// fork's length is at 83.
std::optional<ContainedMidi> InMacBinary(std::string_view bytes) {
  if (bytes.size() < kMacBinaryHeader + kMagic.size() || bytes[0] != 0 || Byte(bytes, 1) < 1 ||
      Byte(bytes, 1) > 63 || bytes.substr(kMacBinaryHeader, kMagic.size()) != kMagic) {
    return std::nullopt;
  }
  return ContainedMidi{bytes.substr(kMacBinaryHeader, BigEndian32(bytes, 83)), kMacBinaryHeader};
}

}  // namespace

std::optional<ContainedMidi> FindMidi(std::string_view bytes) {
  if (bytes.starts_with(kMagic)) return ContainedMidi{bytes};
  if (const auto found = InRmid(bytes)) return found;
  if (const auto found = InMacBinary(bytes)) return found;
  // The length of the header, which is always 6, tells it from a text about MIDI files.
  constexpr std::string_view kHeader("MThd\0\0\0\6", 8);
  const size_t at = bytes.substr(0, kMostBytesBeforeMidi + kHeader.size()).find(kHeader);
  if (at == std::string_view::npos) return std::nullopt;
  return ContainedMidi{bytes.substr(at), at, at};
}

bool LooksLikeMidi(std::string_view bytes) { return FindMidi(bytes).has_value(); }

}  // namespace antiphon::music
