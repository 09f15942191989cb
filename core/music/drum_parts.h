// Which channels are drums, and when: channel 10 (counted from 1), and those that a General MIDI 2,
// Roland GS or Yamaha XG file makes drum parts.
//
// Internal to core/music. Stateless functions and a plain value.
#ifndef ANTIPHON_CORE_MUSIC_DRUM_PARTS_H_
#define ANTIPHON_CORE_MUSIC_DRUM_PARTS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/music/tick_score.h"

namespace antiphon::music {

// What a system exclusive message (without its F0) says of the parts; `at` is left for the caller.
// Known are the resets of General MIDI 1 and 2, GS and XG, GS's "use for rhythm part" and XG's
// "part mode".
std::optional<PartChange> ParsePartMessage(std::string_view message);

class DrumParts {
 public:
  // `used`: the channels on which there are notes. GS calls part 10 block 0 and part 11 block A;
  // some files call part 11 block B. That is believed where channel 12 has no notes and channel 11
  // has.
  //
  // A reset acts before whatever else stands at its tick. Under XG, bank 126 or 127 and under
  // General MIDI 2, bank 120 make a channel a drum part with the next program change; bank 121
  // makes it a melodic one.
  DrumParts(std::vector<PartChange> changes, const std::array<bool, kMidiChannels>& used);

  // What holds at a tick includes the changes at that tick.
  bool IsDrums(int channel, int64_t tick) const;

 private:
  struct State {
    int64_t tick;
    bool drums;
  };
  std::array<std::vector<State>, kMidiChannels> states_;  // by tick
};

}  // namespace antiphon::music

#endif  // ANTIPHON_CORE_MUSIC_DRUM_PARTS_H_
