#include "core/alignment/evidence.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace antiphon::alignment {
namespace {

// Both were chosen on performances of a third of ASAP's titles beside their own scores and others.
struct Balance {
  double likeness, likeness_weight;    // likeness at which neither is said …
  double roughness, roughness_weight;  // … and roughness
};
constexpr Balance kAgreement = {0.21, 25, 0.2, 6};
constexpr Balance kDoubt = {0.1, 20, 0.35, 6};
// So many onsets of that roughness are added to those there are: a few say little.
constexpr double kPriorOnsets = 10;
constexpr double kPriorRoughness = 0.3;
// Tempo is measured over so many onsets, and how rough it is over so many to either side.
constexpr size_t kTempoOnsets = 4;
constexpr size_t kReach = 4;
constexpr double kLongest_s = 1;  // what an onset counts for, at most

// Of what chance leaves, so much is like what is written.
double BeyondChance(double likeness, double chance) {
  return (likeness - chance) / std::max(1 - chance, 0.1);
}

double Weigh(const Balance& balance, double likeness, double roughness) {
  const double evidence = balance.likeness_weight * (likeness - balance.likeness) -
                          balance.roughness_weight * (roughness - balance.roughness);
  return 1 / (1 + std::exp(-evidence));
}

// For each onset the logarithm of the tempo around it, against the mean tempo.
std::vector<double> LogTempi(const LaidOnsets& laid) {
  const size_t count = laid.heard_s.size();
  std::vector<double> tempi(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t from = std::min(i, count - std::min(count, kTempoOnsets + 1));
    const size_t to = std::min(from + kTempoOnsets, count - 1);
    const double heard_s = laid.heard_s[to] - laid.heard_s[from];
    const double played_s = laid.played_s[to] - laid.played_s[from];
    if (heard_s > 0 && played_s > 0) tempi[i] = std::log(heard_s / played_s);
  }
  return tempi;
}

// How much the tempo differs from that half of its onsets later.
std::vector<double> Roughness(const LaidOnsets& laid) {
  const std::vector<double> tempi = LogTempi(laid);
  std::vector<double> roughness(tempi.size());
  for (size_t i = 0; i < tempi.size(); ++i) {
    const size_t next = std::min(i + kTempoOnsets / 2, tempi.size() - 1);
    roughness[i] = std::abs(tempi[next] - tempi[i]);
  }
  return roughness;
}

double MeanAround(const std::vector<double>& values, size_t place) {
  const size_t first = place - std::min(place, kReach);
  const size_t end = std::min(values.size(), place + kReach + 1);
  double sum = 0;
  for (size_t i = first; i < end; ++i) sum += values[i];
  return sum / static_cast<double>(end - first);
}

}  // namespace

Evidence WeighEvidence(const LaidOnsets& laid) {
  const std::vector<double> roughness = Roughness(laid);
  Evidence evidence;
  double likeness = 0, chance = 0, weights = 0;
  double rough = kPriorOnsets * kPriorRoughness;
  for (size_t i = 0; i < laid.heard_s.size(); ++i) {
    const double length_s = i + 1 < laid.heard_s.size()
                                ? std::min(laid.heard_s[i + 1] - laid.heard_s[i], kLongest_s)
                                : kLongest_s;
    likeness += length_s * laid.likeness[i];
    chance += length_s * laid.chance[i];
    weights += length_s;
    rough += roughness[i];
    const double beyond = BeyondChance(MeanAround(laid.likeness, i), MeanAround(laid.chance, i));
    evidence.doubts.push_back(1 - Weigh(kDoubt, beyond, MeanAround(roughness, i)));
  }
  if (weights > 0) {
    evidence.agreement = Weigh(kAgreement, BeyondChance(likeness / weights, chance / weights),
                               rough / (kPriorOnsets + static_cast<double>(roughness.size())));
  }
  return evidence;
}

}  // namespace antiphon::alignment
