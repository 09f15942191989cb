#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "core/base/status_macros.h"
#include "core/index/device_pool.h"
#include "trainer/commands/given_options.h"
#include "trainer/commands/index_command.h"
#include "trainer/commands/subcommands.h"

namespace antiphon::trainer::commands {
namespace {

struct Flags {
  IndexCommandOptions options;
  std::string kind = "flat";
  std::string index_device = "cpu";
  int threads = 0;
};

absl::Status Run(const CLI::App& command, Flags& flags) {
  index::IndexOptions& index = flags.options.builder.index;
  ASSIGN_OR_RETURN(index.kind, index::ParseIndexKind(flags.kind));
  RETURN_IF_ERROR(RefuseIdle(command, "--index-device", index.kind == index::IndexKind::kIvf,
                             "only an IVF index is learnt"));
  ASSIGN_OR_RETURN(index.build_devices,
                   index::DevicePool::Open(
                       {.device = flags.index_device, .on_change = [](const std::string& what) {
                          std::fprintf(stderr, "%s\n", what.c_str());
                        }}));
  encoder::SetComputeThreads(flags.threads);
  Progress progress;
  ASSIGN_OR_RETURN(const IndexSummary summary, RunIndex(flags.options, progress));
  std::fputs(SummaryText(summary).c_str(), stdout);
  return absl::OkStatus();
}

}  // namespace

void AddIndex(CLI::App& program, absl::Status& outcome) {
  CLI::App* command = program.add_subcommand(
      "index", "Make a bundle of a folder of scores and, if given, recordings");
  auto flags = std::make_shared<Flags>();
  IndexCommandOptions& options = flags->options;
  command
      ->add_option(
          kScoresOption, options.midi_dir,
          "Folder of scores; metadata.tsv in it gives titles, composers, collections and works")
      ->required();
  command->add_option("--recordings", options.recordings_dir, "Folder of audio files");
  command
      ->add_option("--model", options.builder.model_directory,
                   "Folder with audio_encoder.pt and score_encoder.pt")
      ->required();
  command->add_option("--bundle", options.bundle_root, "Bundle to publish a new generation of")
      ->required();
  command->add_option("--collection", options.collection,
                      "What to file everything under for which metadata.tsv has no collection");
  command->add_flag("--parts", options.builder.with_parts,
                    "Index each part of a score by itself, too: one line out of many is found");
  command->add_option("--tempo-ratios", options.builder.tempo_ratios,
                      "Tempi over the one written at which scores are indexed");
  command
      ->add_option("--score-hop", options.builder.score_hop_s,
                   "Seconds between a score's windows, as played")
      ->capture_default_str();
  command
      ->add_option("--recording-hop", options.builder.recording_hop_s,
                   "Seconds between a recording's windows")
      ->capture_default_str();
  command->add_option("--index", flags->kind, "flat, hnsw or ivf")->capture_default_str();
  command
      ->add_option("--index-device", flags->index_device,
                   "Where the lists of an IVF index are learnt and filled: cpu, cuda:N or auto")
      ->capture_default_str();
  command->add_option("--device", options.builder.encoder.device, "cpu, cuda:N or auto")
      ->capture_default_str();
  command->add_option("--threads", flags->threads, "0 is the number of cores")
      ->capture_default_str();
  command->add_flag("--accept-damaged", options.accept_damaged,
                    "File recordings too of which less than half can be decoded");
  command->callback([flags, command, &outcome] { outcome = Run(*command, *flags); });
}

}  // namespace antiphon::trainer::commands
