// A copy of vectors with eight bits for each value, in which the most similar are looked for; their
// own values then say which are the best of those.
//
// Values are rounded to 255 steps between the largest and its negative, the same for all vectors
// (a uniform scalar quantiser), and laid out for the kernels of byte_scan.h. Those of a query are
// rounded to at most 129 steps of its own, fewer where many are large, on every processor: AVX2
// multiplies and adds no larger ones as fast. A scan reads a quarter of what the vectors themselves
// take, and multiplies whole numbers, so that it finds the same on every processor. It keeps some
// more than are wanted: rounding changes the order of neighbours that are nearly equally similar.
// Internal to core/index.
#ifndef ANTIPHON_CORE_INDEX_PACKED_VECTORS_H_
#define ANTIPHON_CORE_INDEX_PACKED_VECTORS_H_

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "core/index/byte_scan.h"
#include "core/index/candidates.h"
#include "core/index/vector_index.h"

namespace antiphon::index {

// Immutable, and safe from any thread. Borrows the vectors.
class PackedVectors {
 public:
  // Of the block's vectors, numbered from 0 on. Null where one of them is longer than 1: beside
  // long ones, those of length 1 would be left with few steps. Uses OpenMP's threads.
  static std::unique_ptr<const PackedVectors> Make(const VectorBlock& block, int dimension);

  // As FlatSearch of the rows in `rows`, rising ranges without overlap, but that a neighbour may be
  // missed whose rank by rounded values is below 2 k + 16. Similarities are those of the vectors
  // themselves. The number of OpenMP's threads changes nothing.
  // Nor do the kernels.
  void Search(std::span<const RowRange> rows, const float* queries, int64_t query_count, int k,
              int64_t* ids, float* similarities,
              const ByteKernels& kernels = ByteKernels::Fastest()) const;

 private:
  // By the product of rounded values.
  using Rounded = CandidateBy<int32_t>;
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  struct Queries;
  struct Part;
  class ScopedBlocks;

  PackedVectors(const VectorBlock& block, int dimension);
  bool FindLargest();
  void Pack();
  Queries Round(const float* queries, int count) const;
  void ScanPart(const ByteKernels& kernels, const Queries& queries, std::span<const RowRange> rows,
                const ScopedBlocks& blocks, int64_t begin, int64_t end, Part& part) const;
  void Rank(const float* query, std::span<const Rounded> found, int k, int64_t* ids,
            float* similarities) const;

  const VectorBlock block_;
  const int dimension_;
  const int quads_;
  float scale_ = 0;                                     // steps for each unit
  std::unique_ptr<ByteKernels::Quads[], Free> packed_;  // [blocks of rows, quads_]
};

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_PACKED_VECTORS_H_
