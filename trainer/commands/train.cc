#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "trainer/commands/given_options.h"
#include "trainer/commands/subcommands.h"
#include "trainer/learning/training.h"

namespace antiphon::trainer::commands {
namespace {

volatile std::sig_atomic_t g_stop = 0;

void RequestStop(int) { g_stop = 1; }

struct TrainFlags {
  learning::TrainOptions options;
  std::string architecture = "residual";
  std::string loss = "infonce";
  std::string precision = "bfloat16";
  std::string exclude_file;
  bool fresh = false;
};

bool PrintReport(const learning::TrainReport& report) {
  std::printf("step %lld  loss %.4f  learning rate %.2e  %.0f pairs/s",
              static_cast<long long>(report.step), report.loss, report.learning_rate,
              report.pairs_per_second);
  if (report.validated) {
    std::printf("  validation R@1 %.4f  MRR %.4f%s", report.recall_at_1,
                report.mean_reciprocal_rank, report.best ? "  (best)" : "");
  }
  std::printf("\n");
  std::fflush(stdout);
  return g_stop == 0;
}

// One name a line; what follows a tab or a # is for people.
absl::Status ReadExcluded(const std::string& path, std::set<std::string>& excluded) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("no file at ", path));
  for (std::string line; std::getline(file, line);) {
    const std::string name(absl::StripAsciiWhitespace(line.substr(0, line.find_first_of("\t#"))));
    if (!name.empty()) excluded.insert(name);
  }
  return absl::OkStatus();
}

// What cannot act because of another option. Nought is no wish: it says what happens anyway.
absl::Status CheckGiven(const CLI::App& command, const learning::TrainOptions& options) {
  const data::SamplerOptions& sampler = options.sampler;
  RETURN_IF_ERROR(RefuseIdle(command, "--mix-share", !options.mix.empty(),
                             "without --mix there is nothing to mix in"));
  for (const auto& [option, value] : {std::pair("--misplacement", sampler.misplacement_s),
                                      std::pair("--tempo-error", sampler.tempo_error)}) {
    RETURN_IF_ERROR(RefuseIdle(command, option, value == 0 || sampler.exact_share < 1,
                               "--exact 1 leaves no group that has this error"));
  }
  for (const auto& [option, value] : {std::pair("--repeats", sampler.repeat_share),
                                      std::pair("--near-misses", sampler.near_miss_share)}) {
    RETURN_IF_ERROR(RefuseIdle(command, option, value == 0 || sampler.exact_share > 0,
                               "--exact 0 leaves no exact group"));
  }
  const std::string_view no_second = "--group 1 draws no second pair";
  RETURN_IF_ERROR(
      RefuseIdle(command, "--repeats", sampler.repeat_share == 0 || sampler.group > 1, no_second));
  RETURN_IF_ERROR(RefuseIdle(command, "--group-reach", sampler.group > 1, no_second));
  return absl::OkStatus();
}

absl::Status RunTrain(const CLI::App& command, TrainFlags& flags) {
  RETURN_IF_ERROR(CheckGiven(command, flags.options));
  ASSIGN_OR_RETURN(flags.options.architecture, learning::ParseArchitecture(flags.architecture));
  ASSIGN_OR_RETURN(flags.options.loss, learning::ParseLoss(flags.loss));
  if (!flags.exclude_file.empty()) {
    RETURN_IF_ERROR(ReadExcluded(flags.exclude_file, flags.options.excluded_pieces));
  }
  flags.options.bfloat16 = flags.precision == "bfloat16";
  flags.options.resume = !flags.fresh;
  std::signal(SIGINT, RequestStop);
  std::signal(SIGTERM, RequestStop);
  ASSIGN_OR_RETURN(const learning::TrainSummary summary,
                   learning::Train(flags.options, PrintReport));
  std::printf("%s: model %s from step %lld of %lld, validation MRR %.4f\n",
              flags.options.out.c_str(), summary.model_id.c_str(),
              static_cast<long long>(summary.best_step), static_cast<long long>(summary.steps),
              summary.best_mean_reciprocal_rank);
  return absl::OkStatus();
}

struct InitFlags {
  std::string out;
  std::string architecture = "residual";
  std::string features = "constant_q";
  int dimension = learning::TrainOptions().dimension;
  uint64_t seed = 1;
};

absl::Status RunInit(const InitFlags& flags) {
  ASSIGN_OR_RETURN(const learning::Architecture architecture,
                   learning::ParseArchitecture(flags.architecture));
  const features::FeatureSettings settings =
      flags.features == "constant_q" ? features::FeatureSettings() : features::DorferSettings();
  return learning::ExportUntrained(architecture, settings, flags.dimension, flags.seed, flags.out);
}

