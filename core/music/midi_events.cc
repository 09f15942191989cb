#include "core/music/midi_events.h"

namespace antiphon::music {

bool MidiEventReader::Malformed(std::string_view what) {
  problem_ = what;
  return false;
}

bool MidiEventReader::CutOff(std::string_view what) {
  cut_off_ = true;
  return Malformed(what);
}

bool MidiEventReader::ReadByte(uint8_t* value) {
  if (position_ >= end_) return CutOff("an event is cut off by the end of its track");
  *value = static_cast<uint8_t>(bytes_[position_++]);
  return true;
}

bool MidiEventReader::ReadDataByte(uint8_t* value) {
  if (!ReadByte(value)) return false;
  if (*value < 0x80) return true;
  --position_;
  return Malformed("a data byte above 127");
}

bool MidiEventReader::ReadVariableLength(uint32_t* value) {
  *value = 0;
  for (int i = 0; i < 4; ++i) {
    uint8_t byte = 0;
    if (!ReadByte(&byte)) return false;
    *value = *value << 7 | (byte & 0x7f);
    if (byte < 0x80) return true;
  }
  return Malformed("a variable-length number of more than 4 bytes");
}

bool MidiEventReader::ReadBody(MidiEvent* event) {
  uint32_t length = 0;
  if (event->IsMeta() && !ReadByte(&event->meta_type)) return false;
  if (!ReadVariableLength(&length)) return false;
  if (length > end_ - position_) {
    too_long_ = true;
    return CutOff("an event is longer than its track");
  }
  event->body = bytes_.substr(position_, length);
  position_ += length;
  return true;
}

bool MidiEventReader::Next(MidiEvent* event) {
  *event = {};
  if (!ReadVariableLength(&event->delta) || !ReadByte(&event->status)) return false;
  if (event->IsRealTime()) return true;
  if (event->status >= 0xf0) {
    if (!event->IsMeta() && event->status != 0xf0 && event->status != 0xf7)
      return Malformed("a system event that files cannot hold");
    return ReadBody(event);
  }
  if (event->status < 0x80) {
    if (running_status_ == 0) return Malformed("a data byte where an event should begin");
    --position_;
    event->status = running_status_;
  }
  running_status_ = event->status;
  const int kind = event->status >> 4;
  const bool has_one_byte = kind == 0xc || kind == 0xd;
  return ReadDataByte(&event->first) && (has_one_byte || ReadDataByte(&event->second));
}

}  // namespace antiphon::music
