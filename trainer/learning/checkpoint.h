// Everything needed to go on with a training run. Internal to trainer/learning; not synchronised.
#ifndef ANTIPHON_TRAINER_LEARNING_CHECKPOINT_H_
#define ANTIPHON_TRAINER_LEARNING_CHECKPOINT_H_

#include <torch/script.h>
#include <torch/torch.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"

namespace antiphon::trainer::learning {

// The two networks in training form, what is learned beside them, and how far the run is.
struct TrainState {
  torch::jit::Module audio, score;
  torch::Tensor log_scale;  // InfoNCE's inverse temperature, logarithm
  std::unique_ptr<torch::optim::AdamW> optimizer;
  nlohmann::json identity;  // what a run that goes on must share with this one
  int64_t step = 0;
  int64_t best_step = 0;
  double best_mean_reciprocal_rank = -1;
  nlohmann::json history = nlohmann::json::array();  // one entry for each validation
};

// Makes the optimizer over all parameters, convolutions' and head's weights decayed, the rest not.
void MakeOptimizer(TrainState& state, double learning_rate, double weight_decay);

// Writes `directory` as a whole: a crash leaves the one before. Unavailable when it can't be
// written.
[[nodiscard]] absl::Status SaveCheckpoint(const TrainState& state, const std::string& directory);

// NotFound when there is none; DataLoss when it does not load.
[[nodiscard]] absl::StatusOr<TrainState> LoadCheckpoint(const std::string& directory,
                                                        const torch::Device& device,
                                                        double learning_rate, double weight_decay);

}  // namespace antiphon::trainer::learning

#endif  // ANTIPHON_TRAINER_LEARNING_CHECKPOINT_H_
