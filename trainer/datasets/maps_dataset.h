// The MAPS recordings (Emiya et al. 2010) beside the scores of piano-midi.de that they were played
// from.
#ifndef ANTIPHON_TRAINER_DATASETS_MAPS_DATASET_H_
#define ANTIPHON_TRAINER_DATASETS_MAPS_DATASET_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/music/score.h"
#include "trainer/datasets/excerpts.h"
#include "trainer/datasets/reference_collection.h"

namespace antiphon::trainer::datasets {

struct MapsTestBed {
  std::vector<CollectionEntry> entries;   // all scores
  std::vector<TestRecording> recordings;  // whose piece is among them; its place is `work`
  std::vector<TestRecording> unknown;     // whose piece is not, by their names
};

// A recording is named piece_room. NotFound when there is no recording of a piece among the scores.
[[nodiscard]] absl::StatusOr<MapsTestBed> MakeMapsTestBed(const std::string& recordings_dir,
                                                          const std::string& midi_dir);

// "mz_311_1_ENSTDkCl" gives "mz_311_1".
std::string PieceOfMapsName(std::string_view name);

// The notes of a recording: lines of "onset_s,offset_s,pitch,velocity", a '#' before those that are
// none. In order of onset and pitch. InvalidArgument, with the line, where a number is missing.
[[nodiscard]] absl::StatusOr<std::vector<music::Note>> ParseNoteList(std::string_view text);

// The score whose notes are most like those of a recording, and how much: the F1 of onsets within
// 0.1 s, both begun at 0 and stretched to one length, as a player piano would play it. 0 without
// notes.
struct NearestScore {
  int entry = -1;
  double likeness = 0;
  int next = -1;  // the second nearest
  double next_likeness = 0;
};

[[nodiscard]] absl::StatusOr<NearestScore> FindNearestScore(
    const std::vector<music::Note>& notes, const std::vector<CollectionEntry>& entries);
double NoteLikeness(const std::vector<music::Note>& a, const std::vector<music::Note>& b);

}  // namespace antiphon::trainer::datasets

#endif  // ANTIPHON_TRAINER_DATASETS_MAPS_DATASET_H_
