// Vectors for the tests of core/index, the same on every run. Header only; for tests.
#ifndef ANTIPHON_CORE_TESTING_CLUSTERED_VECTORS_H_
#define ANTIPHON_CORE_TESTING_CLUSTERED_VECTORS_H_

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace antiphon::index {

// n unit vectors around `clusters` random centres, as embeddings of overlapping windows are; 0
// clusters spreads them evenly over the sphere. Row by row.
inline std::vector<float> ClusteredUnitVectors(int64_t n, int dimension, int clusters,
                                               uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> centres(static_cast<size_t>(clusters) * dimension);
  for (float& value : centres) value = normal(random);
  std::vector<float> vectors(static_cast<size_t>(n) * dimension);
  for (int64_t i = 0; i < n; ++i) {
    float* vector = &vectors[i * dimension];
    const float* centre = clusters > 0 ? &centres[random() % clusters * dimension] : nullptr;
    double square = 0;
    for (int j = 0; j < dimension; ++j) {
      vector[j] = centre == nullptr ? normal(random) : centre[j] + 0.5f * normal(random);
      square += vector[j] * vector[j];
    }
    for (int j = 0; j < dimension; ++j) vector[j] /= static_cast<float>(std::sqrt(square));
  }
  return vectors;
}

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_TESTING_CLUSTERED_VECTORS_H_
