// The inner loops of the constant-Q transform, for the vector instructions of the processor at
// hand.
//
// Every sum is taken in the order of its terms, one lane of a vector for each sum, so that a result
// has the same bits however many are computed at once. Instruction sets differ in the last bits:
// AVX2 and AVX-512 round once where the baseline rounds twice. Stateless; safe from any thread.
//
// Internal to core/features.
#ifndef ANTIPHON_CORE_FEATURES_VECTOR_KERNELS_H_
#define ANTIPHON_CORE_FEATURES_VECTOR_KERNELS_H_

#include <cstdint>
#include <span>

namespace antiphon::features {

enum class InstructionSet {
  kBaseline,  // what the build targets
  kAvx2,      // AVX2 and FMA
  kAvx512,    // AVX-512F
};

struct VectorKernels {
  // The terms of sixteen sums that belong to one sample.
  static constexpr int kLanes = 16;
  struct alignas(64) Row {
    float lanes[kLanes] = {};
  };

  // Sums over `rows` for each of `frames` stretches of sound:
  //   sums[f].lanes[l] = Σ_m rows[m].lanes[l] · samples[f · step + m].
  void (*correlate)(std::span<const Row> rows, const float* samples, int64_t step,
                    std::span<Row> sums);

  // A term of a filter: reads from one of several signals of equal length.
  struct Tap {
    int signal = 0;
    int shift = 0;
    float coefficient = 0;
  };
  // outputs[n] = Σ_t coefficient_t · inputs[signal_t · stride + shift_t + n]. The number of outputs
  // is a multiple of kFilterBlock.
  static constexpr int kFilterBlock = 64;
  void (*filter)(std::span<const Tap> taps, const float* inputs, int64_t stride,
                 std::span<float> outputs);

  // The fastest kernels that this processor can execute.
  static const VectorKernels& Fastest();
  // Those of one instruction set; null where the processor or the build lacks it.
  static const VectorKernels* ForInstructionSet(InstructionSet set);
};

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_FEATURES_VECTOR_KERNELS_H_
