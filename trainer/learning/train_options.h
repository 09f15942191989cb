// What a training run is told, and the names of what it can be told. Plain values.
#ifndef ANTIPHON_TRAINER_LEARNING_TRAIN_OPTIONS_H_
#define ANTIPHON_TRAINER_LEARNING_TRAIN_OPTIONS_H_

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trainer/data/pair_sampler.h"

namespace antiphon::trainer::learning {

enum class Architecture {
  kResidual,      // residual network with a strided stem, ReLU (after He et al. 2016)
  kResidualFine,  // the same, wider and with a stem that keeps every frame
  kDorfer2018,    // four blocks of two 3×3 convolutions, ELU, max pooling (Dorfer et al., TISMIR
                  // 2018, table 2)
};

enum class Loss {
  kInfoNce,  // symmetric cross entropy over the batch with a learned temperature (van den Oord et
             // al. 2018; Radford et al. 2021)
  kHinge,    // pairwise ranking hinge, margin 0.7, over all others of the batch (Kiros et al. 2014;
             // Dorfer et al. 2018)
};

[[nodiscard]] absl::StatusOr<Architecture> ParseArchitecture(
    std::string_view name);  // "residual", "residual_fine", "dorfer2018"
std::string ArchitectureName(Architecture architecture);
[[nodiscard]] absl::StatusOr<Loss> ParseLoss(std::string_view name);  // "infonce", "hinge"
std::string LossName(Loss loss);

struct TrainOptions {
  std::vector<std::string> stores;        // made by `prepare`, all with the same feature settings
  std::set<std::string> excluded_pieces;  // names of pieces that must not be trained on
  bool strict_tempo_only = false;         // leave out renditions whose tempo gives and takes
  std::string out;                        // folder for checkpoints, log and the exported model
  Architecture architecture = Architecture::kResidual;
  Loss loss = Loss::kInfoNce;
  int dimension = 64;     // floats per embedding, 8 to 1024
  int batch_pairs = 256;  // 2 to 8192
  // Folder of another run, whose last weights this one begins with; empty: random weights. Weights
  // of kResidual grow into kResidualFine (Net2Net, Chen et al. 2016).
  std::string from;
  // Folder of a run of the same network, mixed into these weights parameter by parameter (Wortsman
  // et al. 2022): a few steps at a low rate must follow, for batch norm to settle.
  std::string mix;
  double mix_share = 0.5;       // the second run's, 0 to 1
  int64_t steps = 4000;         // 1 to 1e9
  double learning_rate = 2e-3;  // the highest, 1e-7 to 1; warm-up, then a cosine to 1/100 of it
  int warmup_steps = 300;       // 0 to 1e9
  double weight_decay = 0.02;   // AdamW, decoupled, 0 to 10
  data::SamplerOptions sampler;
  int validation_pairs = 1000;    // 2 to 20000
  int validation_interval = 250;  // steps, 1 to 1e9; each writes a checkpoint
  uint64_t seed = 1;
  std::string device = "auto";  // "cpu", "cuda:N", "auto"
  bool bfloat16 = true;         // compute in bfloat16 where the hardware multiplies it
  int threads = 0;              // 0 is the number of cores
  bool resume = true;           // go on from the checkpoint in `out` when there is one
  bool export_last = false;  // export the last step's weights and not those of the best validation
  // Pairs every recording with another's score: such a run must learn nothing.
  bool shuffle_labels = false;

  // InvalidArgument, with the field, where one is missing, out of its range or without what it
  // needs.
  [[nodiscard]] absl::Status Check() const;
};

}  // namespace antiphon::trainer::learning

#endif  // ANTIPHON_TRAINER_LEARNING_TRAIN_OPTIONS_H_
