// Second editions of pieces: real ones, from a list that was confirmed by hand (data/editions), and
// made ones. Pure functions but for ReadEditionList; safe from any thread.
#ifndef ANTIPHON_TRAINER_DATASETS_EDITIONS_H_
#define ANTIPHON_TRAINER_DATASETS_EDITIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/matching/match.h"
#include "core/music/score.h"

namespace antiphon::trainer::datasets {

// A score of a corpus: "msmd", "piano-midi.de" or "asap", and its file's name there.
struct CorpusPiece {
  std::string corpus, name;

  auto operator<=>(const CorpusPiece&) const = default;
};

// Stretches of two scores, and whether they are the same music or only look alike.
struct EditionPair {
  CorpusPiece one, other;
  matching::Span in_one = {}, in_other = {};  // seconds at the tempo written
  bool same = false;
};

// A tab-separated file with a line of column names (data/editions/README.md). InvalidArgument, with
// the line, for what cannot be read.
[[nodiscard]] absl::StatusOr<std::vector<EditionPair>> ReadEditionList(const std::string& path);
[[nodiscard]] absl::StatusOr<std::vector<EditionPair>> ParseEditionList(std::string_view text);

// What an editor may do to a piece.
//   copy       nothing
//   tempo      another tempo is written
//   repeat     a passage is written out twice
//   octaves    the lowest part is doubled an octave below
//   ornaments  mordents on long notes
//   hand       only the higher part, as it is written alone
const std::vector<std::string>& EditionKinds();

// Nothing where the piece does not allow it: too short for a repeat, or all in one hand. Requires a
// name of EditionKinds.
std::optional<music::Score> MakeEdition(const music::Score& score, std::string_view kind,
                                        uint64_t seed);

}  // namespace antiphon::trainer::datasets

#endif  // ANTIPHON_TRAINER_DATASETS_EDITIONS_H_
