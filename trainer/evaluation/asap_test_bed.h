// What the suites on ASAP share: its scores as a catalogue, a sample of its performances as
// recordings, and where in the score each moment of a performance is.
#ifndef ANTIPHON_TRAINER_EVALUATION_ASAP_TEST_BED_H_
#define ANTIPHON_TRAINER_EVALUATION_ASAP_TEST_BED_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "trainer/base/progress.h"
#include "trainer/datasets/asap.h"
#include "trainer/datasets/excerpts.h"
#include "trainer/datasets/reference_collection.h"
#include "trainer/evaluation/suite_options.h"

namespace antiphon::trainer::evaluation {

struct AsapTestBed {
  datasets::Asap asap;
  std::vector<int> sample;                          // places in asap.performances
  std::vector<datasets::TestRecording> recordings;  // of the sample, rendered
  std::vector<std::optional<datasets::BeatMap>>
      beats;  // of the sample; nothing where the annotations have no counterparts
  std::vector<datasets::CollectionEntry> entries;  // of all scores, in the order of asap.scores

  // The recordings for one model: all for the one that is measured, the first 40 for the untrained
  // one.
  std::vector<datasets::TestRecording> AskedAbout(bool measured) const;

  // Requires a catalogue of all entries in their order.
  datasets::WorkOfSource work_of() const {
    return [this](int source) { return asap.scores[source].work; };
  }
};

[[nodiscard]] absl::StatusOr<AsapTestBed> MakeAsapTestBed(const AsapOptions& options, uint64_t seed,
                                                          Progress& progress);

// An answer's place is right when it is so near, seconds of the score.
inline constexpr double kPositionTolerance_s = 1.0;

// The place that an answer names in the performance's own score: that of the best candidate which
// is that score (another edition of it has another time).
struct PlaceVerdict {
  double error_s =
      0;  // from the right place, seconds of the score; infinite where no candidate is that score
  bool at_repeat = false;  // not right, but at a repeat of the same notes (RepeatsOf)
  int repeats =
      0;  // how many there are: who hears the excerpt alone draws one of these and the right place
  bool right() const { return error_s <= kPositionTolerance_s; }
};

// Nothing where the beats do not say what is right. Requires answers from a catalogue of all
// entries.
[[nodiscard]] absl::StatusOr<std::optional<PlaceVerdict>> JudgePlace(
    const AsapTestBed& bed, const datasets::Outcome& outcome);

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_ASAP_TEST_BED_H_
