#include "core/streaming/pause_detector.h"

#include <algorithm>

namespace antiphon::streaming {
namespace {

constexpr double kBlock_s = 0.05;
constexpr double kSilentPower = 1e-7 / 2;  // mean square of a sine at -70 dBFS

}  // namespace

PauseDetector::PauseDetector(int sample_rate, double pause_s, double start_s)
    : sample_rate_(sample_rate),
      pause_s_(pause_s),
      start_s_(start_s),
      block_(std::max<int64_t>(1, static_cast<int64_t>(kBlock_s * sample_rate))) {}

std::vector<PauseDetector::Change> PauseDetector::Push(std::span<const float> samples) {
  std::vector<Change> changes;
  for (const float sample : samples) {
    energy_ += static_cast<double>(sample) * sample;
    if (++received_ % block_ == 0) EndBlock(changes);
  }
  return changes;
}

void PauseDetector::EndBlock(std::vector<Change>& changes) {
  const bool silent = energy_ < kSilentPower * static_cast<double>(block_);
  energy_ = 0;
  const double end_s = start_s_ + static_cast<double>(received_) / sample_rate_;
  if (silent) {
    silent_ += block_;
    if (!paused_ && static_cast<double>(silent_) / sample_rate_ >= pause_s_) {
      paused_ = true;
      changes.push_back({true, end_s});
    }
    return;
  }
  silent_ = 0;
  if (paused_) changes.push_back({false, end_s});
  paused_ = false;
}

}  // namespace antiphon::streaming
