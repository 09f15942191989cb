// What the suites on ASAP share: its scores as a catalogue, a sample of its performances as recordings, and where in
// the score each moment of a performance is.
#ifndef ANTIPHON_TRAINER_EVALUATION_ASAP_TEST_BED_H_
#define ANTIPHON_TRAINER_EVALUATION_ASAP_TEST_BED_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "trainer/evaluation/asap.h"
#include "trainer/evaluation/catalogue.h"
#include "trainer/evaluation/excerpts.h"
#include "trainer/evaluation/suites.h"
#include "trainer/progress.h"

namespace antiphon::trainer {

struct AsapTestBed {
  Asap asap;
  std::vector<int> sample;                    // places in asap.performances
  std::vector<TestRecording> recordings;      // of the sample, rendered
  std::vector<std::optional<BeatMap>> beats;  // of the sample; nothing where the annotations have no counterparts
  std::vector<CatalogueEntry> entries;        // of all scores, in the order of asap.scores

  // Requires a catalogue of all entries in their order.
  WorkOfSource work_of() const {
    return [this](int source) { return asap.scores[source].work; };
  }
};

[[nodiscard]] absl::StatusOr<AsapTestBed> MakeAsapTestBed(const SuiteOptions& options, Progress& progress);

// How far the answer's place in the performance's own score is from the right one, seconds of the score. The place is
// that of the best candidate which is that score (another edition of it has another time); infinite where there is
// none. Nothing where the beats do not say what is right. Requires answers from a catalogue of all entries.
std::optional<double> PositionError(const AsapTestBed& bed, const Outcome& outcome);

// An answer's place is right when it is so near, seconds of the score.
inline constexpr double kPositionTolerance_s = 1.0;

// Whether the score shows the same notes around the answer's place, give or take the tolerance, as around the right
// one, nearly literally: an onset F1 of at least 0.9 within 50 ms over the excerpt's length. Nothing where
// PositionError has nothing or is infinite.
[[nodiscard]] absl::StatusOr<std::optional<bool>> IsAtRepeat(const AsapTestBed& bed, const Outcome& outcome);

// How a suite indexes: the index command's own defaults.
CatalogueOptions CatalogueFor(const SuiteOptions& options, const std::string& model);

}  // namespace antiphon::trainer

#endif  // ANTIPHON_TRAINER_EVALUATION_ASAP_TEST_BED_H_
