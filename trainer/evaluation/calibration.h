// Fits what turns a vote into a confidence: of the answers given with confidence c, a part c should
// be right.
//
// Works on the validation part alone, with soundfonts that may be trained on: it is a choice, so
// nothing that quality is measured on may enter.
#ifndef ANTIPHON_TRAINER_EVALUATION_CALIBRATION_H_
#define ANTIPHON_TRAINER_EVALUATION_CALIBRATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/collection/bundle_builder.h"
#include "core/encoder/window_encoder.h"
#include "core/matching/confidence.h"
#include "core/retrieval/collection.h"
#include "trainer/base/progress.h"
#include "trainer/data/split.h"

namespace antiphon::trainer::evaluation {

struct CalibrationOptions {
  std::string model;  // folder
  encoder::EncoderOptions encoder;
  std::string midi_dir;  // searched recursively
  data::Split split = data::Split::ByHash();
  std::vector<std::string> soundfonts;  // to render queries with; never the evaluation soundfont
  collection::BuilderOptions builder;   // hop and tempo ratios of the collection
  // How the queries are answered.
  matching::IdentifyOptions identify = {.hop_s = matching::IdentifyOptions::kFineHop_s};
  std::vector<double> excerpts_s = {2, 5, 10, 20};  // lengths of the queries, seconds
  int queries_per_piece = 4;                        // of each length
  // Pieces of the collections that each query is asked in, once with its piece and once without;
  // more than there are is all.
  std::vector<int> collection_sizes = {1, 10, 60, 1'000'000};
  int noises_of_each = 20;          // sounds that are no music (noises.h), of each kind and length
  int distractors = 100;            // pieces of the train part that fill the collection up
  double false_accept_rate = 0.01;  // that the threshold is to allow
  uint64_t seed = 1;
  std::string work;  // folder for the bundle, which is kept
};

// One query's outcome: what the confidence is made of, and whether the answer was right.
struct CalibrationPoint {
  double score = 0;       // of the best candidate
  double second = 0;      // of the second, 0 without one
  double background = 0;  // of the background's best
  int windows = 0;        // of the query
  bool right = false;     // false too for a piece that is not in the collection
  bool known = false;     // the piece is in the collection
  double length_s = 0;    // of the query

  double rival() const { return second > background ? second : background; }
  int pieces = 0;  // of the collection that was asked
};

struct Calibration {
  matching::ConfidenceModel model;
  std::vector<CalibrationPoint> points;
  std::vector<CalibrationPoint>
      noises;  // for the threshold alone: how often noises are asked for is not known
};

// The valid part's pieces are put into a collection, with distractors from the train part; excerpts
// of all are performed at random tempi and asked for in parts of the collection, with and without
// the piece, and so are noises. Distractors are none of the background's (IsBackgroundPiece).
// FailedPrecondition where answers bring no piece to mind for any known piece, or none for any
// unknown one: both are needed to fit.
[[nodiscard]] absl::StatusOr<Calibration> Calibrate(const CalibrationOptions& options,
                                                    Progress& progress);

// Logistic regression by Newton's method with a slight ridge, so that separable points have an
// answer too. Fills in the model's bias and weights.
void FitLogistic(Calibration& calibration);

// Sets the model's threshold to the lowest at which no noise and at most `false_accept_rate` of the
// queries for unknown pieces are accepted, of all together and of every length from 5 s on by
// itself, and the rate that this comes to over all. Requires at least one query for an unknown
// piece.
void ChooseThreshold(Calibration& calibration, double false_accept_rate);

// The points one a line, tab-separated, under a line that names the columns: for looking at.
std::string CalibrationTable(const Calibration& calibration);

// For each length of query, how many of the known pieces came first; confidences by tens of per
// cent: how many answers, and which part of them was right; then what the threshold lets through.
std::string CalibrationText(const Calibration& calibration);

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_CALIBRATION_H_
