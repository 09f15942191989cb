// Sorts a suite's wrong answers by kind, counts them, and draws the worst. Blocking; belongs to one
// thread.
#ifndef ANTIPHON_TRAINER_EVALUATION_ERRORS_H_
#define ANTIPHON_TRAINER_EVALUATION_ERRORS_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/music/score.h"
#include "core/retrieval/collection.h"
#include "trainer/base/progress.h"
#include "trainer/datasets/excerpts.h"
#include "trainer/datasets/reference_collection.h"
#include "trainer/metrics/error_kinds.h"
#include "trainer/metrics/report.h"

namespace antiphon::trainer::evaluation {

// What a suite knows of a query.
struct QueryTruth {
  std::vector<music::Note> played;                     // seconds of the query
  std::optional<std::vector<metrics::Onset>> written;  // see ErrorEvidence
  std::optional<double> tempo_ratio;
  int source = 0;  // the right one
};

struct ErrorsRequest {
  std::string suite;
  std::string folder;      // for errors-SUITE.html; made when it does not exist
  std::string soundfont;   // to render what was played plainly, where `try_plain`
  bool try_plain = false;  // the audio is a recording: is the answer right without the room?
  int shown = 12;          // at most 3 of a kind while other kinds are left
  const retrieval::Collection* collection = nullptr;
  const std::vector<datasets::CollectionEntry>* entries = nullptr;
  const std::vector<datasets::TestRecording>* recordings = nullptr;
  const std::vector<datasets::Outcome>* outcomes = nullptr;
  datasets::WorkOfSource work_of;
  matching::IdentifyOptions identify;
  std::function<absl::StatusOr<QueryTruth>(const datasets::Outcome&)> truth_of;
};

// Writes the page and adds a table of the kinds, by length, to the report.
[[nodiscard]] absl::Status WriteErrors(const ErrorsRequest& request, Progress& progress,
                                       metrics::Report& report);

// The notes that begin within [start_s, start_s + length_s), in seconds from there, cut off at its
// end.
std::vector<music::Note> NotesWithin(const std::vector<music::Note>& notes, double start_s,
                                     double length_s);

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_ERRORS_H_
