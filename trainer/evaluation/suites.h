// The suites that say how good a model is. Blocking functions for one thread; they use several
// themselves.
//
// Every table has a row for drawing lots and one for an untrained network of the same features, so
// that a broken pipeline shows itself.
#ifndef ANTIPHON_TRAINER_EVALUATION_SUITES_H_
#define ANTIPHON_TRAINER_EVALUATION_SUITES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/encoder/window_encoder.h"
#include "trainer/base/progress.h"
#include "trainer/datasets/test_set.h"
#include "trainer/metrics/report.h"

namespace antiphon::trainer::evaluation {

struct SuiteOptions {
  std::string model;      // folder of the model measured
  std::string untrained;  // folder of the untrained model; empty leaves its rows out
  encoder::EncoderOptions encoder;
  datasets::TestSetOptions test_set;
  std::string work;  // folder for bundles made on the way; removed by the suite
  uint64_t seed = 1;
  int snippets = 2000;         // pairs drawn in suite `snippets`
  bool centre_scores = false;  // suite `snippets`: the score's window exactly around the onset, not
                               // on the sound's frames
  bool all_onsets = true;      // suite `snippets` also with all distinct onsets as candidates
  std::string asap;            // folder of the ASAP dataset
  int performances = 0;        // of ASAP, a sample of so many; 0 is all
  int render_threads = 0;      // 0 is the number of cores
  std::string recordings;      // folder of the MAPS recordings; a file is named piece_room
  int excerpts = 10;           // suite `recordings`: of each recording and length
  std::vector<std::string>
      degradations;           // suite `recordings` also under each of these (degradation.h)
  int max_transposition = 0;  // semitones, suites `recordings` and `unknown` (IdentifyOptions)
  std::string reference_collections;  // folder for bundles, which are kept
  int untrained_recordings =
      40;  // the untrained network is asked about so many performances at most
  std::vector<std::string> distractors;  // folders of further scores that fill collections up
  std::vector<int> catalog_sizes = {100, 300, 1000, 3000, 10000};  // pieces, suite `catalogue-size`
  std::string errors;  // folder for a page of the worst errors; empty: none
};

// Suite `snippets`: for windows centred on onsets, find the counterpart of the other kind (the task
// of Dorfer et al. 2018).
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateSnippets(const SuiteOptions& options,
                                                               Progress& progress);

// Suite `pieces`: a whole recording against the scores, and a whole score against the recordings,
// through the same retrieval that the server uses.
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluatePieces(const SuiteOptions& options,
                                                             Progress& progress);

// Suite `performances`: human performances (ASAP) against the scores of all its titles.
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluatePerformances(const SuiteOptions& options,
                                                                   Progress& progress);

// Suite `recordings`: recordings of a real grand piano (MAPS) against the scores in
// `test_set.midi_dir`, all of them.
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateRecordings(const SuiteOptions& options,
                                                                 Progress& progress);

// Suite `unknown`: as `performances`, with a random half of the titles taken out of the catalogue.
// Is the query in it at all? And sounds that are no music.
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateUnknown(const SuiteOptions& options,
                                                              Progress& progress);

// Suite `catalogue-size`: recordings and performances (a sample of 60 unless `performances` says),
// cut to 10 s, against collections that grow: first the queried pieces, then all others of the
// corpora, then made ones.
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateCatalogSize(const SuiteOptions& options,
                                                                  Progress& progress);

// Suite `transcription`: how close to the true notes are those of the nearest snippet, the true one
// taken out?
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateTranscription(const SuiteOptions& options,
                                                                    Progress& progress);

// Suite `alignment`: where in its score each beat of a performance (ASAP) is, and back, by
// alignment::AlignToScore. No model takes part; a straight line from the first note to the last is
// the baseline.
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateAlignment(const SuiteOptions& options,
                                                                Progress& progress);

// Renders the performances that the suites on ASAP need, in the order of their sample, and does
// nothing else: hours of music, which one may want to have done before.
[[nodiscard]] absl::Status RenderAsap(const SuiteOptions& options, Progress& progress);

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_SUITES_H_
