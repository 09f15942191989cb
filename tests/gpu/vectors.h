// Vectors by the hundred million, made by all cores. Header only.
#ifndef ANTIPHON_TESTS_GPU_VECTORS_H_
#define ANTIPHON_TESTS_GPU_VECTORS_H_

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <thread>
#include <vector>

namespace antiphon::gpu {

// Memory in large pages: touching 26 GB takes a while in small ones.
struct FreeMemory {
  void operator()(float* memory) const { std::free(memory); }
};
using Floats = std::unique_ptr<float[], FreeMemory>;

inline Floats Allocate(int64_t count) {
  const size_t bytes =
      (static_cast<size_t>(count) * sizeof(float) + (2 << 20)) & ~((2ul << 20) - 1);
  void* memory = std::aligned_alloc(2 << 20, bytes);
  if (memory == nullptr) throw std::bad_alloc();
  madvise(memory, bytes, MADV_HUGEPAGE);
  return Floats(static_cast<float*>(memory));
}

// SplitMix64.
inline uint64_t Mix(uint64_t& state) {
  uint64_t z = (state += 0x9E3779B97F4A7C15ull);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

// About normal: four uniform numbers.
inline float Normal(uint64_t& state) {
  const uint64_t bits = Mix(state);
  const auto sum = static_cast<float>((bits & 0xFFFF) + (bits >> 16 & 0xFFFF) +
                                      (bits >> 32 & 0xFFFF) + (bits >> 48));
  return (sum - 131070.0f) * (1.0f / 37837.0f);
}

// Unit vectors around `clusters` centres (0: around none), numbered first, first + 1, …; the same
// for the same seed however they are asked for.
inline void MakeVectors(float* out, int64_t first, int64_t count, int dimension, int64_t clusters,
                        float spread, uint64_t seed) {
  std::vector<float> centres(clusters * dimension);
  uint64_t centre_state = seed ^ 0xC0FFEE;
  for (float& value : centres) value = Normal(centre_state);
  const auto make = [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) {
      uint64_t state = seed * 0x2545F4914F6CDD1Dull + static_cast<uint64_t>(first + i) * 7919;
      const float* centre = clusters > 0
                                ? &centres[static_cast<int64_t>(Mix(state) % clusters) * dimension]
                                : nullptr;
      float* vector = out + i * dimension;
      float square = 0;
      for (int j = 0; j < dimension; ++j) {
        vector[j] = centre == nullptr ? Normal(state) : centre[j] + spread * Normal(state);
        square += vector[j] * vector[j];
      }
      const float scale = 1.0f / std::sqrt(std::max(square, 1e-12f));
      for (int j = 0; j < dimension; ++j) vector[j] *= scale;
    }
  };
  const int64_t threads =
      std::clamp<int64_t>(std::thread::hardware_concurrency(), 1, count / 1024 + 1);
  std::vector<std::thread> workers;
  for (int64_t t = 0; t < threads; ++t)
    workers.emplace_back(make, count * t / threads, count * (t + 1) / threads);
  for (std::thread& worker : workers) worker.join();
}

inline std::vector<float> VectorsOf(int64_t count, int dimension, int64_t clusters, float spread,
                                    uint64_t seed, int64_t first = 0) {
  std::vector<float> vectors(count * dimension);
  MakeVectors(vectors.data(), first, count, dimension, clusters, spread, seed);
  return vectors;
}

}  // namespace antiphon::gpu

#endif  // ANTIPHON_TESTS_GPU_VECTORS_H_
