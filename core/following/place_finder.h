// Where in the whole score the music may be, whatever was thought before: the forward algorithm
// over all onsets, without a clock, with jumps from anywhere to anywhere (Nakamura, Nakamura &
// Sagayama 2016). Coarse, and slower to be sure than the particle clouds, to which it offers
// places. Belongs to one thread. Internal to core/following.
#ifndef ANTIPHON_CORE_FOLLOWING_PLACE_FINDER_H_
#define ANTIPHON_CORE_FOLLOWING_PLACE_FINDER_H_

#include <vector>

#include "core/following/score_model.h"

namespace antiphon::following {

struct FinderModel {
  double jump_rate = 0.02;      // jumps a second
  double to_bar_share = 0.8;    // of jumps that go to the beginning of a bar
  double skip_share = 0.02;     // of onsets that are passed over
  double fit_weight = 2;        // of a frame's fit
  double novelty_weight = 0.6;  // of a frame's novelty just after an onset
  double attack_weight = 0.15;  // ... of the pitches that rise
};

class PlaceFinder {
 public:
  // Borrows the model. `event`: the first one expected.
  PlaceFinder(const ScoreModel& model, const FinderModel& finder, int event);

  // Every other frame counts, with the one before it.
  void Step(const SoundFrame& frame, double tempo_ratio);

  struct Candidate {
    int event = 0;       // the last one begun
    double share = 0;    // of all places, near it
    bool begun = false;  // a moment ago
  };
  // The best ones, at least `apart_s` of the score from each other and from `except_s`.
  std::vector<Candidate> Candidates(int count, double apart_s, double except_s) const;

  // Of all places, those within `reach_s` of the score.
  double ShareNear(double score_s, double reach_s) const;

 private:
  const ScoreModel& model_;
  const FinderModel finder_;
  std::vector<double> seconds_;          // of each event, to the next
  std::vector<float> jump_;              // how likely a jump goes there
  std::vector<float> begun_, sounding_;  // of each event: it began a moment ago, or earlier
  SoundFrame frame_;
  bool odd_ = false;
};

}  // namespace antiphon::following

#endif  // ANTIPHON_CORE_FOLLOWING_PLACE_FINDER_H_
