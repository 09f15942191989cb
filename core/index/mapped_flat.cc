#include "core/index/mapped_flat.h"

#include <faiss/impl/FaissAssert.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/index/row_ranges.h"

namespace antiphon::index {

absl::StatusOr<std::unique_ptr<MappedFlat>> MappedFlat::Map(int descriptor, int64_t offset,
                                                            int dimension, int64_t count) {
  const int64_t begin = offset % sysconf(_SC_PAGESIZE);
  const size_t bytes = begin + count * dimension * sizeof(float);
  void* map = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, descriptor, offset - begin);
  if (map == MAP_FAILED) return absl::ErrnoToStatus(errno, "index file: cannot be mapped");
  return std::unique_ptr<MappedFlat>(new MappedFlat(dimension, count, map, bytes, begin));
}

MappedFlat::MappedFlat(int dimension, int64_t count, void* map, size_t map_bytes, size_t begin)
    : faiss::Index(dimension, faiss::METRIC_INNER_PRODUCT),
      map_(map),
      map_bytes_(map_bytes),
      begin_(begin) {
  ntotal = count;
}

MappedFlat::~MappedFlat() { munmap(map_, map_bytes_); }

VectorBlock MappedFlat::block() const {
  return {static_cast<const char*>(map_) + begin_, ntotal, 0};
}

absl::Status MappedFlat::ReadIn() const {
  bool can_be_read = true;
#ifdef MADV_POPULATE_READ
  constexpr size_t kAtOnce = size_t{64} << 20;  // whole pages of any size
#pragma omp parallel for schedule(dynamic) reduction(&& : can_be_read)
  for (size_t at = 0; at < map_bytes_; at += kAtOnce) {
    const bool failed = madvise(static_cast<char*>(map_) + at, std::min(kAtOnce, map_bytes_ - at),
                                MADV_POPULATE_READ) != 0;
    can_be_read = can_be_read && !(failed && (errno == EFAULT || errno == EHWPOISON));
  }
#endif
  if (!can_be_read) return absl::DataLossError("index file: cannot be read");
  return absl::OkStatus();
}

void MappedFlat::LetGo() const { madvise(map_, map_bytes_, MADV_DONTNEED); }

void MappedFlat::reconstruct(int64_t row, float* vector) const {
  std::memcpy(vector, RowAt(block(), d, row), d * sizeof(float));
}

void MappedFlat::add(int64_t, const float*) { FAISS_THROW_MSG("a mapped index does not grow"); }

void MappedFlat::search(int64_t, const float*, int64_t, float*, int64_t*,
                        const faiss::SearchParameters*) const {
  FAISS_THROW_MSG("a mapped index is searched by its block");
}

void MappedFlat::reset() { FAISS_THROW_MSG("a mapped index does not change"); }

}  // namespace antiphon::index
