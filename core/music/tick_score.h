// What a Standard MIDI File says, in ticks: what the parser makes of bytes, before the reader gives
// it time. Internal to core/music. Plain values.
#ifndef ANTIPHON_CORE_MUSIC_TICK_SCORE_H_
#define ANTIPHON_CORE_MUSIC_TICK_SCORE_H_

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "core/music/tempo_map.h"

namespace antiphon::music {

inline constexpr int kMidiChannels = 16;
inline constexpr int kMidiPitches = 128;
inline constexpr int kMidiDrumChannel = 9;  // counted from 0: the musician's channel 10

// A place in the order in which a player would meet the events: by tick, then as they stand in the
// file.
struct Moment {
  int64_t tick = 0;
  int64_t order = 0;
  auto operator<=>(const Moment&) const = default;
};

struct TickNote {
  Moment onset;
  Moment offset;
  int64_t sounding_offset = 0;  // tick
  uint8_t pitch = 0;
  uint8_t velocity = 0;
  uint8_t channel = 0;
  int track = 0;
};

struct PedalChange {
  Moment at;
  bool down = false;
};

struct ProgramChange {
  Moment at;
  uint8_t program = 0;
};

// What makes a channel a drum part or a melodic one.
struct PartChange {
  enum class Kind : uint8_t {
    kGmReset,
    kGm2Reset,
    kGsReset,
    kXgReset,
    kDrums,    // the channel becomes a drum part
    kMelodic,  // ... a melodic one
    kBank,     // bank select (controller 0) of `value`
    kProgram,  // program change, which makes the bank hold
  };
  Moment at;
  Kind kind = Kind::kGmReset;
  uint8_t channel = 0;
  uint8_t value = 0;
  // Of a GS message: the part was given by its block, from 0 to 15; see DrumParts.
  bool by_gs_block = false;
};

// A tempo change or a signature: the tick in place of the beat, which is not known yet.
template <typename Change>
struct Ticked {
  int64_t tick = 0;
  Change change;
};

struct TickScore {
  std::string title;
  std::vector<std::string> track_names;  // the first of each track, as in the file, or empty
  bool smpte = false;
  double ticks_per_unit = 1;  // per quarter note, or per second where smpte
  std::vector<TickNote> notes;
  std::array<std::vector<PedalChange>, kMidiChannels> pedals;
  std::array<std::vector<ProgramChange>, kMidiChannels> programs;
  std::vector<PartChange> parts;
  std::vector<Ticked<TempoChange>> tempi;
  std::vector<Ticked<TimeSignature>> signatures;
  std::vector<Ticked<KeySignature>> keys;
  int64_t end = 0;  // tick of the last event
};

}  // namespace antiphon::music

#endif  // ANTIPHON_CORE_MUSIC_TICK_SCORE_H_
