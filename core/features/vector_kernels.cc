#include "core/features/vector_kernels.h"

#include <algorithm>
#include <cstring>

namespace antiphon::features {
namespace {

using Row = VectorKernels::Row;
using Tap = VectorKernels::Tap;

// The loops below are compiled once for each width and inlined into functions for the instruction
// sets. Vectors never cross a function that is called, so that no calling convention depends on
// what is enabled.
#define ANTIPHON_INLINE [[gnu::always_inline]] inline

template <int kWidth>
struct VectorOf {
  typedef float Type __attribute__((vector_size(kWidth * sizeof(float))));  // NOLINT
};
template <int kWidth>
using Vector = typename VectorOf<kWidth>::Type;

template <typename V>
ANTIPHON_INLINE void Load(V& vector, const float* from) {
  std::memcpy(&vector, from, sizeof(V));
}

template <typename V>
ANTIPHON_INLINE void Store(const V& vector, float* to) {
  std::memcpy(to, &vector, sizeof(V));
}

// kFrames stretches at once: as many sums as fit the registers, so that every coefficient that is
// loaded serves several multiplications, and none waits for the one before it.
template <int kWidth, int kFrames>
ANTIPHON_INLINE void CorrelateBlock(std::span<const Row> rows, const float* samples, int64_t step,
                                    Row* sums) {
  constexpr int kParts = VectorKernels::kLanes / kWidth;
  Vector<kWidth> sum[kFrames][kParts] = {};
  const Row* row = rows.data();
  for (int64_t m = 0; m < static_cast<int64_t>(rows.size()); ++m) {
    Vector<kWidth> coefficients[kParts];
    for (int p = 0; p < kParts; ++p) Load(coefficients[p], row[m].lanes + p * kWidth);
    for (int f = 0; f < kFrames; ++f) {
      const float sample = samples[f * step + m];
      for (int p = 0; p < kParts; ++p) sum[f][p] += coefficients[p] * sample;
    }
  }
  for (int f = 0; f < kFrames; ++f) {
    for (int p = 0; p < kParts; ++p) Store(sum[f][p], sums[f].lanes + p * kWidth);
  }
}

template <int kWidth, int kFrames>
ANTIPHON_INLINE void CorrelateAll(std::span<const Row> rows, const float* samples, int64_t step,
                                  std::span<Row> sums) {
  const int64_t frames = static_cast<int64_t>(sums.size());
  int64_t f = 0;
  for (; f + kFrames <= frames; f += kFrames)
    CorrelateBlock<kWidth, kFrames>(rows, samples + f * step, step, &sums[f]);
  for (; f + 2 <= frames; f += 2)
    CorrelateBlock<kWidth, 2>(rows, samples + f * step, step, &sums[f]);
  if (f < frames) CorrelateBlock<kWidth, 1>(rows, samples + f * step, step, &sums[f]);
}

template <int kWidth>
ANTIPHON_INLINE void FilterAll(std::span<const Tap> taps, const float* inputs, int64_t stride,
                               std::span<float> outputs) {
  constexpr int kVectors = std::min(8, VectorKernels::kFilterBlock / kWidth);
  for (size_t n = 0; n < outputs.size(); n += kVectors * kWidth) {
    Vector<kWidth> sum[kVectors] = {};
    for (const Tap& tap : taps) {
      const float* from = inputs + tap.signal * stride + tap.shift + n;
      for (int i = 0; i < kVectors; ++i) {
        Vector<kWidth> input;
        Load(input, from + i * kWidth);
        sum[i] += input * tap.coefficient;
      }
    }
    for (int i = 0; i < kVectors; ++i) Store(sum[i], &outputs[n + i * kWidth]);
  }
}

void CorrelateBaseline(std::span<const Row> rows, const float* samples, int64_t step,
                       std::span<Row> sums) {
  CorrelateAll<4, 2>(rows, samples, step, sums);
}
void FilterBaseline(std::span<const Tap> taps, const float* inputs, int64_t stride,
                    std::span<float> outputs) {
  FilterAll<4>(taps, inputs, stride, outputs);
}
constexpr VectorKernels kBaseline = {CorrelateBaseline, FilterBaseline};

#if defined(__x86_64__)

[[gnu::target("avx2,fma")]] void CorrelateAvx2(std::span<const Row> rows, const float* samples,
                                               int64_t step, std::span<Row> sums) {
  CorrelateAll<8, 6>(rows, samples, step, sums);
}
[[gnu::target("avx2,fma")]] void FilterAvx2(std::span<const Tap> taps, const float* inputs,
                                            int64_t stride, std::span<float> outputs) {
  FilterAll<8>(taps, inputs, stride, outputs);
}
constexpr VectorKernels kAvx2 = {CorrelateAvx2, FilterAvx2};

[[gnu::target("avx512f,fma")]] void CorrelateAvx512(std::span<const Row> rows, const float* samples,
                                                    int64_t step, std::span<Row> sums) {
  CorrelateAll<16, 8>(rows, samples, step, sums);
}
[[gnu::target("avx512f,fma")]] void FilterAvx512(std::span<const Tap> taps, const float* inputs,
                                                 int64_t stride, std::span<float> outputs) {
  FilterAll<16>(taps, inputs, stride, outputs);
}
constexpr VectorKernels kAvx512 = {CorrelateAvx512, FilterAvx512};

#endif

}  // namespace

const VectorKernels* VectorKernels::ForInstructionSet(InstructionSet set) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool has_fma = __builtin_cpu_supports("fma");
#endif
  switch (set) {
    case InstructionSet::kBaseline:
      return &kBaseline;
    case InstructionSet::kAvx2:
#if defined(__x86_64__)
      if (has_fma && __builtin_cpu_supports("avx2")) return &kAvx2;
#endif
      return nullptr;
    case InstructionSet::kAvx512:
#if defined(__x86_64__)
      if (has_fma && __builtin_cpu_supports("avx512f")) return &kAvx512;
#endif
      return nullptr;
  }
  return nullptr;
}

const VectorKernels& VectorKernels::Fastest() {
  for (const InstructionSet set : {InstructionSet::kAvx512, InstructionSet::kAvx2}) {
    if (const VectorKernels* kernels = ForInstructionSet(set)) return *kernels;
  }
  return kBaseline;
}

}  // namespace antiphon::features
