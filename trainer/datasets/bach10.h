// The Bach10 recordings (Duan and Pardo 2011): chorales by four players, each alone and all
// together, with the place of every note in the sound and in the score.
#ifndef ANTIPHON_TRAINER_DATASETS_BACH10_H_
#define ANTIPHON_TRAINER_DATASETS_BACH10_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/music/score.h"

namespace antiphon::trainer::datasets {

struct AlignedNote {
  double sound_s = 0;  // onset, seconds of the recording
  double score_s = 0;  // onset, seconds of the score that was played from
  int pitch = 60;      // MIDI note number
  int voice = 1;       // 1 to 4, from the highest
};

struct Bach10Recording {
  std::string path;
  std::string instrument;  // "violin", "clarinet", "saxophone", "bassoon"; "mix" of all four
  int voice = 0;           // that the instrument plays; 0 is all
};

struct Bach10Piece {
  std::string name;                         // "01-AchGottundHerr"
  std::vector<AlignedNote> notes;           // in order of the sound
  std::vector<Bach10Recording> recordings;  // the mix first, then from the highest voice
};

// The mix, then the instruments from the highest voice.
const std::vector<std::string>& Bach10Instruments();

// Lines of "onset in the sound (ms), onset in the score (ms), pitch, voice", separated by white
// space. InvalidArgument, with the line, where that is not what it holds.
[[nodiscard]] absl::StatusOr<std::vector<AlignedNote>> ParseAlignedNotes(std::string_view text);

// The pieces in `folder` that are recorded, by their names: NAME.txt beside NAME.flac and
// NAME-INSTRUMENT.flac. NotFound when the folder or a recording is not there, or no piece is.
[[nodiscard]] absl::StatusOr<std::vector<Bach10Piece>> ReadBach10(const std::string& folder);

// What a recording of the voice (0: of all) has within a stretch of the sound, as it is written:
// seconds of the score from the first of these notes on, sorted as those of a score. Notes that
// began before are not among them.
std::vector<music::Note> WrittenWithin(const std::vector<AlignedNote>& notes, int voice,
                                       double start_s, double length_s);

}  // namespace antiphon::trainer::datasets

#endif  // ANTIPHON_TRAINER_DATASETS_BACH10_H_
