// How sure an answer is: a number that can be believed. Pure functions; safe from any thread.
#ifndef ANTIPHON_CORE_MATCHING_CONFIDENCE_H_
#define ANTIPHON_CORE_MATCHING_CONFIDENCE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace antiphon::matching {

// A logistic regression (Platt 1999): confidence is 1 / (1 + exp(-(bias + score_weight·score +
// margin_weight·margin + length_weight·length))), where `score`, in [0, 1], says how well the query
// goes along with a source, `margin` is VoteMargin over the best source of any other piece, and
// `length` is the logarithm to base 2 of 1 + the number of the query's windows.
//
// `antiphon-trainer calibrate` fits it on validation data, so that of the answers given with
// confidence c a part c is right, and keeps it beside the encoders. The defaults, set by hand,
// serve models without.
struct ConfidenceModel {
  double bias = -4.0;
  double score_weight = 10.0;
  double margin_weight = 5.0;
  double length_weight = 0.0;
  double threshold = 0.5;  // from which an answer is a match, unless a request says otherwise
  double false_accept_rate =
      0;  // of queries for unknown pieces, at the threshold; 0 where nobody has measured it
  int queries = 0;  // it was fitted on
};

// Finite, in [0, 1]. `rival` is the best score of any other piece, 0 without one. An answer that
// was the best of several tries had as many `chances` to look good for nothing: its odds are
// divided by their number.
double Confidence(const ConfidenceModel& model, double score, double rival, int windows,
                  int chances = 1);

std::string ConfidenceToJson(const ConfidenceModel& model);

// Untrusted input: DataLoss says which field is missing, of the wrong type or out of range.
[[nodiscard]] absl::StatusOr<ConfidenceModel> ParseConfidence(std::string_view json);

}  // namespace antiphon::matching

#endif  // ANTIPHON_CORE_MATCHING_CONFIDENCE_H_
