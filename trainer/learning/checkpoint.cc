#include "trainer/learning/checkpoint.h"

#include <filesystem>
#include <fstream>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace antiphon::trainer::learning {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr char kAudioFile[] = "/audio.pt";
constexpr char kScoreFile[] = "/score.pt";
constexpr char kOptimizerFile[] = "/optimizer.pt";
constexpr char kStateFile[] = "/state.json";

}  // namespace

void MakeOptimizer(TrainState& state, double learning_rate, double weight_decay) {
  std::vector<torch::Tensor> decayed, plain;
  for (torch::jit::Module* module : {&state.audio, &state.score}) {
    for (const auto& parameter : module->named_parameters()) {
      parameter.value.requires_grad_(true);
      (absl::EndsWith(parameter.name, "_weight") ? decayed : plain).push_back(parameter.value);
    }
  }
  state.log_scale.requires_grad_(true);
  plain.push_back(state.log_scale);
  const auto group = [learning_rate](std::vector<torch::Tensor> parameters, double decay) {
    return torch::optim::OptimizerParamGroup(
        std::move(parameters), std::make_unique<torch::optim::AdamWOptions>(
                                   torch::optim::AdamWOptions(learning_rate).weight_decay(decay)));
  };
  state.optimizer = std::make_unique<torch::optim::AdamW>(
      std::vector<torch::optim::OptimizerParamGroup>{group(decayed, weight_decay), group(plain, 0)},
      torch::optim::AdamWOptions(learning_rate));
}

absl::Status SaveCheckpoint(const TrainState& state, const std::string& directory) {
  const std::string fresh = directory + ".new", old = directory + ".old";
  try {
    fs::remove_all(fresh);
    fs::create_directories(fresh);
    state.audio.save(fresh + kAudioFile);
    state.score.save(fresh + kScoreFile);
    torch::save(*state.optimizer, fresh + kOptimizerFile);
    std::ofstream file(fresh + kStateFile);
    file << json{{"identity", state.identity},
                 {"step", state.step},
                 {"best_step", state.best_step},
                 {"best_mean_reciprocal_rank", state.best_mean_reciprocal_rank},
                 {"log_scale", state.log_scale.item<double>()},
                 {"history", state.history}}
                .dump(1)
         << '\n';
    file.close();
    if (!file)
      return absl::UnavailableError(absl::StrCat("cannot write ", fresh, ": is the disk full?"));
    fs::remove_all(old);
    if (fs::exists(directory)) fs::rename(directory, old);
    fs::rename(fresh, directory);
    fs::remove_all(old);
  } catch (const std::exception& error) {
    return absl::UnavailableError(
        absl::StrCat("cannot write the checkpoint ", directory, ": ", error.what()));
  }
  return absl::OkStatus();
}

absl::StatusOr<TrainState> LoadCheckpoint(const std::string& directory, const torch::Device& device,
                                          double learning_rate, double weight_decay) {
  // Between the two renames of SaveCheckpoint only the old one has a name.
  const std::string source = fs::exists(directory) ? directory : directory + ".old";
  if (!fs::exists(source)) return absl::NotFoundError(absl::StrCat("no checkpoint at ", directory));
  TrainState state;
  try {
    std::ifstream file(source + kStateFile);
    const json values = json::parse(file);
    state.identity = values.at("identity");
    state.step = values.at("step");
    state.best_step = values.at("best_step");
    state.best_mean_reciprocal_rank = values.at("best_mean_reciprocal_rank");
    state.history = values.at("history");
    state.log_scale =
        torch::tensor(values.at("log_scale").get<double>(), torch::kFloat32).to(device);
    state.audio = torch::jit::load(source + kAudioFile, device);
    state.score = torch::jit::load(source + kScoreFile, device);
    MakeOptimizer(state, learning_rate, weight_decay);
    torch::load(*state.optimizer, source + kOptimizerFile);
  } catch (const std::exception& error) {
    return absl::DataLossError(
        absl::StrCat("the checkpoint ", source, " does not load: ", error.what()));
  }
  return state;
}

}  // namespace antiphon::trainer::learning
