// A score as the follower expects to hear it: its onsets in order, what each would add to the
// sound, and what sounds between them. Made once, then read only; safe to share between threads.
// Internal to core/following.
#ifndef ANTIPHON_CORE_FOLLOWING_SCORE_MODEL_H_
#define ANTIPHON_CORE_FOLLOWING_SCORE_MODEL_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/following/semitone_analyzer.h"
#include "core/music/score.h"

namespace antiphon::following {

// Notes that begin together.
struct ScoreEvent {
  double onset_s = 0;   // of the score
  int first_slice = 0;  // that begins with it
  // A bar begins between the event before and this one, or with this one.
  bool begins_bar = false;
  // The evidence for it: the sum of `attack_weights` times the onsets heard, and this.
  float attack_constant = 0;
  int attack_begin = 0, attack_end = 0;  // its cells
};

// A stretch in which the same notes sound.
struct ScoreSlice {
  double start_s = 0;
  int event = 0;  // the last one before its end
};

class ScoreModel {
 public:
  // Requires notes. `analyzer` is of the sound that will be compared: the notes of the score are
  // heard through it.
  ScoreModel(const music::Score& score, SemitoneAnalyzer& analyzer);

  const std::vector<ScoreEvent>& events() const { return events_; }
  const std::vector<ScoreSlice>& slices() const { return slices_; }
  double end_s() const { return end_s_; }  // of the last note

  // How well what is heard fits what sounds in a slice: the cosine of both, 0 to 1.
  float Fit(int slice, const SoundFrame& frame) const;

  // For an event against any other: that it has begun a moment ago, by the pitches that rise.
  float Attack(int event, const SoundFrame& frame) const;

 private:
  struct AttackCell {
    int pitch;  // from the lowest
    float weight;
  };

  void FindEvents(const music::Score& score);
  void FindSlices(const music::Score& score);
  void MarkBars(const music::Score& score);

  std::vector<ScoreEvent> events_;
  std::vector<ScoreSlice> slices_;
  std::vector<AttackCell> attacks_;
  std::vector<Pitches> expected_;                  // of each slice, of unit length
  std::vector<Pitches> note_steady_, note_brief_;  // of each pitch: magnitudes, the loudest 1
  double end_s_ = 0;
};

// For any event against none: that one has begun a moment ago. The logarithm of a ratio of
// likelihoods, as in renditions of scores; 0 where that speaks for none.
float Novelty(const SoundFrame& frame);

}  // namespace antiphon::following

#endif  // ANTIPHON_CORE_FOLLOWING_SCORE_MODEL_H_
