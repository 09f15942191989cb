#include "core/index/scoped_search.h"

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/impl/IDSelector.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/base/status_macros.h"
#include "core/index/device_pool.h"
#include "core/index/flat_search.h"
#include "core/index/mapped_flat.h"
#include "core/index/packed_vectors.h"
#include "core/index/row_ranges.h"
#include "core/threads/thread_scope.h"

// Every search is one of four: a scan (exact), a scan of the packed copy, FAISS's own search with a
// selector, or a device's search, of single ranges or with answers that are sifted. In a restricted
// scope the last two may find fewer neighbours than there are; Complete then scans for the queries
// concerned, so that each gets min(k, rows in scope) of them. Vectors beside the index are always
// compared one by one.
//
// Invariant: a SearchResult holds, for each query, its neighbours by falling similarity, then -1
// and -inf. All parts keep to it, so that KeepBest can merge any two of them. Ids beside the index
// lie above its own, so that no neighbour occurs in both.

namespace antiphon::index {
namespace {

// With less than this part of its rows in scope, a graph or lists are not worth following. To see
// as many rows in scope as otherwise, a search has to look at more by the inverse of the part, here
// ten times as many, one by one and all over memory; a scan compares this part of the rows in
// blocks, and is exact.
constexpr double kScanBelow = 0.1;
// Rows of inverted lists that are put together for a scan at a time: 4 MB at 64 dimensions.
constexpr int64_t kGatheredRows = 16'384;
// A device scans single ranges where there are at most so many of them: each costs it a tenth of a
// millisecond or so besides the products.
constexpr size_t kMostDeviceRanges = 16;
// As few rows as these are compared here sooner than a device is asked.
constexpr int64_t kTooFewForDevice = 4'096;

// More neighbours than these are looked for among the vectors themselves.
constexpr int kMostPacked = 1'000;

using Rows = std::span<const RowRange>;

SearchResult NoNeighbours(int64_t count, int k) {
  return {k, std::vector<int64_t>(count * k, -1),
          std::vector<float>(count * k, -std::numeric_limits<float>::infinity())};
}

struct Queries {
  std::span<const float> values;  // [count, dimension]
  int64_t count = 0;
  int k = 0;
};

SearchResult SearchBlocks(std::span<const VectorBlock> blocks, const Queries& queries,
                          int dimension) {
  SearchResult result = NoNeighbours(queries.count, queries.k);
  FlatSearch(blocks, dimension, queries.values.data(), queries.count, queries.k, result.ids.data(),
             result.similarities.data());
  return result;
}

void KeepBestOf(const SearchResult& more, const Queries& queries, SearchResult& result) {
  KeepBest(queries.count, queries.k, more.ids.data(), more.similarities.data(), result.ids.data(),
           result.similarities.data());
}

// Compares the vectors of inverted lists, some thousands at a time. The lists hold them by cluster
// and not by row; reconstruct finds one by the direct map that Build and Load make. Blocks get
// their pointers in flush: their vectors are all in place only then.
SearchResult ScanLists(const faiss::IndexIVFFlat& ivf, Rows rows, const Queries& queries) {
  SearchResult result = NoNeighbours(queries.count, queries.k);
  std::vector<float> vectors;
  std::vector<VectorBlock> blocks;
  int64_t gathered = 0;
  const auto flush = [&] {
    const float* next = vectors.data();
    for (VectorBlock& block : blocks) {
      block.vectors = next;
      next += block.count * ivf.d;
    }
    KeepBestOf(SearchBlocks(blocks, queries, ivf.d), queries, result);
    blocks.clear();
    gathered = 0;
  };
  vectors.resize(std::min(kGatheredRows, CountRows(rows)) * ivf.d);
  for (const RowRange& range : rows) {
    for (int64_t row = range.first; row < range.last;) {
      const int64_t count = std::min(range.last - row, kGatheredRows - gathered);
      for (int64_t i = 0; i < count; ++i)
        ivf.reconstruct(row + i, vectors.data() + (gathered + i) * ivf.d);
      blocks.push_back({nullptr, count, row});
      row += count;
      gathered += count;
      if (gathered == kGatheredRows) flush();
    }
  }
  if (gathered > 0) flush();
  return result;
}

// Compares every row in `rows` and every vector beside.
SearchResult Scan(const SearchableIndex& index, Rows rows, std::span<const VectorBlock> beside,
                  const Queries& queries) {
  const VectorBlock all = index.rows();
  std::vector<VectorBlock> blocks;
  if (all.vectors != nullptr) {
    for (const RowRange& range : rows) {
      blocks.push_back(
          {RowAt(all, index.index->d, range.first), range.last - range.first, range.first});
    }
  }
  blocks.insert(blocks.end(), beside.begin(), beside.end());
  SearchResult result = SearchBlocks(blocks, queries, index.index->d);
  if (index.ivf != nullptr) KeepBestOf(ScanLists(*index.ivf, rows, queries), queries, result);
  return result;
}

SearchResult ScanPacked(const SearchableIndex& index, Rows rows, const Queries& queries) {
  SearchResult result = NoNeighbours(queries.count, queries.k);
  index.packed->Search(rows, queries.values.data(), queries.count, queries.k, result.ids.data(),
                       result.similarities.data());
  return result;
}

// A bit for each row, as IDSelectorBitmap reads it: the selector is asked for every vector that a
// search comes by, and a bit costs less than a search in ranges.
std::vector<uint8_t> BitmapOf(Rows rows, int64_t size) {
  std::vector<uint8_t> bitmap((size + 7) / 8, 0);
  for (const RowRange& range : rows) {
    for (int64_t row = range.first; row < range.last; ++row)
      bitmap[row / 8] |= uint8_t{1} << (row % 8);
  }
  return bitmap;
}

// Rows of the index for each one in scope, at least 1. Requires rows in scope.
double Rarity(const SearchableIndex& index, Rows rows) {
  return static_cast<double>(index.index->ntotal) / static_cast<double>(CountRows(rows));
}

size_t ProbesFor(const SearchableIndex& index, double rarity) {
  return std::min<size_t>(std::llround(rarity * index.options.ivf_probes), index.ivf->nlist);
}

// FAISS's search, made broader by as much as rows in scope are rarer: then it sees about as many of
// them as an unrestricted search would, and finds about as much. Requires rows in scope.
SearchResult Follow(const SearchableIndex& index, Rows rows, const Queries& queries) {
  const int64_t size = index.index->ntotal;
  const double rarity = Rarity(index, rows);
  SearchResult result = NoNeighbours(queries.count, queries.k);
  std::vector<uint8_t> bitmap;
  if (rarity > 1) bitmap = BitmapOf(rows, size);
  faiss::IDSelectorBitmap selector(bitmap.size(), bitmap.data());
  faiss::IDSelector* const selected = rarity > 1 ? &selector : nullptr;
  if (index.hnsw != nullptr) {
    faiss::SearchParametersHNSW parameters;
    parameters.sel = selected;
    parameters.efSearch = static_cast<int>(
        std::ceil(rarity * std::max(index.options.hnsw_search_breadth, queries.k)));
    index.hnsw->search(queries.count, queries.values.data(), queries.k, result.similarities.data(),
                       result.ids.data(), &parameters);
  } else {
    faiss::SearchParametersIVF parameters;
    parameters.sel = selected;
    parameters.nprobe = ProbesFor(index, rarity);
    index.ivf->search(queries.count, queries.values.data(), queries.k, result.similarities.data(),
                      result.ids.data(), &parameters);
  }
  // FAISS pads with the lowest finite number.
  for (size_t i = 0; i < result.ids.size(); ++i) {
    if (result.ids[i] < 0) result.similarities[i] = -std::numeric_limits<float>::infinity();
  }
  return result;
}

// The queries for which fewer have been found than there are in scope, by number, and their values.
// Neighbours come first, so that the last place wanted tells.
struct Incomplete {
  std::vector<int64_t> numbers;
  std::vector<float> values;

