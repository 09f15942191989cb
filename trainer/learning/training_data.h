// What a run learns from and is validated on. Internal to trainer/learning; immutable once loaded.
#ifndef ANTIPHON_TRAINER_LEARNING_TRAINING_DATA_H_
#define ANTIPHON_TRAINER_LEARNING_TRAINING_DATA_H_

#include <nlohmann/json.hpp>

#include "absl/status/statusor.h"
#include "trainer/data/pair_sampler.h"
#include "trainer/learning/train_options.h"

namespace antiphon::trainer::learning {

struct TrainingData {
  data::PairSampler train, valid;
  nlohmann::json fingerprints = nlohmann::json::object();  // of each store
};

// Reads the stores without the test parts and what the options exclude; logs excluded names that no
// store has. InvalidArgument where the stores' features differ or a part is empty; otherwise fails
// as the feature store does.
[[nodiscard]] absl::StatusOr<TrainingData> LoadData(const TrainOptions& options);

}  // namespace antiphon::trainer::learning

#endif  // ANTIPHON_TRAINER_LEARNING_TRAINING_DATA_H_
