// How well a number tells queries that have an answer from those that have none. Pure functions;
// safe from any thread.
#ifndef ANTIPHON_TRAINER_METRICS_DETECTION_H_
#define ANTIPHON_TRAINER_METRICS_DETECTION_H_

#include <array>
#include <span>
#include <vector>

namespace antiphon::trainer::metrics {

// One query and the confidence of its first answer (0 without one).
struct Detection {
  double confidence = 0;
  bool known = false;  // it has an answer in the collection
  bool right = false;  // and that came first
};

// Area under the receiver operating characteristic: the probability that a known query's confidence
// is above an unknown one's, ties counting half (Hanley & McNeil 1982). 0.5 where one of the kinds
// is missing.
double Auroc(std::span<const Detection> detections);

// The lowest confidence at which at most `false_accepts` (a share) of the unknown queries are
// accepted, that is, have a confidence above it.
double ThresholdFor(std::span<const Detection> detections, double false_accepts);

// Shares of the known queries: answered rightly with a confidence above the threshold. Of the
// unknown ones: any answer above it.
double TrueAccepts(std::span<const Detection> detections, double threshold);
double FalseAccepts(std::span<const Detection> detections, double threshold);

// Answers by tenths of confidence.
struct ReliabilityBin {
  int answers = 0;
  int right = 0;  // an unknown query's answer never is
  double mean_confidence = 0;
};

std::array<ReliabilityBin, 10> Reliability(std::span<const Detection> detections);

// Expected calibration error (Naeini et al. 2015): |mean confidence - share right| averaged over
// the answers.
double CalibrationError(std::span<const Detection> detections);

}  // namespace antiphon::trainer::metrics

#endif  // ANTIPHON_TRAINER_METRICS_DETECTION_H_
