// From the bytes of a Standard MIDI File to notes and changes in ticks.
//
// Internal to core/music. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_MUSIC_MIDI_PARSER_H_
#define ANTIPHON_CORE_MUSIC_MIDI_PARSER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/music/midi_file.h"
#include "core/music/tick_score.h"

namespace antiphon::music {

// Collects what is to be said of a file, and no more than kMaxScoreWarnings of it.
class Warnings {
 public:
  void Add(std::string warning);

  // The last one says how many more there were, if there were.
  std::vector<std::string> Take() &&;

 private:
  std::vector<std::string> kept_;
  int more_ = 0;
};

// As ReadMidi (midi_file.h), but without time, pedals and drums: drum notes are among the notes.
[[nodiscard]] absl::StatusOr<TickScore> ParseMidi(std::string_view bytes, const MidiLimits& limits,
                                                  Warnings& warnings);

}  // namespace antiphon::music

#endif  // ANTIPHON_CORE_MUSIC_MIDI_PARSER_H_
