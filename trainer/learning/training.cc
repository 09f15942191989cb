#include "trainer/learning/training.h"

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <chrono>
#include <cmath>
#include <deque>
#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <numbers>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/threads/cores.h"
#include "revision.h"
#include "trainer/base/fingerprint.h"
#include "trainer/learning/checkpoint.h"
#include "trainer/learning/export.h"
#include "trainer/learning/loss.h"
#include "trainer/learning/network.h"
#include "trainer/learning/optimizer_step.h"
#include "trainer/learning/run_description.h"
#include "trainer/learning/training_data.h"

namespace antiphon::trainer::learning {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr int kReportInterval = 50;         // steps
constexpr double kInitialLogScale = 2.659;  // temperature 0.07, as Radford et al. (2021)
constexpr double kFinalLearningRatePart = 0.01;

double LearningRateAt(const TrainOptions& options, int64_t step) {
  if (step < options.warmup_steps) return options.learning_rate * (step + 1) / options.warmup_steps;
  const double span = std::max<int64_t>(1, options.steps - options.warmup_steps);
  const double part = std::min(1.0, (step - options.warmup_steps) / span);
  const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * part));
  return options.learning_rate * (kFinalLearningRatePart + (1 - kFinalLearningRatePart) * cosine);
}

// Runs both, at once where `parallel`: LibTorch's own threads wait for each other at every
// operator, which is slow where a core is busy otherwise; two threads that meet once are not.
// Rethrows what either throws.
void RunBoth(bool parallel, const std::function<void()>& first,
             const std::function<void()>& second) {
  if (!parallel) {
    first();
    second();
    return;
  }
  const int threads = at::get_num_threads();
  std::future<void> other = std::async(std::launch::async, [&] {
    at::set_num_threads(threads);
    second();
  });
  first();
  other.get();
}

// `state` becomes (1 - share) * state + share * other, in weights, batch norm's statistics and
// temperature.
void MixIn(const TrainState& other, double share, TrainState& state) {
  const torch::NoGradGuard no_gradients;
  const auto mix = [share](torch::Tensor into, const torch::Tensor& from) {
    if (into.is_floating_point()) into.mul_(1 - share).add_(from, share);
  };
  const auto mix_all = [&mix](auto into, auto from) {
    auto source = from.begin();
    for (const auto& entry : into) mix(entry.value, (*source++).value);
  };
  for (auto [into, from] :
       {std::pair(&state.audio, &other.audio), std::pair(&state.score, &other.score)}) {
    mix_all(into->named_parameters(), from->named_parameters());
    mix_all(into->named_buffers(), from->named_buffers());
  }
  mix(state.log_scale, other.log_scale);
}

int ThreadCount(const TrainOptions& options) {
  return options.threads > 0 ? options.threads : threads::Cores();
}

// A batch with its cells as tensors of the CPU: they borrow the batch's, or, on their way to a GPU,
// lie in memory that it reads by itself.
struct HostBatch {
  data::PairBatch batch;
  torch::Tensor audio, score;
};

// One run: the state that is learned, and the steps that change it.
class Run {
 public:
  Run(const TrainOptions& options, TrainingData data)
      : options_(options),
        data_(std::move(data)),
        device_(options.device == "auto" ? (torch::cuda::is_available() ? "cuda:0" : "cpu")
                                         : options.device),
        parallel_(device_.is_cpu() && ThreadCount(options) > 1) {}

  absl::StatusOr<TrainSummary> Go(const std::function<bool(const TrainReport&)>& report);

 private:
  NetworkSpec Spec(encoder::Modality modality) const {
    return {options_.architecture, modality, data_.train.settings(), options_.dimension};
  }
  std::string Path(const char* name) const { return options_.out + "/" + name; }

  json Identity() const;
  absl::Status Begin();
  TrainState Untrained() const;
  absl::StatusOr<TrainState> LastOf(const char* option, const std::string& other_run) const;
  absl::Status TakeFromOthers();
  torch::Tensor ToTensor(const std::vector<uint8_t>& cells, int64_t windows, int channels) const;
  absl::StatusOr<HostBatch> Sample(int64_t step) const;
  torch::Tensor Step(const HostBatch& batch);
  Ranking Validate();
  absl::Status Record(const Ranking& ranking, TrainReport& report);
  absl::Status WriteDescription(const std::string& model_id, int64_t exported_step) const;

  const TrainOptions& options_;
  const TrainingData data_;
  const torch::Device device_;
  const bool parallel_;  // one thread for each network
  TrainState state_;
};

