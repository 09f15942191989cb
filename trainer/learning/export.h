// Writes a trained pair of networks as the two files that a model is. Internal to trainer/learning.
#ifndef ANTIPHON_TRAINER_LEARNING_EXPORT_H_
#define ANTIPHON_TRAINER_LEARNING_EXPORT_H_

#include <torch/script.h>

#include <string>

#include "absl/status/statusor.h"
#include "trainer/learning/network.h"

namespace antiphon::trainer::learning {

// Folds both networks, stores their parameters in bfloat16, and writes OUT/audio_encoder.pt and
// OUT/score_encoder.pt, each under a temporary name first. Returns the model id: architecture,
// dimension and the first digits of a hash of all parameters. The modality of `spec` is ignored.
[[nodiscard]] absl::StatusOr<std::string> ExportModel(const NetworkSpec& spec,
                                                      const torch::jit::Module& audio,
                                                      const torch::jit::Module& score,
                                                      const std::string& out);

}  // namespace antiphon::trainer::learning

#endif  // ANTIPHON_TRAINER_LEARNING_EXPORT_H_
