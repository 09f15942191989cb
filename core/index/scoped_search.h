// How an index of each kind is searched when only some of its rows may be found. Internal to
// core/index.
//
// A flat index is scanned, a large one in its copy of eight bits a value. A graph (HNSW) and lists
// (IVF) are followed with FAISS's selectors, looking at so many more vectors that as many in scope
// are seen as otherwise. A device scans some ranges of a flat index one after the other, and is
// asked for more neighbours than wanted where there are more ranges, or lists. Where that finds too
// few, or few rows are in scope to begin with, the rows in scope are scanned here; and so is
// everything that a device does not answer.
#ifndef ANTIPHON_CORE_INDEX_SCOPED_SEARCH_H_
#define ANTIPHON_CORE_INDEX_SCOPED_SEARCH_H_

#include <memory>
#include <span>

#include "absl/status/status.h"
#include "core/index/device_search.h"
#include "core/index/vector_index.h"

namespace faiss {
struct Index;
struct IndexFlat;
struct IndexHNSWFlat;
struct IndexIVFFlat;
}  // namespace faiss

namespace antiphon::index {

class MappedFlat;
class PackedVectors;

// An index of one of the three kinds; a flat one has its vectors in memory or in a file.
struct SearchableIndex {
  IndexOptions options;  // kind is the index's
  std::unique_ptr<faiss::Index> index;
  faiss::IndexFlat* flat = nullptr;  // one of the four is set and points into index
  MappedFlat* mapped = nullptr;
  faiss::IndexHNSWFlat* hnsw = nullptr;
  faiss::IndexIVFFlat* ivf = nullptr;
  std::unique_ptr<const PackedVectors> packed;      // a copy of eight bits a value, or null
  std::unique_ptr<DeviceSearch> on_device;          // a copy on a device, or null
  std::unique_ptr<DevicePool::Absence> off_device;  // where there should be one and cannot

  SearchableIndex();
  ~SearchableIndex();

  bool is_flat() const { return flat != nullptr || mapped != nullptr; }
  // The vectors where they lie row by row; none for lists.
  VectorBlock rows() const;
};

// See VectorIndex::Search. Requires finite queries of the index's dimension, at least one; k and
// scope in range; FAISS's exceptions come through.
[[nodiscard]] absl::Status SearchInScope(const SearchableIndex& index,
                                         std::span<const float> queries, int k, const Scope& scope,
                                         SearchResult& result);

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_SCOPED_SEARCH_H_
