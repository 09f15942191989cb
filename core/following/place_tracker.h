// Several hypotheses of where the music is, each a particle cloud, and which of them holds. The
// place finder offers new ones; what explains the sound better takes over. Belongs to one thread.
// Internal to core/following.
#ifndef ANTIPHON_CORE_FOLLOWING_PLACE_TRACKER_H_
#define ANTIPHON_CORE_FOLLOWING_PLACE_TRACKER_H_

#include <cstdint>
#include <vector>

#include "core/following/particle_cloud.h"
#include "core/following/place_finder.h"
#include "core/following/score_model.h"

namespace antiphon::following {

struct TrackerModel {
  PlayerModel player;
  FinderModel finder;
  int particles = 800;            // of the cloud that follows; of each that is tried, a third
  int tried = 4;                  // clouds at most
  double look_s = 0.1;            // the finder is asked so often
  double least_share = 0.05;      // of all places, for a place to be tried
  double handicap = 2;            // of a new cloud: logarithm
  double far_handicap = 4;        // ... besides, where it is far away
  double far_s = 4;               // of the sound
  double tempo_deviation = 0.35;  // of a new cloud
  double give_up = 12;            // behind the best by so much
  double take_over = 2;           // ahead by so much
};

class PlaceTracker {
 public:
  // Waits for `event`. Borrows the model.
  PlaceTracker(const ScoreModel& model, const TrackerModel& tracker, int event);

  void Step(const SoundFrame& frame);

  struct State {
    ParticleCloud::Place place;
    double probability = 0;
    // 0 to 1: how much of the onsets heard in the last seconds are onsets of the score there.
    double explained = 1;
    int jumps = 0;  // so far: another cloud has taken over, from elsewhere
  };
  State Where() const;

 private:
  struct Hypothesis {
    ParticleCloud cloud;
    double weight = 0;  // logarithm
    double age_s = 0;
    // Of the last seconds, decaying: how strong the onsets heard were, and those of the score.
    double heard = 0, explained = 0;
  };

  void Try();
  void Weigh();
  void Choose();

  const ScoreModel& model_;
  const TrackerModel tracker_;
  FrameEvidence evidence_;
  PlaceFinder finder_;
  std::vector<Hypothesis> hypotheses_;  // the one that holds is first
  int64_t frames_ = 0;
  double tempo_ratio_ = 1;  // when the finder was last asked
  uint64_t seeds_ = 1;
  int jumps_ = 0;
};

}  // namespace antiphon::following

#endif  // ANTIPHON_CORE_FOLLOWING_PLACE_TRACKER_H_
