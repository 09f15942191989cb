// The vectors of a block, which may lie at any address. Internal to core/index; pure functions.
#ifndef ANTIPHON_CORE_INDEX_VECTOR_ROWS_H_
#define ANTIPHON_CORE_INDEX_VECTOR_ROWS_H_

#include <cstdint>
#include <cstring>

#include "core/index/vector_index.h"

namespace antiphon::index {

inline const void* RowAt(const VectorBlock& block, int dimension, int64_t row) {
  return static_cast<const char*>(block.vectors) + row * dimension * sizeof(float);
}

// The block's vectors first … first + count - 1, copied into `scratch` only where floats cannot be
// read at their address.
inline const float* RowsAt(const VectorBlock& block, int dimension, int64_t first, int64_t count,
                           float* scratch) {
  const void* rows = RowAt(block, dimension, first);
  if (reinterpret_cast<uintptr_t>(rows) % alignof(float) == 0)
    return static_cast<const float*>(rows);
  std::memcpy(scratch, rows, count * dimension * sizeof(float));
  return scratch;
}

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_VECTOR_ROWS_H_
