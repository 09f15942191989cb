#include "trainer/learning/train_options.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "trainer/base/check_range.h"

namespace antiphon::trainer::learning {

absl::StatusOr<Architecture> ParseArchitecture(std::string_view name) {
  for (Architecture architecture :
       {Architecture::kResidual, Architecture::kResidualFine, Architecture::kDorfer2018}) {
    if (name == ArchitectureName(architecture)) return architecture;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", std::string(name), "\" is none of residual, residual_fine, dorfer2018"));
}

std::string ArchitectureName(Architecture architecture) {
  switch (architecture) {
    case Architecture::kResidual:
      return "residual";
    case Architecture::kResidualFine:
      return "residual_fine";
    case Architecture::kDorfer2018:
      return "dorfer2018";
  }
  return "";
}

absl::StatusOr<Loss> ParseLoss(std::string_view name) {
  for (Loss loss : {Loss::kInfoNce, Loss::kHinge}) {
    if (name == LossName(loss)) return loss;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", std::string(name), "\" is neither infonce nor hinge"));
}

std::string LossName(Loss loss) { return loss == Loss::kInfoNce ? "infonce" : "hinge"; }

absl::Status TrainOptions::Check() const {
  RETURN_IF_ERROR(CheckRange("dimension", dimension, 8, 1024));
  RETURN_IF_ERROR(CheckRange("batch_pairs", batch_pairs, 2, 8192));
  RETURN_IF_ERROR(CheckRange("steps", static_cast<double>(steps), 1, 1e9));
  RETURN_IF_ERROR(CheckRange("learning_rate", learning_rate, 1e-7, 1));
  RETURN_IF_ERROR(CheckRange("warmup_steps", warmup_steps, 0, 1e9));
  RETURN_IF_ERROR(CheckRange("weight_decay", weight_decay, 0, 10));
  RETURN_IF_ERROR(CheckRange("mix_share", mix_share, 0, 1));
  RETURN_IF_ERROR(CheckRange("validation_pairs", validation_pairs, 2, 20000));
  RETURN_IF_ERROR(CheckRange("validation_interval", validation_interval, 1, 1e9));
  RETURN_IF_ERROR(sampler.Check());
  if (stores.empty())
    return absl::InvalidArgumentError("stores: at least one feature store is needed");
  if (out.empty()) return absl::InvalidArgumentError("out: a folder for the model is needed");
  if (!mix.empty() && from.empty())
    return absl::InvalidArgumentError("mix: needs a run to mix with, from");
  return absl::OkStatus();
}

}  // namespace antiphon::trainer::learning
