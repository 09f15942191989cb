// Training two encoders into one embedding space, and exporting them.
//
// Blocking functions for one thread, which start others.
#ifndef ANTIPHON_TRAINER_LEARNING_TRAINING_H_
#define ANTIPHON_TRAINER_LEARNING_TRAINING_H_

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

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
  std::vector<std::string>
      stores;  // feature stores made by `prepare`, all with the same feature settings
  std::set<std::string> excluded_pieces;  // names of pieces that must not be trained on
  bool strict_tempo_only = false;         // leave out renditions whose tempo gives and takes
  std::string out;                        // folder for checkpoints, log and the exported model
  Architecture architecture = Architecture::kResidual;
  Loss loss = Loss::kInfoNce;
  int dimension = 64;     // floats per embedding, 8 to 1024
  int batch_pairs = 256;  // 2 to 8192
  std::string
      from;  // folder of another run, whose last weights this one begins with; empty: random
             // weights. Weights of kResidual grow into kResidualFine (Net2Net, Chen et al. 2016).
  std::string mix;  // folder of a run of the same network, mixed into these weights parameter by
                    // parameter (Wortsman et al. 2022): a few steps at a low rate must follow, for
                    // batch norm to settle
  double mix_share = 0.5;  // the second run's, 0 to 1
  int64_t steps = 4000;
  double learning_rate = 2e-3;  // the highest; warm-up, then a cosine to 1/100 of it
  int warmup_steps = 300;
  double weight_decay = 0.02;  // AdamW, decoupled
  data::SamplerOptions sampler;
  int validation_pairs = 1000;
  int validation_interval = 250;  // steps; a checkpoint is written as often
  uint64_t seed = 1;
  std::string device = "auto";  // "cpu", "cuda:N", "auto"
  bool bfloat16 = true;         // compute in bfloat16 where the hardware multiplies it
  int threads = 0;              // 0 is the number of cores
  bool resume = true;           // go on from the checkpoint in `out` when there is one
  bool export_last = false;  // export the last step's weights and not those of the best validation
  bool shuffle_labels =
      false;  // pairs every sound with another's score: such a run must learn nothing
};

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
