#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/manifest.h"
#include "trainer/commands/given_options.h"
#include "trainer/commands/subcommands.h"
#include "trainer/evaluation/background_music.h"

namespace antiphon::trainer::commands {
namespace {

struct Flags {
  evaluation::BackgroundOptions options;
  std::vector<std::string> midi_dirs, splits;
  int threads = 0;
};

absl::Status Run(Flags& flags) {
  if (flags.splits.size() > flags.midi_dirs.size())
    return absl::InvalidArgumentError("there are more --split than --scores");
  encoder::SetComputeThreads(flags.threads);
  for (size_t i = 0; i < flags.midi_dirs.size(); ++i) {
    evaluation::BackgroundCorpus corpus{flags.midi_dirs[i]};
    if (i < flags.splits.size() && flags.splits[i] != "-") {
      ASSIGN_OR_RETURN(corpus.split, data::Split::Read(flags.splits[i]));
    }
    flags.options.corpora.push_back(std::move(corpus));
  }
  Progress progress;
  ASSIGN_OR_RETURN(const auto background, evaluation::MakeBackground(flags.options, progress));
  const std::string bytes = background->ToBytes();
  const std::string path = absl::StrCat(flags.options.model, "/", bundle::kBackgroundFile);
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  file.flush();
  if (!file) return absl::UnavailableError(absl::StrCat("cannot write ", path));
  std::printf("%s: %zu passages of scores, %zu of recordings, %zu bytes\n", path.c_str(),
              background->passages(catalog::Side::kScores).size(),
              background->passages(catalog::Side::kRecordings).size(), bytes.size());
  return absl::OkStatus();
}

}  // namespace

void AddBackground(CLI::App& program, absl::Status& outcome) {
  CLI::App* command = program.add_subcommand(
      "background", "Make the music that every answer is compared with, MODEL/background.bin");
  auto flags = std::make_shared<Flags>();
  evaluation::BackgroundOptions& options = flags->options;
  command->add_option("--model", options.model, "Folder with audio_encoder.pt and score_encoder.pt")
      ->required();
  command
      ->add_option(kScoresOption, flags->midi_dirs,
                   "Folder of scores, searched recursively; may be given several times")
      ->required();
  command->add_option("--split", flags->splits,
                      "File with columns piece and split for each --scores, in order; - and those "
                      "left out: by a hash of the name");
  command
      ->add_option("--soundfont", options.soundfonts,
                   "To render passages with, never the evaluation one")
      ->required();
  command->add_option("--passages", options.passages, "Number of them")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_option("--length", options.passage_s, "Of a passage, seconds")
      ->check(CLI::Range(5.0, 3600.0))
      ->capture_default_str();
  command->add_option("--tempo-ratios", options.tempo_ratios, "Tempi at which scores are read");
  command->add_flag("!--forwards", options.backwards,
                    "Take the music as it is written, to compare");
  command->add_option("--seed", options.seed, "Seed of all that is random")->capture_default_str();
  command->add_option("--threads", flags->threads, "0 is the number of cores")
      ->capture_default_str();
  command->callback([flags, &outcome] { outcome = Run(*flags); });
}

}  // namespace antiphon::trainer::commands
