// Training two encoders into one embedding space, and exporting them.
//
// Blocking functions for one thread, which start others.
#ifndef ANTIPHON_TRAINER_LEARNING_TRAINING_H_
#define ANTIPHON_TRAINER_LEARNING_TRAINING_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "core/features/settings.h"
#include "trainer/learning/train_options.h"

namespace antiphon::trainer::learning {

struct TrainReport {
  int64_t step = 0;
  double loss = 0;
  double learning_rate = 0;
  double pairs_per_second = 0;
  bool validated = false;  // the following are set
  double recall_at_1 = 0;  // mean of both directions, among validation_pairs
  double mean_reciprocal_rank = 0;
  bool best = false;
};

struct TrainSummary {
  int64_t steps = 0;
  int64_t best_step = 0;
  double best_mean_reciprocal_rank = 0;
  std::string model_id;
};

// Trains, or goes on training, until options.steps; writes OUT/checkpoint/ (to resume), OUT/best/
// (highest validation MRR), OUT/training.json (settings, seed, data fingerprints, revision,
// history, and the same of the runs that it began with) and, at the end, OUT/audio_encoder.pt and
// OUT/score_encoder.pt from the best. `report` is called every 50 steps and at each validation;
// returning false stops the run after a checkpoint (Cancelled). InvalidArgument on options out of
// range or stores that do not go together; NotFound where there is no run to begin with;
// FailedPrecondition where OUT/checkpoint is another run's.
[[nodiscard]] absl::StatusOr<TrainSummary> Train(
    const TrainOptions& options, const std::function<bool(const TrainReport&)>& report);

// Exports a network with random weights: the yardstick that every trained one is held against.
[[nodiscard]] absl::Status ExportUntrained(Architecture architecture,
                                           const features::FeatureSettings& settings, int dimension,
                                           uint64_t seed, const std::string& out);

}  // namespace antiphon::trainer::learning

#endif  // ANTIPHON_TRAINER_LEARNING_TRAINING_H_
