// The events of one track of a Standard MIDI File, one after the other.
//
// Internal to core/music. Not synchronised; borrows the bytes.
#ifndef ANTIPHON_CORE_MUSIC_MIDI_EVENTS_H_
#define ANTIPHON_CORE_MUSIC_MIDI_EVENTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace antiphon::music {

struct MidiEvent {
  uint32_t delta = 0;     // ticks since the event before
  uint8_t status = 0;     // running status resolved; 0xff: a meta event
  uint8_t meta_type = 0;  // of a meta event
  uint8_t first = 0;      // data bytes of a channel event
  uint8_t second = 0;
  std::string_view body;  // of a meta or system exclusive event, without its length

  bool IsMeta() const { return status == 0xff; }
  bool IsEndOfTrack() const { return IsMeta() && meta_type == 0x2f; }
  // Clock and the like, which files cannot hold but some do.
  bool IsRealTime() const { return status >= 0xf8 && status < 0xff; }
};

class MidiEventReader {
 public:
  // Reads bytes[position, end). Requires position <= end <= bytes.size().
  MidiEventReader(std::string_view bytes, size_t position, size_t end)
      : bytes_(bytes), position_(position), end_(end) {}

  // The next event; false when it is cut off by the end or malformed. Requires !AtEnd(), and that
  // no call has failed.
  bool Next(MidiEvent* event);

  bool AtEnd() const { return position_ >= end_; }
  size_t position() const { return position_; }  // of the next byte

  // Of a call that failed: the event goes beyond the end; otherwise it is malformed.
  bool cut_off() const { return cut_off_; }
  // The body of the event that is cut off was said to be longer than what is left.
  bool too_long() const { return too_long_; }
  const std::string& problem() const { return problem_; }

 private:
  bool Malformed(std::string_view what);
  bool CutOff(std::string_view what);
  bool ReadByte(uint8_t* value);
  bool ReadDataByte(uint8_t* value);
  bool ReadVariableLength(uint32_t* value);
  bool ReadBody(MidiEvent* event);

  const std::string_view bytes_;
  size_t position_;
  const size_t end_;
  uint8_t running_status_ = 0;
  bool cut_off_ = false;
  bool too_long_ = false;
  std::string problem_;
};

}  // namespace antiphon::music

#endif  // ANTIPHON_CORE_MUSIC_MIDI_EVENTS_H_
