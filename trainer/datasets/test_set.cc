#include "trainer/datasets/test_set.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/scores/read_score.h"
#include "trainer/base/fingerprint.h"
#include "trainer/data/midi_files.h"
#include "trainer/datasets/rendition_cache.h"

namespace antiphon::trainer::datasets {

absl::StatusOr<std::vector<PartPiece>> ReadPart(const std::string& midi_dir,
                                                const data::Split& split, data::Part part,
                                                Unusable unusable) {
  ASSIGN_OR_RETURN(const std::vector<data::SourceFile> files, data::MidiFilesBelow(midi_dir));
  std::vector<PartPiece> pieces;
  for (const data::SourceFile& file : files) {
    if (split.PartOf(file.name()) != part) continue;
    ASSIGN_OR_RETURN(std::string midi, ReadWholeFile(file.path));
    absl::StatusOr<music::Score> score = notation::ReadScore(midi);
    if (score.ok() && score->notes.empty()) score = absl::InvalidArgumentError("it has no notes");
    if (!score.ok() && unusable == Unusable::kPassedOver) continue;
    if (!score.ok()) {
      return absl::Status(score.status().code(),
                          absl::StrCat(file.relative, ": ", score.status().message()));
    }
    pieces.push_back({file.name(), std::move(midi), *std::move(score)});
  }
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const PartPiece& a, const PartPiece& b) { return a.name < b.name; });
  return pieces;
}

absl::StatusOr<std::vector<TestPiece>> LoadTestSet(const TestSetOptions& options,
                                                   Progress& progress) {
  ASSIGN_OR_RETURN(std::vector<PartPiece> part,
                   ReadPart(options.midi_dir, options.split, options.part, Unusable::kFails));
  if (part.empty()) {
    return absl::NotFoundError(
        absl::StrCat(options.midi_dir, " has no piece of the part ", data::PartName(options.part)));
  }
  const RenditionCache cache(
      {options.cache, options.soundfont, options.sample_rate, options.own_instruments});
  std::vector<TestPiece> pieces;
  std::vector<RenditionJob> jobs;
  for (PartPiece& piece : part) {
    const std::string path = cache.PathOf(piece.name, piece.midi);
    jobs.push_back({path, piece.midi, ""});
    pieces.push_back({std::move(piece), path});
  }
  RETURN_IF_ERROR(cache.Fill(jobs, 0, progress));
  return pieces;
}

}  // namespace antiphon::trainer::datasets
