#include "trainer/learning/run_description.h"

#include <filesystem>

#include "trainer/base/fingerprint.h"

namespace antiphon::trainer::learning {

using nlohmann::json;

namespace {

std::string RunName(const std::string& folder) {
  return folder.empty() ? "" : std::filesystem::path(folder).filename().string();
}

}  // namespace

json SettingsJson(const TrainOptions& options) {
  return {{"architecture", ArchitectureName(options.architecture)},
          {"loss", LossName(options.loss)},
          {"dimension", options.dimension},
          {"batch_pairs", options.batch_pairs},
          {"from", RunName(options.from)},
          {"mix", RunName(options.mix)},
          {"mix_share", options.mix.empty() ? 0 : options.mix_share},
          {"strict_tempo_only", options.strict_tempo_only},
          {"steps", options.steps},
          {"learning_rate", options.learning_rate},
          {"warmup_steps", options.warmup_steps},
          {"weight_decay", options.weight_decay},
          {"tempo_error", options.sampler.tempo_error},
          {"misplacement_s", options.sampler.misplacement_s},
          {"exact_share", options.sampler.exact_share},
          {"onset_share", options.sampler.onset_share},
          {"repeat_share", options.sampler.repeat_share},
          {"near_miss_share", options.sampler.near_miss_share},
          {"max_transposition", options.sampler.max_transposition.value_or(0)},
          {"equalise_deviation_db", options.sampler.equalise_deviation_db},
          {"noise_share", options.sampler.noise_share},
          {"mask_share", options.sampler.mask_share},
          {"cut_share", options.sampler.cut_share},
          {"group", options.sampler.group},
          {"group_reach_s", options.sampler.group_reach_s},
          {"validation_pairs", options.validation_pairs},
          {"seed", options.seed},
          {"bfloat16", options.bfloat16},
          {"shuffle_labels", options.shuffle_labels},
          {"excluded_pieces", options.excluded_pieces}};
}

json DescriptionOf(const std::string& run) {
  const absl::StatusOr<std::string> text = ReadWholeFile(run + "/training.json");
  json description = json::parse(text.value_or(""), nullptr, /*allow_exceptions=*/false);
  return description.is_discarded() ? json() : description;
}

}  // namespace antiphon::trainer::learning
