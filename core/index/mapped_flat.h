// A flat index whose vectors stay in its file, mapped into memory: the kernel keeps there what is
// read, and takes it back where memory is short. Internal to core/index.
#ifndef ANTIPHON_CORE_INDEX_MAPPED_FLAT_H_
#define ANTIPHON_CORE_INDEX_MAPPED_FLAT_H_

#include <faiss/Index.h>

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "core/index/vector_index.h"

namespace antiphon::index {

// Immutable, safe from any thread, and searched through block(): what FAISS declares beyond that
// throws. The file may be replaced or removed, but must not be cut or written to.
class MappedFlat final : public faiss::Index {
 public:
  // Maps the vectors, [count, dimension] floats from byte `offset` on, which must be there; the
  // descriptor may be closed afterwards. count >= 1.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<MappedFlat>> Map(int descriptor,
                                                                       int64_t offset,
                                                                       int dimension,
                                                                       int64_t count);
  ~MappedFlat() override;
  MappedFlat(const MappedFlat&) = delete;
  MappedFlat& operator=(const MappedFlat&) = delete;

  VectorBlock block() const;

  // Reads all of it, so that a disk that cannot is told (DataLoss) before a vector is used, where
  // the kernel can say so (Linux 5.14 and later).
  [[nodiscard]] absl::Status ReadIn() const;

  // Leaves what has been read to the kernel; it is read again when it is needed.
  void LetGo() const;

  void reconstruct(int64_t row, float* vector) const override;
  void add(int64_t count, const float* vectors) override;
  void search(int64_t count, const float* queries, int64_t k, float* similarities, int64_t* ids,
              const faiss::SearchParameters* parameters = nullptr) const override;
  void reset() override;

 private:
  MappedFlat(int dimension, int64_t count, void* map, size_t map_bytes, size_t begin);

  void* const map_;
  const size_t map_bytes_;
  const size_t begin_;  // of the vectors, within the map
};

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_MAPPED_FLAT_H_
