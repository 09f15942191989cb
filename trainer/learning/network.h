// The encoder networks, as scripted modules made from generated TorchScript source: what is trained
// is what is exported.
//
// Internal to trainer/learning, the trainer's adapter to LibTorch; other folders include
// training.h. Modules are not synchronised.
#ifndef ANTIPHON_TRAINER_LEARNING_NETWORK_H_
#define ANTIPHON_TRAINER_LEARNING_NETWORK_H_

#include <torch/script.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "core/encoder/window_encoder.h"
#include "trainer/learning/train_options.h"

namespace antiphon::trainer::learning {

// One encoder's shape.
struct NetworkSpec {
  Architecture architecture = Architecture::kResidual;
  encoder::Modality modality = encoder::Modality::kAudio;
  features::FeatureSettings settings;
  int dimension = 64;
};

// forward(cells: uint8 [n, window_frames, channels, bands]) -> float32 [n, dimension], rows
// L2-normalised. Parameters are float32 and drawn from the seed (He et al. 2015); the layers
// compute in `compute`. Starts in training mode.
torch::jit::Module MakeTrainable(const NetworkSpec& spec, uint64_t seed, torch::Dtype compute);

// Gives `into` the function of `from`, a smaller network whose layers are found in `into` by name
// (Net2Net, Chen et al. 2016): channels that `from` lacks are drawn as `into` has them and are
// listened to by no layer that was there; a kernel with twice the span gets every other weight, for
// a layer whose input has every frame and not every other. InvalidArgument, with `into` spoilt,
// where a layer is missing or too small.
[[nodiscard]] absl::Status Grow(const torch::jit::Module& from, torch::jit::Module& into);

// The same function in evaluation mode: batch norms folded into the convolutions before them,
// parameters stored as `stored`.
torch::jit::Module FoldForExport(const NetworkSpec& spec, const torch::jit::Module& trained,
                                 torch::Dtype stored);

// The TorchScript source of either form, for people to read.
std::string NetworkSource(const NetworkSpec& spec, bool folded);

}  // namespace antiphon::trainer::learning

#endif  // ANTIPHON_TRAINER_LEARNING_NETWORK_H_
