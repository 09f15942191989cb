// Where in a known score the music is, while it is being played.
//
// A hidden Markov model over the place in the score and the tempo, on causal evidence of pitches
// and onsets: the bar pointer model (Whiteley, Cemgil & Godsill 2006; Krebs, Böck & Widmer 2015)
// over the onsets of a score, with states for waiting (Raphael 1999; Cont 2010) and jumps to the
// beginnings of bars (Nakamura, Nakamura & Sagayama 2016). The forward algorithm runs over all of
// the score, so that every answer is the likeliest place given all that was heard. There is no
// delay to wait out: what is heard late is expected late.
//
// Belongs to one thread at a time. Memory does not grow with the sound; time per second of sound is
// bounded by the length of the score.
#ifndef ANTIPHON_CORE_FOLLOWING_FOLLOWER_H_
#define ANTIPHON_CORE_FOLLOWING_FOLLOWER_H_

#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/check_range.h"
#include "core/music/score.h"

namespace antiphon::following {

inline constexpr double kMaxScore_s = 4 * 3600;                  // of the score, seconds
inline constexpr int kMaxOnsets = 100'000;                       // distinct ones
inline constexpr Range<int> kSampleRateRange = {8000, 192'000};  // Hz

enum class FollowEvent {
  kUpdate,      // the music goes on
  kStarted,     // the first notes of the score, or of the place where it began
  kWaiting,     // nothing new is played: a fermata, a pause
  kLost,        // where the music is can't be told
  kFoundAgain,  // ... and now it can
  kJumped,      // to another place: a repeat left out or taken, somebody practises
  kEnded,       // the last note has been played
};

struct FollowOptions {
  double start_s = 0;  // of the score: where playing is expected to begin; 0 to kMaxScore_s
  static constexpr Range<double> kUpdateRange = {0.02, 1};
  double update_s = 0.1;  // of sound between answers
};

struct FollowAnswer {
  FollowEvent event = FollowEvent::kUpdate;
  double at_s = 0;         // of the sound received
  double score_s = 0;      // of the score as written out: where the music is at at_s
  double tempo_ratio = 1;  // tempo played over tempo written
  double probability = 0;  // 0 to 1: that score_s is right, within about 0.25 s of the sound
  int onset = -1;          // the last one played, position in music::DistinctOnsets; -1: none yet
};

class ScoreFollower {
 public:
  // Copies what it needs of the score. `sample_rate`: Hz, of the samples to come. InvalidArgument:
  // a sample rate or options out of their ranges, a score with fewer than two distinct onsets, with
  // more than kMaxOnsets, or longer than kMaxScore_s.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ScoreFollower>> Create(
      const music::Score& score, int sample_rate, const FollowOptions& options = {});
  ~ScoreFollower();

  // Mono samples, any number of them, full scale ±1; one that is not finite counts as silence.
  // Answers do not depend on how the sound is cut. Returns the answers that became due.
  std::vector<FollowAnswer> Push(std::span<const float> samples);
  // The end of the sound.
  std::vector<FollowAnswer> Finish();

 private:
  struct Impl;
  explicit ScoreFollower(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::following

#endif  // ANTIPHON_CORE_FOLLOWING_FOLLOWER_H_
