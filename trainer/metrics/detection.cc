#include "trainer/metrics/detection.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace antiphon::trainer::metrics {
namespace {

std::vector<double> Confidences(std::span<const Detection> detections, bool known) {
  std::vector<double> values;
  for (const Detection& detection : detections) {
    if (detection.known == known) values.push_back(detection.confidence);
  }
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

double Auroc(std::span<const Detection> detections) {
  const std::vector<double> known = Confidences(detections, true),
                            unknown = Confidences(detections, false);
  if (known.empty() || unknown.empty()) return 0.5;
  double wins = 0;
  for (const double value : known) {
    const auto [low, high] = std::equal_range(unknown.begin(), unknown.end(), value);
    wins += static_cast<double>(low - unknown.begin()) + 0.5 * static_cast<double>(high - low);
  }
  return wins / (static_cast<double>(known.size()) * static_cast<double>(unknown.size()));
}

double ThresholdFor(std::span<const Detection> detections, double false_accepts) {
  const std::vector<double> unknown = Confidences(detections, false);
  const auto allowed =
      static_cast<size_t>(std::floor(false_accepts * static_cast<double>(unknown.size()) + 1e-9));
  return allowed >= unknown.size() ? -1.0 : unknown[unknown.size() - 1 - allowed];
}

double TrueAccepts(std::span<const Detection> detections, double threshold) {
  int known = 0, accepted = 0;
  for (const Detection& d : detections) {
    known += d.known;
    accepted += d.known && d.right && d.confidence > threshold;
  }
  return known ? static_cast<double>(accepted) / known : 0;
}

double FalseAccepts(std::span<const Detection> detections, double threshold) {
  int unknown = 0, accepted = 0;
  for (const Detection& d : detections) {
    unknown += !d.known;
    accepted += !d.known && d.confidence > threshold;
  }
  return unknown ? static_cast<double>(accepted) / unknown : 0;
}

std::array<ReliabilityBin, 10> Reliability(std::span<const Detection> detections) {
  std::array<ReliabilityBin, 10> bins;
  for (const Detection& detection : detections) {
    ReliabilityBin& bin = bins[std::clamp(static_cast<int>(detection.confidence * 10), 0, 9)];
    ++bin.answers;
    bin.right += detection.known && detection.right;
    bin.mean_confidence += (detection.confidence - bin.mean_confidence) / bin.answers;
  }
  return bins;
}

double CalibrationError(std::span<const Detection> detections) {
  double error = 0;
  for (const ReliabilityBin& bin : Reliability(detections))
    error += std::abs(bin.mean_confidence * bin.answers - bin.right);
  return detections.empty() ? 0 : error / static_cast<double>(detections.size());
}

}  // namespace antiphon::trainer::metrics