// What a run that goes on must share with the one that stopped; steps and rates may differ.
json Run::Identity() const {
  return {{"architecture", ArchitectureName(options_.architecture)},
          {"loss", LossName(options_.loss)},
          {"dimension", options_.dimension},
          {"seed", options_.seed},
          {"data", data_.fingerprints}};
}

absl::Status Run::Begin() {
  if (options_.resume) {
    absl::StatusOr<TrainState> state =
        LoadCheckpoint(Path("checkpoint"), device_, options_.learning_rate, options_.weight_decay);
    if (state.ok() && state->identity != Identity()) {
      return absl::FailedPreconditionError(absl::StrCat(
          options_.out, " holds the checkpoint of another run, ", state->identity.dump(),
          ", and this one is ", Identity().dump(), ": give another folder, or begin anew"));
    }
    if (state.ok()) {
      state_ = *std::move(state);
      return absl::OkStatus();
    }
    if (!absl::IsNotFound(state.status())) return state.status();
  }
  if (options_.from.empty()) {
    state_ = Untrained();
  } else {
    RETURN_IF_ERROR(TakeFromOthers());
  }
  state_.identity = Identity();
  MakeOptimizer(state_, options_.learning_rate, options_.weight_decay);
  return absl::OkStatus();
}

TrainState Run::Untrained() const {
  const torch::Dtype compute = options_.bfloat16 ? torch::kBFloat16 : torch::kFloat32;
  TrainState state;
  state.audio = MakeTrainable(Spec(encoder::Modality::kAudio), options_.seed * 2, compute);
  state.score = MakeTrainable(Spec(encoder::Modality::kScore), options_.seed * 2 + 1, compute);
  state.audio.to(device_);
  state.score.to(device_);
  state.log_scale = torch::tensor(kInitialLogScale, torch::kFloat32).to(device_);
  return state;
}

// The state that another run ended with, grown into this one's network.
absl::StatusOr<TrainState> Run::LastOf(const char* option, const std::string& other_run) const {
  ASSIGN_OR_RETURN(TrainState other, LoadCheckpoint(other_run + "/checkpoint", device_,
                                                    options_.learning_rate, options_.weight_decay));
  const std::string theirs = other.identity.at("architecture"),
                    ours = ArchitectureName(options_.architecture);
  if (other.identity.at("dimension") != options_.dimension) {
    return absl::InvalidArgumentError(absl::StrCat(option, ": ", other_run, " has dimension ",
                                                   other.identity.at("dimension").dump(),
                                                   ", and this run ", options_.dimension));
  }
  if (theirs == ours) return other;
  TrainState grown = Untrained();
  for (auto [from, into] :
       {std::pair(&other.audio, &grown.audio), std::pair(&other.score, &grown.score)}) {
    if (absl::Status status = Grow(*from, *into); !status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(option, ": ", other_run, " is ", theirs,
                                                     " and cannot grow into ", ours, ": ",
                                                     status.message()));
    }
  }
  grown.log_scale = std::move(other.log_scale);
  return grown;
}

// The others' weights and temperature, and nothing of their schedules.
absl::Status Run::TakeFromOthers() {
  ASSIGN_OR_RETURN(TrainState first, LastOf("from", options_.from));
  if (!options_.mix.empty()) {
    ASSIGN_OR_RETURN(const TrainState second, LastOf("mix", options_.mix));
    MixIn(second, options_.mix_share, first);
  }
  state_.audio = std::move(first.audio);
  state_.score = std::move(first.score);
  state_.log_scale = std::move(first.log_scale);
  return absl::OkStatus();
}

torch::Tensor Run::ToTensor(const std::vector<uint8_t>& cells, int64_t windows,
                            int channels) const {
  const torch::Tensor borrowed =
      torch::from_blob(const_cast<uint8_t*>(cells.data()), {static_cast<int64_t>(cells.size())},
                       torch::kUInt8)
          .view({windows, data_.train.settings().window_frames, channels, -1});
  return device_.is_cpu() ? borrowed : borrowed.pin_memory();
}

// A batch depends on the seed and the step alone, so that a resumed run sees what an uninterrupted
// one would have seen, and several may be drawn at once.
absl::StatusOr<HostBatch> Run::Sample(int64_t step) const {
  HostBatch host;
  ASSIGN_OR_RETURN(
      host.batch,
      data_.train.Sample(options_.batch_pairs, HashOf(absl::StrCat(options_.seed, "/batch/", step)),
                         options_.sampler));
  if (host.batch.pairs < 2)
    return absl::InvalidArgumentError("the feature stores hold too few different windows");
  host.audio = ToTensor(host.batch.audio, host.batch.pairs, 1);
  host.score = ToTensor(host.batch.score, host.batch.pairs + host.batch.near_misses, 2);
  return host;
}

