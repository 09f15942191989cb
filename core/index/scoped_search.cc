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
#include "core/index/flat_search.h"
#include "core/index/row_ranges.h"
#include "core/threads/thread_scope.h"

// Every search is one of three: a scan (exact), FAISS's own search with a selector, or a device's
// search whose answers are sifted. In a restricted scope the last two may find fewer neighbours
// than there are; Complete then scans for the queries concerned, so that each gets min(k, rows in
// scope) of them. Vectors beside the index are always compared one by one.
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

// The vectors by row where they lie so in memory; else null, and of an index without any.
const float* RowByRow(const SearchableIndex& index) {
  if (index.flat != nullptr) return index.flat->get_xb();
  return index.hnsw != nullptr
             ? dynamic_cast<const faiss::IndexFlat&>(*index.hnsw->storage).get_xb()
             : nullptr;
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
  const float* vectors = RowByRow(index);
  std::vector<VectorBlock> blocks;
  if (vectors != nullptr) {
    for (const RowRange& range : rows) {
      blocks.push_back(
          {vectors + range.first * index.index->d, range.last - range.first, range.first});
    }
  }
  blocks.insert(blocks.end(), beside.begin(), beside.end());
  SearchResult result = SearchBlocks(blocks, queries, index.index->d);
  if (index.ivf != nullptr) KeepBestOf(ScanLists(*index.ivf, rows, queries), queries, result);
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

// FAISS's search, made broader by as much as rows in scope are rarer: then it sees about as many of
// them as an unrestricted search would, and finds about as much. Requires rows in scope.
SearchResult Follow(const SearchableIndex& index, Rows rows, const Queries& queries) {
  const int64_t size = index.index->ntotal;
  const double rarity = static_cast<double>(size) / static_cast<double>(CountRows(rows));  // >= 1
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
    parameters.nprobe =
        std::min<size_t>(std::llround(rarity * index.options.ivf_probes), index.ivf->nlist);
    index.ivf->search(queries.count, queries.values.data(), queries.k, result.similarities.data(),
                      result.ids.data(), &parameters);
  }
  // FAISS pads with the lowest finite number.
  for (size_t i = 0; i < result.ids.size(); ++i) {
    if (result.ids[i] < 0) result.similarities[i] = -std::numeric_limits<float>::infinity();
  }
  return result;
}

// A device knows no scope: it is asked for more neighbours, of which those out of scope are
// dropped. Twice as many and 32 mostly hold k of them where half of the rows are in scope; Complete
// makes up for the rest.
absl::StatusOr<SearchResult> FollowOnDevice(const DeviceSearch& device, Rows rows, bool restricted,
                                            const Queries& queries) {
  const int asked = restricted ? std::min(2 * queries.k + 32, DeviceSearch::kMaxK) : queries.k;
  SearchResult found = NoNeighbours(queries.count, asked);
  RETURN_IF_ERROR(device.Search(queries.values.data(), queries.count, asked, found.ids.data(),
                                found.similarities.data()));
  SearchResult result = NoNeighbours(queries.count, queries.k);
  for (int64_t q = 0; q < queries.count; ++q) {
    int kept = 0;
    for (int64_t i = q * asked; i < (q + 1) * asked && kept < queries.k; ++i) {
      if (found.ids[i] < 0 || (restricted && !ContainsRow(rows, found.ids[i]))) continue;
      result.ids[q * queries.k + kept] = found.ids[i];
      result.similarities[q * queries.k + kept] = found.similarities[i];
      ++kept;
    }
  }
  return result;
}

// Scans for those queries that have found fewer than there are in scope. Neighbours come first, so
// that the last place wanted tells.
void Complete(const SearchableIndex& index, Rows rows, const Queries& queries,
              SearchResult& result) {
  const int64_t wanted = std::min<int64_t>(queries.k, CountRows(rows));
  const int dimension = index.index->d;
  std::vector<int64_t> incomplete;
  std::vector<float> values;
  for (int64_t q = 0; q < queries.count; ++q) {
    if (result.ids[q * queries.k + wanted - 1] >= 0) continue;
    incomplete.push_back(q);
    values.insert(values.end(), queries.values.begin() + q * dimension,
                  queries.values.begin() + (q + 1) * dimension);
  }
  if (incomplete.empty()) return;
  const SearchResult scanned =
      Scan(index, rows, {}, {values, static_cast<int64_t>(incomplete.size()), queries.k});
  for (size_t i = 0; i < incomplete.size(); ++i) {
    const auto from = static_cast<int64_t>(i) * queries.k, to = incomplete[i] * queries.k;
    std::copy_n(scanned.ids.begin() + from, queries.k, result.ids.begin() + to);
    std::copy_n(scanned.similarities.begin() + from, queries.k, result.similarities.begin() + to);
  }
}

}  // namespace

SearchableIndex::SearchableIndex() = default;
SearchableIndex::~SearchableIndex() = default;

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
  const bool on_device = index.on_device != nullptr && k <= DeviceSearch::kMaxK && !few;
  // A flat index is exact on a device too; one in memory is always scanned.
  const bool scan = in_scope == 0 || few || (index.flat != nullptr ? !on_device : scope.exact);
  if (scan) {
    result = Scan(index, rows, scope.beside, queries);
    return absl::OkStatus();
  }
  if (on_device) {
    ASSIGN_OR_RETURN(SearchResult found,
                     FollowOnDevice(*index.on_device, rows, restricted, queries));
    result = std::move(found);
  } else {
    result = Follow(index, rows, queries);
  }
  if (restricted) Complete(index, rows, queries, result);
  if (!scope.beside.empty())
    KeepBestOf(SearchBlocks(scope.beside, queries, index.index->d), queries, result);
  return absl::OkStatus();
}

}  // namespace antiphon::index
