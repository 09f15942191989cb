#include "trainer/data/overlap.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "core/base/status_macros.h"
#include "core/scores/read_score.h"
#include "spdlog/spdlog.h"
#include "trainer/commands/given_options.h"
#include "trainer/commands/subcommands.h"
#include "trainer/data/midi_files.h"
#include "trainer/data/split.h"

namespace antiphon::trainer::commands {
namespace {

// A folder of MIDI files and the parts of it that count; every file where there is no split.
struct Corpus {
  std::string folder, split_file;
  bool by_hash = false;
  std::vector<data::Part> parts;
};

struct Flags {
  int min_shared = 8;
  double min_share = 0.15;
  Corpus trained{{}, {}, false, {data::Part::kTrain, data::Part::kValid}},
      measured{{}, {}, false, {data::Part::kTest}};
};

absl::StatusOr<std::vector<data::OverlapPiece>> ReadCorpus(const Corpus& corpus) {
  std::optional<data::Split> split;
  if (corpus.by_hash) split = data::Split::ByHash();
  if (!corpus.split_file.empty()) {
    ASSIGN_OR_RETURN(data::Split read, data::Split::Read(corpus.split_file));
    split = std::move(read);
  }
  std::vector<data::OverlapPiece> pieces;
  ASSIGN_OR_RETURN(const std::vector<data::SourceFile> files, data::MidiFilesBelow(corpus.folder));
  for (const data::SourceFile& file : files) {
    const std::string name = file.name();
    const std::optional<data::Part> part = split ? split->PartOf(name) : std::nullopt;
    if (split &&
        (!part || std::find(corpus.parts.begin(), corpus.parts.end(), *part) == corpus.parts.end()))
      continue;
    const absl::StatusOr<music::Score> score = notation::ReadScoreFile(file.path);
    if (!score.ok()) {
      spdlog::warn("left out: {}", score.status().ToString());
      continue;
    }
    // Scores may have one name in many folders; there the folder says which piece it is.
    const bool generic = !split && file.relative.find('/') != std::string::npos;
    pieces.push_back({generic ? file.relative : name, data::MelodyShingles(*score)});
  }
  return pieces;
}

absl::Status Run(const CLI::App& command, const Flags& flags) {
  RETURN_IF_ERROR(RefuseIdle(command, "--trained-by-hash", flags.trained.split_file.empty(),
                             "--trained-split says which part a piece is in"));
  RETURN_IF_ERROR(RefuseIdle(command, "--measured-by-hash", flags.measured.split_file.empty(),
                             "--measured-split says which part a piece is in"));
  ASSIGN_OR_RETURN(const std::vector<data::OverlapPiece> trained, ReadCorpus(flags.trained));
  ASSIGN_OR_RETURN(const std::vector<data::OverlapPiece> measured, ReadCorpus(flags.measured));
  for (const data::Overlap& overlap :
       data::FindOverlaps(trained, measured, flags.min_shared, flags.min_share)) {
    std::printf("%s\t%s\t%d\t%.2f\n", overlap.trained.c_str(), overlap.measured.c_str(),
                overlap.shared, overlap.share);
  }
  return absl::OkStatus();
}

}  // namespace

void AddOverlap(CLI::App& program, absl::Status& outcome) {
  CLI::App* command = program.add_subcommand("overlap",
                                             "List pieces to train on that share music with pieces "
                                             "to measure on: lines for train --exclude");
  auto flags = std::make_shared<Flags>();
  command->add_option("--trained", flags->trained.folder, "Folder of scores, parts train and valid")
      ->required();
  command->add_option("--trained-split", flags->trained.split_file,
                      "File with columns piece and split");
  command->add_flag("--trained-by-hash", flags->trained.by_hash, "Split by a hash of the name");
  command
      ->add_option("--measured", flags->measured.folder,
                   "Folder of scores, part test; all without a split")
      ->required();
  command->add_option("--measured-split", flags->measured.split_file,
                      "File with columns piece and split");
  command
      ->add_option("--min-shared", flags->min_shared,
                   "Shared runs of melody from which two pieces count as one")
      ->capture_default_str();
  command
      ->add_option("--min-share", flags->min_share,
                   "And their least share of the shorter piece's runs")
      ->capture_default_str();
  command->add_flag("--measured-by-hash", flags->measured.by_hash, "Split by a hash of the name");
  command->callback([command, flags, &outcome] { outcome = Run(*command, *flags); });
}

}  // namespace antiphon::trainer::commands