// The loss, which a GPU may still be at work on.
torch::Tensor Run::Step(const HostBatch& batch) {
  const double rate = LearningRateAt(options_, state_.step);
  for (auto& group : state_.optimizer->param_groups()) group.options().set_lr(rate);
  state_.audio.train();
  state_.score.train();
  state_.optimizer->zero_grad();
  torch::Tensor score_cells = batch.score.to(device_, /*non_blocking=*/true);
  if (options_.shuffle_labels) score_cells = score_cells.roll(1, 0);
  // The networks meet in the loss alone, so that each goes forward and back on a thread of its own.
  const torch::Tensor audio_cells = batch.audio.to(device_, /*non_blocking=*/true);
  torch::Tensor audio, score;
  // On a GPU LibTorch would compile kernels of its own for every shape it meets.
  std::optional<torch::jit::GraphOptimizerEnabledGuard> no_specialisation;
  if (!device_.is_cpu()) no_specialisation.emplace(false);
  RunBoth(
      parallel_, [&] { audio = state_.audio.forward({audio_cells}).toTensor(); },
      [&] { score = state_.score.forward({score_cells}).toTensor(); });
  const torch::Tensor audio_leaf = audio.detach().requires_grad_(),
                      score_leaf = score.detach().requires_grad_();
  const torch::Tensor loss = PairLoss(options_.loss, audio_leaf, score_leaf, state_.log_scale);
  loss.backward();
  RunBoth(
      parallel_, [&] { audio.backward(audio_leaf.grad()); },
      [&] { score.backward(score_leaf.grad()); });
  if (device_.is_cpu()) {
    state_.optimizer->step();
  } else {
    StepAtOnce(*state_.optimizer);
  }
  ++state_.step;
  return loss.detach();
}

Ranking Run::Validate() {
  const torch::NoGradGuard no_gradients;
  state_.audio.eval();
  state_.score.eval();
  const data::PairBatch batch = data_.valid.SamplePlain(options_.validation_pairs, /*seed=*/1);
  const auto encode = [&](torch::jit::Module& network, const std::vector<uint8_t>& cells,
                          int channels) {
    std::vector<torch::Tensor> parts;
    for (const torch::Tensor& part : ToTensor(cells, batch.pairs, channels).split(256)) {
      parts.push_back(network.forward({part.to(device_)}).toTensor());
    }
    return torch::cat(parts);
  };
  return RankPairs(encode(state_.audio, batch.audio, 1), encode(state_.score, batch.score, 2));
}

// Notes a validation, keeps the best so far, and writes a checkpoint.
absl::Status Run::Record(const Ranking& ranking, TrainReport& report) {
  report.validated = true;
  report.recall_at_1 = ranking.recall_at_1;
  report.mean_reciprocal_rank = ranking.mean_reciprocal_rank;
  report.best = ranking.mean_reciprocal_rank > state_.best_mean_reciprocal_rank;
  state_.history.push_back({{"step", state_.step},
                            {"loss", report.loss},
                            {"recall_at_1", ranking.recall_at_1},
                            {"mean_reciprocal_rank", ranking.mean_reciprocal_rank}});
  if (report.best) {
    state_.best_step = state_.step;
    state_.best_mean_reciprocal_rank = ranking.mean_reciprocal_rank;
    RETURN_IF_ERROR(SaveCheckpoint(state_, Path("best")));
  }
  return SaveCheckpoint(state_, Path("checkpoint"));
}

absl::Status Run::WriteDescription(const std::string& model_id, int64_t exported_step) const {
  json description = {
      {"model_id", model_id},
      {"revision", ANTIPHON_REVISION},
      {"options", SettingsJson(options_)},
      {"feature_settings", json::parse(features::SettingsToJson(data_.train.settings()))},
      {"data", data_.fingerprints},
      {"train_onsets", data_.train.onset_count()},
      {"valid_onsets", data_.valid.onset_count()},
      {"exported_step", exported_step},
      {"best_step", state_.best_step},
      {"best_mean_reciprocal_rank", state_.best_mean_reciprocal_rank},
      {"history", state_.history}};
  if (!options_.from.empty()) description["began_with"] = DescriptionOf(options_.from);
  if (!options_.mix.empty()) description["mixed_with"] = DescriptionOf(options_.mix);
  std::ofstream file(Path("training.json"));
  file << description.dump(1) << '\n';
  file.flush();
  return file ? absl::OkStatus()
              : absl::UnavailableError(absl::StrCat("cannot write ", Path("training.json")));
}

