// What of a score is played in a recording, and when: passages in the order in which they are
// heard, with repeats left out or added and cuts, the second of every note and beat in them, and
// how sure each is.
//
// A coarse path over the whole recording on chroma finds the passages: it may leave a bar for the
// beginning of any other, at a cost (dynamic time warping with jumps, Fremerey, Müller & Clausen
// 2010). The score as it is played, passage after passage, is then laid finely beside the sound, as
// AlignToScore (alignment.h) does it, so that the sound says where in it each passage ends. Jumps
// are believed if sound and score belong together more with them than without.
//
// Plain values and pure functions; safe from any thread.
#ifndef ANTIPHON_CORE_ALIGNMENT_PERFORMANCE_H_
#define ANTIPHON_CORE_ALIGNMENT_PERFORMANCE_H_

#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/features/feature_sequence.h"
#include "core/features/settings.h"
#include "core/music/score.h"
#include "core/music/time_map.h"

namespace antiphon::alignment {

// How the music comes to a passage from the one before it.
enum class Entry {
  kBegins,         // the first passage
  kRepeatLeftOut,  // ahead, past a stretch whose print was played just before
  kRepeatAdded,    // back to what has been played
  kCut,            // ahead, past what is played nowhere
};

// A stretch of the recording that follows the score without a jump.
struct PlayedPassage {
  Entry entry = Entry::kBegins;
  music::TimeMap map;  // from seconds of the recording to seconds of the score as it is written out
  double start_s = 0, end_s = 0;              // of the recording
  double score_start_s = 0, score_end_s = 0;  // of the score, as it is written out
};

struct PlayedNote {
  int note = 0;                      // position in Score::notes
  int passage = 0;                   // position in Performance::passages
  double onset_s = 0, offset_s = 0;  // of the recording
  double doubt = 0;                  // 0: sure; 1: nothing in the sound says so
};

struct PlayedBeat {
  double score_s = 0;  // of the score; what it is there: music::PositionAt
  int passage = 0;
  double at_s = 0;              // of the recording
  double beats_per_minute = 0;  // quarter notes a minute from here to the next beat, > 0
  double doubt = 0;             // as above, of the stretch up to the next beat
};

struct Performance {
  // 0 to 1: how far sound and score belong together. Below kBelongTogether they do not, and the
  // lists are empty.
  double agreement = 0;
  std::vector<PlayedPassage> passages;  // by start_s, without overlap
  std::vector<PlayedNote> notes;  // by onset_s; a note of a repeat is there as often as played
  std::vector<PlayedBeat> beats;  // by at_s
};

inline constexpr double kBelongTogether = 0.5;

inline constexpr double kMaxRecording_s = 6 * 3600;
inline constexpr double kMaxScore_s = 12 * 3600;
inline constexpr int kMaxScoreNotes = 500'000;

struct PerformanceOptions {
  // Which part of the score may be played, seconds; by default all of it.
  double score_start_s = 0;
  double score_end_s = std::numeric_limits<double>::infinity();
  bool jumps = true;  // false: what is played is what is written, from start to end
  // Asked many times a second, however long the score is; a failure ends the work.
  std::function<absl::Status()> check = nullptr;
};

// The settings whose spectrograms are aligned most exactly; with frames further apart (those of a
// model, say) onsets are less exact, and that is all.
[[nodiscard]] features::FeatureSettings PerformanceSettings();

// `spectrogram` is ComputeSpectrogram's with these settings: of a whole performance or of an
// excerpt that begins and ends anywhere. `score.notes` are sorted by onset. Jumps are found between
// beats, mostly bar lines, if what is passed over or played again is longer than a few bars.
//
// Memory beside the arguments: about 80 MB for hours, since the fine map is made minutes at a time
// and of the coarse path one row in a hundred or so is kept. Errors as AlignToScore;
// ResourceExhausted: a recording longer than kMaxRecording_s, a score longer than kMaxScore_s, of
// more than kMaxScoreNotes notes, or of more beats than BeatGrid allows (beat_grid.h).
[[nodiscard]] absl::StatusOr<Performance> AlignPerformance(
    const features::FeatureSequence& spectrogram, const features::FeatureSettings& settings,
    const music::Score& score, const PerformanceOptions& options = {});

}  // namespace antiphon::alignment

#endif  // ANTIPHON_CORE_ALIGNMENT_PERFORMANCE_H_
