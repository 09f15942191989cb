#include "trainer/data/overlap.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "core/base/status_macros.h"
#include "core/music/midi_file.h"
#include "spdlog/spdlog.h"
#include "trainer/commands/subcommands.h"
#include "trainer/data/midi_files.h"
#include "trainer/data/split.h"

namespace antiphon::trainer {
namespace {

// A folder of MIDI files and the parts of it that count; every file where there is no split.
struct Corpus {
  std::string folder, split_file;
  bool by_hash = false;
  std::vector<Part> parts;
};

struct Flags {
  int min_shared = 8;
  double min_share = 0.15;
  Corpus trained{{}, {}, false, {Part::kTrain, Part::kValid}},
      measured{{}, {}, false, {Part::kTest}};
};

absl::StatusOr<std::vector<OverlapPiece>> ReadCorpus(const Corpus& corpus) {
  std::optional<Split> split;
  if (corpus.by_hash) split = Split::ByHash();
  if (!corpus.split_file.empty()) {
    ASSIGN_OR_RETURN(Split read, Split::Read(corpus.split_file));
    split = std::move(read);
  }
  std::vector<OverlapPiece> pieces;
  ASSIGN_OR_RETURN(const std::vector<SourceFile> files, MidiFilesBelow(corpus.folder));
  for (const SourceFile& file : files) {
    const std::string name = file.name();
    const std::optional<Part> part = split ? split->PartOf(name) : std::nullopt;
    if (split &&
        (!part || std::find(corpus.parts.begin(), corpus.parts.end(), *part) == corpus.parts.end()))
      continue;
    const absl::StatusOr<music::Score> score = music::ReadMidiFile(file.path);
    if (!score.ok()) {
      spdlog::warn("left out: {}", score.status().ToString());
      continue;
    }
    // Scores may have one name in many folders; there the folder says which piece it is.
    const bool generic = !split && file.relative.find('/') != std::string::npos;
    pieces.push_back({generic ? file.relative : name, MelodyShingles(*score)});
  }
  return pieces;
}

absl::Status Run(const Flags& flags) {
  ASSIGN_OR_RETURN(const std::vector<OverlapPiece> trained, ReadCorpus(flags.trained));
  ASSIGN_OR_RETURN(const std::vector<OverlapPiece> measured, ReadCorpus(flags.measured));
  for (const Overlap& overlap :
       FindOverlaps(trained, measured, flags.min_shared, flags.min_share)) {
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
  command
      ->add_option("--trained", flags->trained.folder,
                   "Folder of MIDI files, parts train and valid")
      ->required();
  command->add_option("--trained-split", flags->trained.split_file,
                      "File with columns piece and split");
  command->add_flag("--trained-by-hash", flags->trained.by_hash, "Split by a hash of the name");
  command
      ->add_option("--measured", flags->measured.folder,
                   "Folder of MIDI files, part test; all without a split")
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
  command->callback([flags, &outcome] { outcome = Run(*flags); });
}

}  // namespace antiphon::trainer
