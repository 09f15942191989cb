// Lowers the sample rate of a signal by a whole number, behind a linear-phase low-pass filter
// (windowed sinc, Kaiser 1974).
//
// Output sample n lies where input sample n · ratio lies: the filter is symmetric and does not
// delay. Immutable once made; safe from any thread.
//
// Internal to core/features.
#ifndef ANTIPHON_CORE_FEATURES_DECIMATOR_H_
#define ANTIPHON_CORE_FEATURES_DECIMATOR_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/features/vector_kernels.h"

namespace antiphon::features {

class Decimator {
 public:
  // Part of the amplitude that is left of what the filter stops, -100 dB.
  static constexpr double kAttenuation = 1e-5;

  // Frequencies up to `passband`, in cycles per output sample, keep their amplitude, and nothing is
  // folded onto them, either to within twice kAttenuation or so. 0 < passband < 1/2; the filter
  // grows without bound towards 1/2.
  Decimator(int ratio, double passband);

  // Samples of input that an output looks at, to either side: the filter has 2 · reach + 1 taps.
  static int64_t Reach(int ratio, double passband);

  int ratio() const { return ratio_; }
  int64_t reach() const { return reach_; }

  // Amplitude of a sine after the filter; `frequency` in cycles per input sample.
  double Response(double frequency) const;

  // Keeps its memory between calls of one thread.
  struct Scratch {
    std::vector<float> signals;
  };
  // outputs[n], n < count, is the filter around input[n · ratio]. Reads from input[-reach()] to
  // input[(count - 1) · ratio + reach()]. `outputs` is resized to `count` or some more, of which
  // the rest has no meaning.
  void Apply(const float* input, int64_t count, std::vector<float>& outputs,
             Scratch& scratch) const;

 private:
  const int ratio_;
  const int64_t reach_;
  std::vector<double> filter_;  // [2 · reach_ + 1]
  std::vector<VectorKernels::Tap> taps_;
  const VectorKernels& kernels_;
};

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_FEATURES_DECIMATOR_H_