  Incomplete(const Queries& queries, int64_t in_scope, int dimension, const SearchResult& result) {
    const int64_t wanted = std::min<int64_t>(queries.k, in_scope);
    for (int64_t q = 0; q < queries.count; ++q) {
      if (result.ids[q * queries.k + wanted - 1] >= 0) continue;
      numbers.push_back(q);
      values.insert(values.end(), queries.values.begin() + q * dimension,
                    queries.values.begin() + (q + 1) * dimension);
    }
  }

  Queries AsQueries(int k) const { return {values, static_cast<int64_t>(numbers.size()), k}; }

  // Puts what was found for them in its place.
  void Replace(const SearchResult& found, SearchResult& result) const {
    for (size_t i = 0; i < numbers.size(); ++i) {
      const auto from = static_cast<int64_t>(i) * found.k, to = numbers[i] * found.k;
      std::copy_n(found.ids.begin() + from, found.k, result.ids.begin() + to);
      std::copy_n(found.similarities.begin() + from, found.k, result.similarities.begin() + to);
    }
  }
};

// One run of a device over all rows, or some that follow one another.
absl::StatusOr<SearchResult> AskDevice(DeviceSearch& device, const Queries& queries, int k,
                                       RowRange rows, int probes) {
  SearchResult found = NoNeighbours(queries.count, k);
  RETURN_IF_ERROR(device.Search({queries.values.data(), queries.count, k, rows, probes},
                                found.ids.data(), found.similarities.data()));
  return found;
}

// The k best in scope of what was found.
SearchResult Sift(const SearchResult& found, Rows rows, const Queries& queries) {
  SearchResult result = NoNeighbours(queries.count, queries.k);
  for (int64_t q = 0; q < queries.count; ++q) {
    int kept = 0;
    for (int64_t i = q * found.k; i < (q + 1) * found.k && kept < queries.k; ++i) {
      if (found.ids[i] < 0 || !ContainsRow(rows, found.ids[i])) continue;
      result.ids[q * queries.k + kept] = found.ids[i];
      result.similarities[q * queries.k + kept] = found.similarities[i];
      ++kept;
    }
  }
  return result;
}

// A device scans ranges, but not many of them. Else it knows no scope: it is asked for more
// neighbours, of which those out of scope are dropped. Twice as many and 32 mostly hold k of them
// where half of the rows are in scope. For queries that miss some it is asked for all that it can
// select; Complete makes up for the rest.
absl::StatusOr<SearchResult> FollowOnDevice(const SearchableIndex& index, Rows rows,
                                            const Queries& queries) {
  DeviceSearch& device = *index.on_device;
  const int64_t size = index.index->ntotal;
  const double rarity = Rarity(index, rows);
  if (index.ivf == nullptr && rows.size() <= kMostDeviceRanges) {
    SearchResult result = NoNeighbours(queries.count, queries.k);
    for (const RowRange& range : rows) {
      ASSIGN_OR_RETURN(const SearchResult found, AskDevice(device, queries, queries.k, range, 0));
      KeepBestOf(found, queries, result);
    }
    return result;
  }
  const int probes =
      index.ivf == nullptr
          ? 0
          : static_cast<int>(std::min<size_t>(ProbesFor(index, rarity), DeviceIndex::kMaxProbes));
  const RowRange all = {0, size};
  if (rarity <= 1) return AskDevice(device, queries, queries.k, all, probes);
  const int asked = std::min(2 * queries.k + 32, device.most_neighbours());
  ASSIGN_OR_RETURN(const SearchResult found, AskDevice(device, queries, asked, all, probes));
  SearchResult result = Sift(found, rows, queries);
  const Incomplete incomplete(queries, CountRows(rows), index.index->d, result);
  if (incomplete.numbers.empty() || asked == device.most_neighbours()) return result;
  const Queries again = incomplete.AsQueries(queries.k);
  ASSIGN_OR_RETURN(const SearchResult more,
                   AskDevice(device, again, device.most_neighbours(), all, probes));
  incomplete.Replace(Sift(more, rows, again), result);
  return result;
}

// Whether a device is to be asked. A flat index is exact on a device too.
bool IsForDevice(const SearchableIndex& index, Rows rows, int k, bool exact) {
  if (index.on_device == nullptr || k > index.on_device->most_neighbours()) return false;
  const int64_t in_scope = CountRows(rows);
  const bool few =
      static_cast<double>(in_scope) < kScanBelow * static_cast<double>(index.index->ntotal);
  if (index.ivf != nullptr)
    return !exact && !few && index.options.ivf_probes <= DeviceIndex::kMaxProbes;
  return !few || (rows.size() <= kMostDeviceRanges && in_scope >= kTooFewForDevice);
}

// Scans for those queries that have found fewer than there are in scope.
void Complete(const SearchableIndex& index, Rows rows, const Queries& queries,
              SearchResult& result) {
  const Incomplete incomplete(queries, CountRows(rows), index.index->d, result);
  if (incomplete.numbers.empty()) return;
  incomplete.Replace(Scan(index, rows, {}, incomplete.AsQueries(queries.k)), result);
}

// Fails where the device does; then nothing is lost by asking another way.
absl::StatusOr<SearchResult> SearchOnDevice(const SearchableIndex& index, Rows rows,
                                            const Scope& scope, const Queries& queries) {
  ASSIGN_OR_RETURN(SearchResult result, FollowOnDevice(index, rows, queries));
  if (CountRows(rows) < index.index->ntotal) Complete(index, rows, queries, result);
  if (!scope.beside.empty())
    KeepBestOf(SearchBlocks(scope.beside, queries, index.index->d), queries, result);
  return result;
}

}  // namespace

SearchableIndex::SearchableIndex() = default;
SearchableIndex::~SearchableIndex() = default;

VectorBlock SearchableIndex::rows() const {
  if (mapped != nullptr) return mapped->block();
  const faiss::IndexFlat* in_memory =
      hnsw != nullptr ? dynamic_cast<const faiss::IndexFlat*>(hnsw->storage) : flat;
  if (in_memory == nullptr) return {};
  return {in_memory->get_xb(), in_memory->ntotal, 0};
}

absl::Status SearchInScope(const SearchableIndex& index, std::span<const float> query_values, int k,
                           const Scope& scope, SearchResult& result) {
  const threads::ThreadScope thread_scope(index.options.threads);
  const int64_t size = index.index->ntotal;
  const Queries queries = {query_values, static_cast<int64_t>(query_values.size()) / index.index->d,
                           k};
  const RowRange all = {0, size};
  const Rows rows = scope.rows.value_or(size > 0 ? Rows(&all, 1) : Rows());
  const int64_t in_scope = CountRows(rows);
  const bool restricted = in_scope < size;
  const bool few = static_cast<double>(in_scope) < kScanBelow * static_cast<double>(size);
  if (in_scope > 0 && IsForDevice(index, rows, k, scope.exact)) {
    if (index.on_device->Ready()) {
      absl::StatusOr<SearchResult> found = SearchOnDevice(index, rows, scope, queries);
      if (found.ok()) {
        result = *std::move(found);
        return absl::OkStatus();
      }
      // The device's pool has been told why.
    }
    index.options.devices->CountOnCpu();
  }
  const bool packed = index.packed != nullptr && in_scope >= index.options.packed_from &&
                      k <= kMostPacked && !scope.exact;
  if (!packed && (in_scope == 0 || few || index.is_flat() || scope.exact)) {
    result = Scan(index, rows, scope.beside, queries);
    return absl::OkStatus();
  }
  result = packed ? ScanPacked(index, rows, queries) : Follow(index, rows, queries);
  if (restricted && !packed) Complete(index, rows, queries, result);
  if (!scope.beside.empty())
    KeepBestOf(SearchBlocks(scope.beside, queries, index.index->d), queries, result);
  return absl::OkStatus();
}

}  // namespace antiphon::index
