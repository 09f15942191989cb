// Nearest neighbours by inner product among L2-normalised embeddings (FAISS).
//
// Search is safe from any number of threads at once as long as nobody adds; Add needs the index to
// itself. An index owns its vectors. Vectors are numbered from 0 in the order they were added.
#ifndef ANTIPHON_CORE_INDEX_VECTOR_INDEX_H_
#define ANTIPHON_CORE_INDEX_VECTOR_INDEX_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/check_range.h"

namespace antiphon::index {

enum class IndexKind {
  kFlat,  // compares all vectors
  kHnsw,  // hierarchical navigable small worlds (Malkov & Yashunin 2016)
  kIvf,   // inverted lists over a k-means quantiser (Jégou et al. 2011)
};

// The names are "flat", "hnsw" and "ivf".
[[nodiscard]] absl::StatusOr<IndexKind> ParseIndexKind(std::string_view name);
std::string_view IndexKindName(IndexKind kind);

// Of the vectors that a device holds.
enum class DevicePrecision {
  kFloat32,
  kFloat16,
  kInt8,  // of lists; a flat index has float16 then
};
inline constexpr std::pair<std::string_view, DevicePrecision> kDevicePrecisionNames[] = {
    {"float32", DevicePrecision::kFloat32},
    {"float16", DevicePrecision::kFloat16},
    {"int8", DevicePrecision::kInt8},
};

class DevicePool;

struct IndexOptions {
  IndexKind kind = IndexKind::kFlat;
  static constexpr Range<int> kDimensionRange = {1, 4096};
  int dimension = 64;  // floats per vector
  static constexpr Range<int> kHnswLinksRange = {4, 128};
  int hnsw_links = 32;  // M: links per node; more is better and larger
  static constexpr Range<int> kHnswBuildBreadthRange = {8, 1000};
  int hnsw_build_breadth = 100;  // efConstruction
  static constexpr Range<int> kHnswSearchBreadthRange = {8, 4000};
  int hnsw_search_breadth = 128;  // efSearch; at least k is used
  static constexpr Range<int> kIvfListsRange = {0, 1 << 24};
  int ivf_lists = 0;  // 0 chooses 4·sqrt(n), at least 1
  static constexpr Range<int> kIvfProbesRange = {1, 100'000};
  int ivf_probes = 16;  // lists searched per query; at most ivf_lists, if that is not 0
  // Where it is searched: "cpu"; "cuda:N", or several with commas between them, each of which holds
  // a part; "auto" (cuda:0 when built with it and present). Where that is impossible, for hnsw
  // always, it is searched on the CPU, and the pool tells.
  std::string device = "cpu";
  DevicePrecision device_precision = DevicePrecision::kFloat32;
  static constexpr Range<int> kDeviceMemoryRange = {0, 1 << 24};
  int device_memory_mib = 0;  // that indexes may take of each device; 0: what is free
  // Shared by indexes, in place of one of its own that the three before describe; null: none.
  std::shared_ptr<DevicePool> devices = nullptr;
  // Where Build learns the lists of IVF and sorts vectors into them, as `device`; null: on the CPU.
  std::shared_ptr<DevicePool> build_devices = nullptr;
  // Vectors from which a flat index of vectors of length 1 is searched in a copy of eight bits a
  // value, and compares only the best of what it finds there exactly; Load leaves the vectors
  // themselves in their file then. One that is searched on a device is not. Fewer are compared
  // exactly, all of them.
  static constexpr Range<int> kPackedFromRange = {1, 1 << 30};
  int packed_from = 16'384;
  static constexpr Range<int> kThreadsRange = {0, 1024};
  // Of a search or a build, shared with what computes at the same time (thread_scope.h); 0 leaves
  // OpenMP's choice.
  int threads = 0;
};

// k neighbours for each query, best first. Where there are fewer than k, the rest has id -1 and
// similarity -inf.
struct SearchResult {
  int k = 0;
  std::vector<int64_t> ids;         // [queries, k]
  std::vector<float> similarities;  // [queries, k], inner products
};

// Vectors that lie one after another, numbered so too: first_id, first_id + 1, … Borrows them.
struct VectorBlock {
  const void* vectors = nullptr;  // [count, dimension] floats at any address, finite
  int64_t count = 0;
  int64_t first_id = 0;
};

// Rows first … last - 1 of an index.
struct RowRange {
  int64_t first = 0;
  int64_t last = 0;

  bool operator==(const RowRange&) const = default;
};

// Rows in ranges that do not overlap.
inline int64_t CountRows(std::span<const RowRange> ranges) {
  int64_t count = 0;
  for (const RowRange& range : ranges) count += range.last - range.first;
  return count;
}

// What a search looks at. Borrows what it names.
struct Scope {
  // The index's rows that may be found: rising ranges without overlap, none of them empty. All rows
  // where it is not set.
  std::optional<std::span<const RowRange>> rows = {};
  // Compares every vector in scope, whatever the kind and the number. An index also does so by
  // itself where its rows in scope are so few that a graph or lists would hardly meet them.
  bool exact = false;
  // Vectors beside the index that may be found too; they are compared one by one. Ids rise, from
  // size() on.
  std::span<const VectorBlock> beside = {};
};

class VectorIndex {
 public:
  static constexpr Range<int> kNeighboursRange = {1, 10'000};  // of a search, for each query

  // An index of `vectors`, [n, options.dimension] row by row; n may be 0. IVF learns its lists from
  // them. Fails with InvalidArgument on options out of range, a size that is no multiple of the
  // dimension or vectors that are not finite.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<VectorIndex>> Build(
      const IndexOptions& options, std::span<const float> vectors);

  // Reads a file written by Save. The file is treated as hostile: its size, type, dimension and
  // counts are checked (DataLoss says what is wrong), and `options.dimension` must be the file's.
  // While the index lives, the file may be replaced or removed, but not written to.
  // The kind comes from the file, search settings, device and threads from the options.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<VectorIndex>> Load(
      const std::string& path, const IndexOptions& options);
  ~VectorIndex();

  [[nodiscard]] absl::Status Add(std::span<const float> vectors);

  // `queries` is [q, dimension]; k is in kNeighboursRange. Where nothing is in scope the answer is
  // -1 only. A flat index that compares exactly answers, bit for bit, as one that holds only what
  // is in scope.
  [[nodiscard]] absl::StatusOr<SearchResult> Search(std::span<const float> queries, int k,
                                                    const Scope& scope = {}) const;

  // The vectors numbered first … first + count - 1, [count, dimension]; OutOfRange otherwise.
  [[nodiscard]] absl::StatusOr<std::vector<float>> Reconstruct(int64_t first, int64_t count) const;

  [[nodiscard]] absl::Status Save(const std::string& path) const;

  int64_t size() const;
  int dimension() const;
  IndexKind kind() const;

 private:
  struct Impl;
  explicit VectorIndex(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_VECTOR_INDEX_H_
