// Batches of matching windows for training: each sound has exactly one score in its batch, and each
// score one sound.
//
// Windows lie on the frames of the sound; the score's window lies where the sound's does, to a
// fraction of a frame, and is read at the tempo that the performance has there. Some batches' worth
// is left less exact, since windows of an index and of a query meet at any distance up to half the
// hop and at any tempo between two hypotheses.
//
// Immutable once made; Sample is safe from any thread.
#ifndef ANTIPHON_TRAINER_DATA_PAIR_SAMPLER_H_
#define ANTIPHON_TRAINER_DATA_PAIR_SAMPLER_H_

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/features/settings.h"
#include "trainer/data/feature_store.h"

namespace antiphon::trainer::data {

// How training windows differ from plain ones. Shares are 0 to 1.
struct SamplerOptions {
  // Groups that differ from what snippets are measured on: the score is read at a tempo off by up
  // to tempo_error (log-uniform), 0 to 0.5, and a place off by up to misplacement_s (seconds as
  // played, uniform), 0 to 0.5.
  double tempo_error = 0.12;
  double misplacement_s = 0.15;
  double exact_share = 0.5;    // of groups that have neither error
  double onset_share = 0.6;    // of groups with an onset in the middle of their windows; others
                               // lie up to half a second off
  double repeat_share = 0.3;   // of an exact group's pairs, drawn from repeats of the notes of its
                               // first
  double near_miss_share = 0;  // of exact pairs at a strict tempo, with a near miss of their score
                               // beside them
  std::optional<int> max_transposition;  // semitones, both sides together, 0 to 12; see
                                         // TranspositionFor
  double equalise_deviation_db = 4;      // of a smooth curve over the bands, 0 to 40
  double noise_share = 0.6;   // of windows with a noise floor, 20 to 60 dB under the loudest cell
  double mask_share = 0.3;    // of windows with some bands or frames silenced
  double cut_share = 0.15;    // of windows at a beginning or an end of the sound
  int group = 4;              // pairs drawn near each other in one rendition, with one tempo error
                              // and transposition: hard negatives; 1 to 64
  double group_reach_s = 60;  // how near, seconds of the score, 0.001 to 1,000,000

  // InvalidArgument, with the field and its range, where one is out of it.
  [[nodiscard]] absl::Status Check() const;
};

// The transposition that acts with these features, semitones. A window is transposed by moving its
// bands, so a semitone must be a whole number of them: where it is, the options' own, or 3 where
// they leave it open; where it is not, 0. InvalidArgument where it is not and the options ask for
// more than 0.
[[nodiscard]] absl::StatusOr<int> TranspositionFor(const SamplerOptions& options,
                                                   const features::FeatureSettings& settings);

struct PairBatch {
  int64_t pairs = 0;
  std::vector<uint8_t> audio;  // [pairs, window_frames, 1, bands]
  // [pairs + near_misses, window_frames, 2, pitches]: the counterparts, then windows that are no
  // sound's, each a part of a frame beside a counterpart. All differ. Nothing else tells repeats of
  // the same notes apart.
  std::vector<uint8_t> score;
  int64_t near_misses = 0;
};

class PairSampler {
 public:
  // Requires items with equal settings; those without onsets are left out.
  explicit PairSampler(std::vector<StoreItem> items);

  // Draws places at random from all onsets, and others near each. Within a batch, score windows
  // differ bit for bit and places in one rendition lie at least 0.1 s apart, as played, where they
  // are exact, and twice the misplacement more where they are not. The same seed gives the same
  // batch. Gives fewer pairs when the items have no more. Fails as TranspositionFor does. Requires
  // options within their ranges.
  [[nodiscard]] absl::StatusOr<PairBatch> Sample(int pairs, uint64_t seed,
                                                 const SamplerOptions& options) const;

  // The same without variation: windows around onsets, exact, sound as it is.
  PairBatch SamplePlain(int pairs, uint64_t seed) const;

  int64_t onset_count() const { return static_cast<int64_t>(onsets_.size()); }
  const features::FeatureSettings& settings() const { return settings_; }

 private:
  struct Onset {
    int item = 0;
    float time_s = 0;  // of the score
    int64_t next_repeat =
        0;  // the next onset of the item around which the same notes lie, in a circle; often itself
  };

  void LinkRepeats(int64_t first, int64_t last);

  // Positions in onsets_.
  int64_t Draw(std::mt19937_64& random) const;
  int64_t DrawNear(int64_t anchor, double reach_s, std::mt19937_64& random) const;
  int64_t DrawRepeat(int64_t anchor, std::mt19937_64& random) const;
  int64_t DrawBeside(int64_t anchor, bool exact, const SamplerOptions& options,
                     std::mt19937_64& random) const;

  std::vector<StoreItem> items_;
  std::vector<Onset> onsets_;  // by item, then by time
  features::FeatureSettings settings_;
};

}  // namespace antiphon::trainer::data

#endif  // ANTIPHON_TRAINER_DATA_PAIR_SAMPLER_H_
