// Standard MIDI Files put together by hand, byte by byte, independently of the writer: well-formed,
// or broken on purpose.
#ifndef ANTIPHON_TESTS_SUPPORT_MIDI_BYTES_H_
#define ANTIPHON_TESTS_SUPPORT_MIDI_BYTES_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace antiphon::testing {

inline std::string BigEndianBytes(uint64_t value, int count) {
  std::string bytes;
  for (int i = count - 1; i >= 0; --i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

inline std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += static_cast<char>(value);
  return bytes;
}

inline std::string VariableLength(uint32_t value) {
  std::string bytes(1, static_cast<char>(value & 0x7f));
  while ((value >>= 7) != 0) bytes.insert(bytes.begin(), static_cast<char>(0x80 | (value & 0x7f)));
  return bytes;
}

inline std::string Chunk(std::string_view type, std::string_view body) {
  return std::string(type) + BigEndianBytes(body.size(), 4) + std::string(body);
}

inline std::string MidiHeader(int format, int tracks, int division) {
  return Chunk("MThd", BigEndianBytes(static_cast<uint64_t>(format), 2) +
                           BigEndianBytes(static_cast<uint64_t>(tracks), 2) +
                           BigEndianBytes(static_cast<uint64_t>(division) & 0xffff, 2));
}

// The events of one track in order, each after `delta` ticks. Channels from 0.
class MidiTrack {
 public:
  MidiTrack& Raw(uint32_t delta, std::string_view event) {
    events_ += VariableLength(delta);
    events_ += event;
    return *this;
  }
  MidiTrack& On(uint32_t delta, int pitch, int velocity = 64, int channel = 0) {
    return Raw(delta, Bytes({0x90 | channel, pitch, velocity}));
  }
  MidiTrack& Off(uint32_t delta, int pitch, int channel = 0) {
    return Raw(delta, Bytes({0x80 | channel, pitch, 0}));
  }
  MidiTrack& Pedal(uint32_t delta, int value, int channel = 0) {
    return Raw(delta, Bytes({0xb0 | channel, 64, value}));
  }
  MidiTrack& Meta(uint32_t delta, int type, std::string_view data) {
    return Raw(delta, Bytes({0xff, type}) + VariableLength(static_cast<uint32_t>(data.size())) +
                          std::string(data));
  }
  MidiTrack& Name(std::string_view text) { return Meta(0, 0x03, text); }
  MidiTrack& Tempo(uint32_t delta, uint32_t microseconds) {
    return Meta(delta, 0x51, BigEndianBytes(microseconds, 3));
  }
  MidiTrack& Metre(uint32_t delta, int numerator, int log_denominator) {
    return Meta(delta, 0x58, Bytes({numerator, log_denominator, 24, 8}));
  }
  MidiTrack& Key(uint32_t delta, int fifths, int minor) {
    return Meta(delta, 0x59, Bytes({fifths & 0xff, minor}));
  }

  // The chunk without, and with, End of Track.
  std::string Open() const { return Chunk("MTrk", events_); }
  std::string End(uint32_t delta = 0) const {
    return MidiTrack(*this).Meta(delta, 0x2f, "").Open();
  }

 private:
  std::string events_;
};

inline std::string MidiFile(int format, int division, const std::vector<std::string>& tracks) {
  std::string file = MidiHeader(format, static_cast<int>(tracks.size()), division);
  for (const std::string& track : tracks) file += track;
  return file;
}

}  // namespace antiphon::testing

#endif  // ANTIPHON_TESTS_SUPPORT_MIDI_BYTES_H_
