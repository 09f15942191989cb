// What the suite `alignment` aligns: recordings whose score is known, and where in it each of their
// beats or notes is.
#ifndef ANTIPHON_TRAINER_EVALUATION_ALIGNMENT_ALIGNMENT_CASES_H_
#define ANTIPHON_TRAINER_EVALUATION_ALIGNMENT_ALIGNMENT_CASES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/music/score.h"
#include "core/music/time_map.h"
#include "trainer/base/progress.h"
#include "trainer/evaluation/suite_options.h"

namespace antiphon::trainer::evaluation {

struct AlignmentCase {
  std::string name;
  std::string audio;  // path
  music::Score score;
  // Beats or notes: seconds of the recording, seconds of the score; ascending in the recording.
  std::vector<music::TimePoint> truth;
};

struct AlignmentSet {
  std::string name;
  std::vector<AlignmentCase> cases;
  // Paths of scores of other music, for each case.
  std::vector<std::vector<std::string>> others;
  int left_out = 0;  // recordings whose truth is not known
  int unplayed = 0;  // beats left out: an annotation has them, and nobody plays them
};

// Performances of ASAP and their beats.
[[nodiscard]] absl::StatusOr<AlignmentSet> AsapAlignments(const AlignmentOptions& options,
                                                          Progress& progress);

// The MAPS recordings and the notes that were played, each beside that of the score. A player piano
// played the scores as they are, expression included: here they are laid out at an even tempo, so
// that the tempo is to be found.
[[nodiscard]] absl::StatusOr<AlignmentSet> MapsAlignments(const AlignmentOptions& options);

// The chorales of Bach10, all four instruments together, and their notes.
[[nodiscard]] absl::StatusOr<AlignmentSet> Bach10Alignments(const AlignmentOptions& options);

// The same notes, bars and beats at one tempo, the mean one.
music::Score AtEvenTempo(const music::Score& score);

// Each note played beside the note of the score that it is: of its pitch, nearest once both begin
// together and are as long, and no further than `tolerance_s`. A note of the score is taken once.
std::vector<music::TimePoint> PairNotes(const std::vector<music::Note>& played,
                                        const std::vector<music::Note>& written,
                                        double tolerance_s);

// The places but those within stretches that are not played: eight and more beats of a repeat or a
// cut, which an annotation crowds into the moment at which the music jumps. There, for most of the
// notes that are written none is played. `played` and `written` are sorted by onset.
std::vector<music::TimePoint> WithoutUnplayed(const std::vector<music::TimePoint>& truth,
                                              const std::vector<music::Note>& played,
                                              const std::vector<music::Note>& written);

// From the recording to the score, through the first of all that stand together. InvalidArgument
// where fewer than two points are left.
[[nodiscard]] absl::StatusOr<music::TimeMap> MapThrough(const std::vector<music::TimePoint>& truth);

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_ALIGNMENT_ALIGNMENT_CASES_H_