void AddNetwork(CLI::App& command, TrainFlags& flags) {
  learning::TrainOptions& options = flags.options;
  command.add_option("--architecture", flags.architecture, "residual, residual_fine or dorfer2018")
      ->capture_default_str();
  command.add_option("--loss", flags.loss, "infonce or hinge")->capture_default_str();
  command.add_option("--dimension", options.dimension, "Floats per embedding")
      ->capture_default_str();
  command.add_option("--batch", options.batch_pairs, "Pairs per step")->capture_default_str();
  command.add_option("--from", options.from, "Folder of another run: begin with its last weights");
  command.add_option("--mix", options.mix,
                     "Folder of another run, whose last weights are mixed into those of --from");
  command.add_option("--mix-share", options.mix_share, "How much of the one mixed in")
      ->capture_default_str();
  command.add_option("--steps", options.steps, "Steps in all")->capture_default_str();
  command.add_option("--learning-rate", options.learning_rate, "The highest")
      ->capture_default_str();
  command.add_option("--warmup", options.warmup_steps, "Steps of warm-up")->capture_default_str();
  command.add_option("--weight-decay", options.weight_decay, "Of AdamW")->capture_default_str();
}

void AddSampler(CLI::App& command, data::SamplerOptions& options) {
  const auto share = [&command](const char* name, double& value, const char* description) {
    command.add_option(name, value, description)->capture_default_str();
  };
  share("--misplacement", options.misplacement_s, "Score off by up to so many seconds");
  share("--tempo-error", options.tempo_error, "Score tempo off by up to this part");
  command.add_option("--transpose", options.max_transposition,
                     "Up to so many semitones, both sides; default: 3 where a semitone is a whole "
                     "number of bands, else 0");
  command.add_option("--group", options.group, "Pairs drawn near each other in one rendition")
      ->capture_default_str();
  share("--group-reach", options.group_reach_s, "How near, seconds of the score");
  share("--exact", options.exact_share, "Share of groups without these errors");
  share("--on-onset", options.onset_share, "Share of groups with an onset in the middle");
  share("--repeats", options.repeat_share, "Share of exact groups' pairs that are repeats");
  share("--near-misses", options.near_miss_share,
        "Share of exact pairs with a score a part of a frame off beside theirs");
  share("--noise", options.noise_share, "Share of windows with a noise floor");
  share("--mask", options.mask_share, "Share of windows with bands or frames silenced");
  share("--cut", options.cut_share, "Share of windows cut off at one end");
}

void AddCourse(CLI::App& command, TrainFlags& flags) {
  learning::TrainOptions& options = flags.options;
  command.add_option("--validate-every", options.validation_interval, "Steps")
      ->capture_default_str();
  command
      .add_option("--validation-pairs", options.validation_pairs, "Candidates of the validation")
      ->capture_default_str();
  command.add_option("--seed", options.seed, "Seed of all that is random")->capture_default_str();
  command.add_option("--device", options.device, "cpu, cuda:N or auto")->capture_default_str();
  command.add_option("--precision", flags.precision, "Of the computation")
      ->check(CLI::IsMember({"bfloat16", "float32"}))
      ->capture_default_str();
  command.add_option("--threads", options.threads, "0 is the number of cores")
      ->capture_default_str();
  command.add_flag("--fresh", flags.fresh, "Start anew even where there is a checkpoint");
  command.add_flag("--export-last", options.export_last,
                   "Export the last weights, not those of the best validation");
  command.add_flag("--shuffle-labels", options.shuffle_labels,
                   "Pair every sound with another's score: a check, such a run must learn nothing");
}

}  // namespace

void AddTrain(CLI::App& program, absl::Status& outcome) {
  CLI::App* command = program.add_subcommand(
      "train", "Train the encoders on feature stores; goes on where it stopped");
  auto flags = std::make_shared<TrainFlags>();
  learning::TrainOptions& options = flags->options;
  command->add_option("--store", options.stores, "Feature stores made by prepare")->required();
  command->add_option("--out", options.out, "Folder for the model, checkpoints and training.json")
      ->required();
  command->add_option("--exclude", flags->exclude_file,
                      "File with names of pieces not to train on, one a line");
  command->add_flag(
      "--strict-tempo", options.strict_tempo_only,
      "Only renditions that keep strictly to their tempo, so that fractions of a frame are learnt");
  AddNetwork(*command, *flags);
  AddSampler(*command, options.sampler);
  AddCourse(*command, *flags);
  command->callback([command, flags, &outcome] { outcome = RunTrain(*command, *flags); });
}

void AddInit(CLI::App& program, absl::Status& outcome) {
  CLI::App* command = program.add_subcommand(
      "init", "Export encoders with random weights, to compare trained ones with");
  auto flags = std::make_shared<InitFlags>();
  command->add_option("--out", flags->out, "Folder for the model")->required();
  command
      ->add_option("--architecture", flags->architecture, "residual, residual_fine or dorfer2018")
      ->capture_default_str();
  command->add_option("--features", flags->features, "Front end")
      ->check(CLI::IsMember({"constant_q", "log_filterbank"}))
      ->capture_default_str();
  command->add_option("--dimension", flags->dimension, "Floats per embedding")
      ->capture_default_str();
  command->add_option("--seed", flags->seed, "Seed of the weights")->capture_default_str();
  command->callback([flags, &outcome] { outcome = RunInit(*flags); });
}

}  // namespace antiphon::trainer::commands
