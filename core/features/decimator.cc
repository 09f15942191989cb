#include "core/features/decimator.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace antiphon::features {
namespace {

using std::numbers::pi;

// Of Decimator::kAttenuation.
constexpr double kAttenuationDecibels = 100;

// Zero outside -1 to 1.
double KaiserWindow(double x) {
  constexpr double kBeta = 0.1102 * (kAttenuationDecibels - 8.7);
  return std::cyl_bessel_i(0.0, kBeta * std::sqrt(std::max(0.0, 1 - x * x))) /
         std::cyl_bessel_i(0.0, kBeta);
}

int64_t RoundUp(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

// signals[s · stride + n] = input[n · ratio + s], n < count. With the ratio known, the compiler
// turns 2, 3 and 4 into vector instructions.
template <int kRatio>
void SplitBy(const float* __restrict input, int64_t count, int64_t stride,
             float* __restrict signals) {
  for (int64_t n = 0; n < count; ++n) {
    for (int s = 0; s < kRatio; ++s) signals[s * stride + n] = input[n * kRatio + s];
  }
}

void Split(int ratio, const float* input, int64_t count, int64_t stride, float* signals) {
  switch (ratio) {
    case 2:
      return SplitBy<2>(input, count, stride, signals);
    case 3:
      return SplitBy<3>(input, count, stride, signals);
    case 4:
      return SplitBy<4>(input, count, stride, signals);
    default:
      for (int s = 0; s < ratio; ++s) {
        for (int64_t n = 0; n < count; ++n) signals[s * stride + n] = input[n * ratio + s];
      }
  }
}

}  // namespace

int64_t Decimator::Reach(int ratio, double passband) {
  // Half an output's rate lies in the middle between the passband and what is folded onto it.
  const double transition = (1 - 2 * passband) / ratio;  // cycles per input sample
  return static_cast<int64_t>(std::ceil((kAttenuationDecibels - 7.95) / (14.36 * transition) / 2));
}

Decimator::Decimator(int ratio, double passband)
    : ratio_(ratio),
      reach_(Reach(ratio, passband)),
      filter_(2 * reach_ + 1),
      kernels_(VectorKernels::Fastest()) {
  for (int64_t j = -reach_; j <= reach_; ++j) {
    // The sinc is zero at every whole output sample but the middle one.
    const double x = static_cast<double>(j) / ratio;
    const double sinc = j == 0 ? 1 : j % ratio == 0 ? 0 : std::sin(pi * x) / (pi * x);
    filter_[j + reach_] = sinc * KaiserWindow(static_cast<double>(j) / (reach_ + 1));
  }
  const double sum = std::accumulate(filter_.begin(), filter_.end(), 0.0);
  for (double& value : filter_) value /= sum;
  // Every ratio-th sample is a signal of its own, so that successive outputs read successive
  // samples of it.
  for (int signal = 0; signal < ratio; ++signal) {
    for (int t = signal; t < static_cast<int>(filter_.size()); t += ratio) {
      if (filter_[t] != 0) taps_.push_back({signal, t / ratio, static_cast<float>(filter_[t])});
    }
  }
}

double Decimator::Response(double frequency) const {
  double sum = 0;
  for (int64_t j = -reach_; j <= reach_; ++j)
    sum += filter_[j + reach_] * std::cos(2 * pi * frequency * static_cast<double>(j));
  return sum;
}

void Decimator::Apply(const float* input, int64_t count, std::vector<float>& outputs,
                      Scratch& scratch) const {
  // In stretches, so that what is laid out anew is still near when it is read.
  constexpr int64_t kStretch = 1024;
  static_assert(kStretch % VectorKernels::kFilterBlock == 0);
  outputs.resize(RoundUp(count, VectorKernels::kFilterBlock));
  const int64_t stride = kStretch + 2 * reach_ / ratio_ + 1;
  scratch.signals.resize(std::max<size_t>(scratch.signals.size(), stride * ratio_));
  for (int64_t begin = 0; begin < count; begin += kStretch) {
    const float* first = input + begin * ratio_ - reach_;
    const int64_t needed = (std::min(kStretch, count - begin) - 1) * ratio_ + 2 * reach_ + 1;
    const int64_t whole = needed / ratio_;
    float* signals = scratch.signals.data();
    Split(ratio_, first, whole, stride, signals);
    for (int signal = 0; signal < needed % ratio_; ++signal)
      signals[signal * stride + whole] = first[whole * ratio_ + signal];
    // Outputs beyond `count` are made of whatever is there.
    kernels_.filter(taps_, signals, stride,
                    std::span(outputs).subspan(begin).first(
                        std::min<size_t>(kStretch, outputs.size() - begin)));
  }
}

}  // namespace antiphon::features