absl::StatusOr<TrainSummary> Run::Go(const std::function<bool(const TrainReport&)>& report) {
  RETURN_IF_ERROR(Begin());
  // A GPU is faster than one thread draws batches.
  const int64_t ahead = device_.is_cpu() ? 1 : std::max(2, ThreadCount(options_));
  std::deque<std::future<absl::StatusOr<HostBatch>>> next;
  int64_t begun = state_.step;
  const auto fetch = [&] {
    while (static_cast<int64_t>(next.size()) < ahead && begun < options_.steps)
      next.push_back(std::async(std::launch::async, &Run::Sample, this, begun++));
  };
  fetch();
  Clock::time_point since = Clock::now();
  std::vector<torch::Tensor> losses;  // not yet in loss_sum
  double loss_sum = 0;
  int64_t pairs = 0, steps = 0;
  while (state_.step < options_.steps) {
    ASSIGN_OR_RETURN(const HostBatch batch, next.front().get());
    next.pop_front();
    fetch();
    losses.push_back(Step(batch));
    pairs += batch.batch.pairs;
    ++steps;
    const bool validate =
        state_.step % options_.validation_interval == 0 || state_.step == options_.steps;
    const bool report_now = validate || state_.step % kReportInterval == 0;
    // Reading a loss waits for the GPU: it is put off.
    if (device_.is_cpu() || report_now) {
      for (const torch::Tensor& loss : losses) loss_sum += loss.item<double>();
      losses.clear();
    }
    if (!std::isfinite(loss_sum)) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the loss is not finite at step ", state_.step, ": try a lower learning rate"));
    }
    if (!report_now) continue;
    TrainReport current;
    current.step = state_.step;
    current.loss = loss_sum / steps;
    current.learning_rate = LearningRateAt(options_, state_.step - 1);
    current.pairs_per_second = pairs / std::chrono::duration<double>(Clock::now() - since).count();
    if (validate) {
      RETURN_IF_ERROR(Record(Validate(), current));
    }
    if (!report(current)) {
      RETURN_IF_ERROR(SaveCheckpoint(state_, Path("checkpoint")));
      return absl::CancelledError(
          absl::StrCat("stopped after step ", state_.step, "; run again to go on"));
    }
    since = Clock::now();
    loss_sum = 0;
    pairs = steps = 0;
  }
  ASSIGN_OR_RETURN(TrainState exported,
                   LoadCheckpoint(Path(options_.export_last ? "checkpoint" : "best"), torch::kCPU,
                                  options_.learning_rate, options_.weight_decay));
  ASSIGN_OR_RETURN(
      const std::string model_id,
      ExportModel(Spec(encoder::Modality::kAudio), exported.audio, exported.score, options_.out));
  RETURN_IF_ERROR(WriteDescription(model_id, exported.step));
  return TrainSummary{state_.step, state_.best_step, state_.best_mean_reciprocal_rank, model_id};
}

}  // namespace

absl::StatusOr<TrainSummary> Train(const TrainOptions& options,
                                   const std::function<bool(const TrainReport&)>& report) {
  RETURN_IF_ERROR(options.Check());
  const int threads = ThreadCount(options);
  at::set_num_threads(threads > 1 ? threads / 2 : 1);  // for each of the two networks
  ASSIGN_OR_RETURN(TrainingData data, LoadData(options));
  TrainOptions resolved = options;  // nothing is left to the features
  ASSIGN_OR_RETURN(resolved.sampler.max_transposition,
                   data::TranspositionFor(options.sampler, data.train.settings()));
  // A step's shapes are always the same: cuDNN tries what is fastest for them, once.
  at::globalContext().setBenchmarkCuDNN(true);
  try {
    std::filesystem::create_directories(options.out);
    return Run(resolved, std::move(data)).Go(report);
  } catch (const std::exception& error) {  // c10::Error and what TorchScript throws
    return absl::InternalError(absl::StrCat("training failed: ", error.what()));
  }
}

absl::Status ExportUntrained(Architecture architecture, const features::FeatureSettings& settings,
                             int dimension, uint64_t seed, const std::string& out) {
  const NetworkSpec audio{architecture, encoder::Modality::kAudio, settings, dimension};
  const NetworkSpec score{architecture, encoder::Modality::kScore, settings, dimension};
  return ExportModel(audio, MakeTrainable(audio, seed * 2, torch::kFloat32),
                     MakeTrainable(score, seed * 2 + 1, torch::kFloat32), out)
      .status();
}

}  // namespace antiphon::trainer::learning
