// Where the music truly is at each moment of a sound, and how far a follower's answers are from it.
// Plain values and pure functions; safe from any thread.
#ifndef ANTIPHON_TRAINER_EVALUATION_FOLLOWING_FOLLOWED_SOUND_H_
#define ANTIPHON_TRAINER_EVALUATION_FOLLOWING_FOLLOWED_SOUND_H_

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/following/follower.h"
#include "core/music/score.h"
#include "core/music/time_map.h"

namespace antiphon::trainer::evaluation {

// A note that was played as it is written.
struct HeardNote {
  double sound_s = 0;  // its onset, of the performance
  double score_s = 0;  // ... of the score
};

// Each note played beside the note of the score that it is: the nearest one of its pitch, at most
// `tolerance_s` of the performance away from where `guess` (from seconds of the performance to
// seconds of the score) has it; none twice. Notes that are nothing of the score are left out.
std::vector<HeardNote> MatchNotes(std::span<const music::Note> played,
                                  std::span<const music::Note> written, const music::TimeMap& guess,
                                  double tolerance_s);

// Through the notes: what begins together in the score is where the middle one of its notes is
// heard. FailedPrecondition where fewer than two places are left that rise in both clocks.
[[nodiscard]] absl::StatusOr<music::TimeMap> MapThroughNotes(std::span<const HeardNote> notes);

// A stretch of a performance that is played in a sound made of such.
struct Passage {
  double sound_s = 0;        // where it begins in the sound
  double performance_s = 0;  // ... in the performance
  double length_s = 0;       // > 0
};

// What a follower hears: a performance, or passages of it one after the other.
struct FollowedSound {
  music::TimeMap map;             // from seconds of the performance to seconds of the score
  std::vector<double> onsets;     // of notes, seconds of the performance, rising
  std::vector<Passage> passages;  // without gaps; the first begins at 0 of the sound
};

// Of each note, in the order of the sound: how far the first answer after its onset was from where
// the music was then, in seconds of the performance; positive where the answer is ahead. Notes
// after the last answer are left out.
struct NoteError {
  double sound_s = 0;  // the note's onset in the sound
  double error_s = 0;
  double probability = 0;  // as the answer has it
};
std::vector<NoteError> MeasureNotes(const FollowedSound& sound,
                                    std::span<const following::FollowAnswer> answers);

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_FOLLOWING_FOLLOWED_SOUND_H_
