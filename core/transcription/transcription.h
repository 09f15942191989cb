// The notes of a sound.
//
// TranscribeMatched takes them from the scores of a collection: the stretches of scores that match,
// joined along the best path and laid at the sound's own times and pitch (transcription through a
// shared embedding, Marion et al. 2019). Where nothing is near, there is a gap. A plain value and a
// pure function; safe from any thread.
#ifndef ANTIPHON_CORE_TRANSCRIPTION_TRANSCRIPTION_H_
#define ANTIPHON_CORE_TRANSCRIPTION_TRANSCRIPTION_H_

#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"
#include "core/matching/request.h"
#include "core/music/score.h"
#include "core/retrieval/collection.h"

namespace antiphon::transcription {

struct TranscriptionOptions {
  matching::SearchFilter filter = {};  // of the pieces that notes are taken from
  // Of a stretch in which no piece is recognised, -1 to 1; below it there is a gap.
  double min_similarity = 0.5;
  bool velocity = true;   // from the loudness of the sound; false: 64
  bool recognise = true;  // false: only the nearest windows, even of a piece that is recognised
  bool refine = true;     // what is near, by the onsets of the sound; false: as its windows lie
};

// A stretch of the sound, and the stretch of a score whose notes it has.
struct Stretch {
  double start_s = 0, end_s = 0;  // of the sound
  int piece = -1;                 // position in Collection::pieces()
  double score_start_s = 0, score_end_s = 0;
  int transposition = 0;  // semitones by which the sound is above the score
  double similarity = 0;  // mean cosine of its windows
  // 0 to 1: of a piece that is recognised, that it is this piece; else the share of the notes with
  // which something begins in the sound at their pitch.
  double confidence = 0;
  bool aligned = false;  // the piece is recognised and mapped note by note; else: windows
                         // that are near
};

struct Gap {
  double start_s = 0, end_s = 0;
};

// A note ends (offset_s) where its key is released as the score has it; sounding_offset_s adds the
// score's pedal.
struct Transcription {
  std::vector<music::Note> notes;  // by onset, seconds of the sound
  std::vector<int> stretch;        // of each note: position in `stretches`
  std::vector<Stretch> stretches;  // by start_s
  std::vector<Gap> gaps;           // where nothing is near; silence is none
};

// Blocking. Asks `context` whether to go on between steps of at most some seconds of sound. Takes,
// beside the sound, about 4 kB for each second of it, and what one piece's alignment takes
// (performance.h). InvalidArgument: a min_similarity out of its range, sound at another rate than
// the encoder's. Otherwise fails as Collection::IdentifyAudio and ReadScore do.
[[nodiscard]] absl::StatusOr<Transcription> TranscribeMatched(
    const retrieval::Collection& collection, const audio::Waveform& sound,
    const TranscriptionOptions& options, const matching::RequestContext& context = {});

}  // namespace antiphon::transcription

#endif  // ANTIPHON_CORE_TRANSCRIPTION_TRANSCRIPTION_H_
