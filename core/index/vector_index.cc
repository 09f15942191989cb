#include "core/index/vector_index.h"

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFFlat.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/index/device_centres.h"
#include "core/index/device_pool.h"
#include "core/index/device_search.h"
#include "core/index/index_file.h"
#include "core/index/mapped_flat.h"
#include "core/index/packed_vectors.h"
#include "core/index/row_ranges.h"
#include "core/index/scoped_search.h"
#include "core/threads/thread_scope.h"

namespace antiphon::index {
namespace {

// FAISS's links are 32-bit.
constexpr int64_t kMaxHnswVectors = std::numeric_limits<int32_t>::max();
constexpr int kMeansIterations = 10;  // of IVF's k-means

// As many lists as there are, where their number is given.
Range<int> ProbesRange(const IndexOptions& options) {
  Range<int> range = IndexOptions::kIvfProbesRange;
  if (options.ivf_lists > 0) range.high = std::min(range.high, options.ivf_lists);
  return range;
}

absl::Status CheckOptions(const IndexOptions& options) {
  using O = IndexOptions;
  RETURN_IF_ERROR(CheckRange("index dimension", options.dimension, O::kDimensionRange));
  RETURN_IF_ERROR(CheckRange("index hnsw_links", options.hnsw_links, O::kHnswLinksRange));
  RETURN_IF_ERROR(CheckRange("index hnsw_build_breadth", options.hnsw_build_breadth,
                             O::kHnswBuildBreadthRange));
  RETURN_IF_ERROR(CheckRange("index hnsw_search_breadth", options.hnsw_search_breadth,
                             O::kHnswSearchBreadthRange));
  RETURN_IF_ERROR(CheckRange("index ivf_lists", options.ivf_lists, O::kIvfListsRange));
  RETURN_IF_ERROR(CheckRange("index ivf_probes", options.ivf_probes, ProbesRange(options)));
  RETURN_IF_ERROR(CheckRange("index packed_from", options.packed_from, O::kPackedFromRange));
  RETURN_IF_ERROR(CheckRange("index threads", options.threads, O::kThreadsRange));
  RETURN_IF_ERROR(
      CheckRange("index device_memory_mib", options.device_memory_mib, O::kDeviceMemoryRange));
  return CheckDeviceName(options.device);
}

absl::Status CheckVectors(absl::string_view what, std::span<const float> vectors, int dimension) {
  if (vectors.size() % dimension != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        what, ": ", vectors.size(), " floats are no multiple of the dimension ", dimension));
  }
  const auto bad = std::find_if(vectors.begin(), vectors.end(),
                                [](float value) { return !std::isfinite(value); });
  if (bad == vectors.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": number ", (bad - vectors.begin()) / dimension, " is not finite"));
}

// Calls a function that uses FAISS. Returns its status (OK where it returns nothing); an exception
// becomes one.
template <typename Function>
absl::Status Guarded(Function&& function) {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Function>>) {
      function();
      return absl::OkStatus();
    } else {
      return function();
    }
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("index: out of memory");
  } catch (const std::exception& e) {
    return absl::InternalError(absl::StrCat("index: ", e.what()));
  }
}

// 4·sqrt(n) is what FAISS's guidelines give as the lower end. A search compares a query with all
// centres and then with the vectors of `ivf_probes` lists; the two are of the same order then.
int64_t ListCount(const IndexOptions& options, int64_t n) {
  const int64_t wanted = options.ivf_lists > 0
                             ? options.ivf_lists
                             : std::llround(4 * std::sqrt(static_cast<double>(n)));
  return std::clamp<int64_t>(wanted, 1, std::max<int64_t>(n, 1));
}

std::unique_ptr<faiss::Index> MakeIvf(const IndexOptions& options, std::span<const float> vectors) {
  const int64_t n = vectors.size() / options.dimension;
  auto centres = std::make_unique<faiss::IndexFlatIP>(options.dimension);
  auto ivf = std::make_unique<faiss::IndexIVFFlat>(
      centres.get(), options.dimension, ListCount(options, n), faiss::METRIC_INNER_PRODUCT);
  ivf->quantizer = centres.release();
  ivf->own_fields = true;
  ivf->cp.niter = kMeansIterations;
  ivf->cp.min_points_per_centroid = 1;  // small collections are no reason for a warning on stderr
  if (n > 0) {
    DeviceCentres on_device(options.dimension, options.build_devices);
    if (options.build_devices != nullptr && options.build_devices->wanted())
      ivf->clustering_index = &on_device;
    ivf->train(n, vectors.data());
    ivf->clustering_index = nullptr;
  } else {
    // Nothing to learn from: one list for all.
    const std::vector<float> origin(options.dimension, 0.0f);
    ivf->quantizer->add(1, origin.data());
    ivf->is_trained = true;
  }
  ivf->make_direct_map(true);  // Reconstruct needs it
  return ivf;
}

// As IndexIVFFlat::add, with the list of each vector found on a device.
void AddToLists(faiss::IndexIVFFlat& ivf, const std::shared_ptr<DevicePool>& devices, int64_t n,
                const float* vectors) {
  DeviceCentres centres(static_cast<int>(ivf.d), devices);
  const auto& quantizer = dynamic_cast<const faiss::IndexFlat&>(*ivf.quantizer);
  centres.add(quantizer.ntotal, quantizer.get_xb());
  std::vector<int64_t> lists(n);
  std::vector<float> similarities(n);
  centres.search(n, vectors, 1, similarities.data(), lists.data());
  ivf.add_core(n, vectors, nullptr, lists.data());
}

std::unique_ptr<faiss::Index> MakeIndex(const IndexOptions& options,
                                        std::span<const float> vectors) {
  switch (options.kind) {
    case IndexKind::kFlat:
      return std::make_unique<faiss::IndexFlatIP>(options.dimension);
    case IndexKind::kHnsw:
      return std::make_unique<faiss::IndexHNSWFlat>(options.dimension, options.hnsw_links,
                                                    faiss::METRIC_INNER_PRODUCT);
    case IndexKind::kIvf:
      return MakeIvf(options, vectors);
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<IndexKind> ParseIndexKind(std::string_view name) {
  for (const IndexKind kind : {IndexKind::kFlat, IndexKind::kHnsw, IndexKind::kIvf}) {
    if (name == IndexKindName(kind)) return kind;
  }
  return absl::InvalidArgumentError("index kind: must be \"flat\", \"hnsw\" or \"ivf\"");
}

std::string_view IndexKindName(IndexKind kind) {
  switch (kind) {
    case IndexKind::kFlat:
      return "flat";
    case IndexKind::kHnsw:
      return "hnsw";
    case IndexKind::kIvf:
      return "ivf";
  }
  return "unknown";
}

struct VectorIndex::Impl : SearchableIndex {
  // Takes over an index of one of the three kinds and sets it up for searching. Search settings are
  // the caller's, whatever the file says; the kind is the file's, whatever the caller says.
  absl::Status Adopt(const IndexOptions& given, std::unique_ptr<faiss::Index> adopted) {
    options = given;
    index = std::move(adopted);
    flat = dynamic_cast<faiss::IndexFlat*>(index.get());
    mapped = dynamic_cast<MappedFlat*>(index.get());
    hnsw = dynamic_cast<faiss::IndexHNSWFlat*>(index.get());
    ivf = dynamic_cast<faiss::IndexIVFFlat*>(index.get());
    options.kind = is_flat()         ? IndexKind::kFlat
                   : hnsw != nullptr ? IndexKind::kHnsw
                                     : IndexKind::kIvf;
    if (hnsw != nullptr) {
      hnsw->hnsw.efConstruction = options.hnsw_build_breadth;
      hnsw->hnsw.efSearch = options.hnsw_search_breadth;
    }
    if (ivf != nullptr) ivf->nprobe = options.ivf_probes;
    return MakeCopies();
  }

  // Copies borrow from the index: they go before vectors are added.
  void DropCopies() {
    packed.reset();
    on_device.reset();
    off_device.reset();
  }

  absl::Status MakeCopies() {
    RETURN_IF_ERROR(CopyToDevice());
    if (is_flat() && on_device == nullptr && index->ntotal >= options.packed_from) {
      const threads::ThreadScope thread_scope(options.threads);
      packed = PackedVectors::Make(rows(), static_cast<int>(index->d));
    }
    if (mapped != nullptr) mapped->LetGo();
    return absl::OkStatus();
  }

  // A mapped index cannot grow: one in memory takes its place.
  void TakeIntoMemory() {
    if (mapped == nullptr) return;
    index = Unmapped(*std::exchange(mapped, nullptr));
    flat = dynamic_cast<faiss::IndexFlat*>(index.get());
  }

  absl::Status CopyToDevice() {
    if (options.devices == nullptr) {
      if (options.device == "cpu") return absl::OkStatus();
      ASSIGN_OR_RETURN(
          options.devices,
          DevicePool::Open({.device = options.device,
                            .precision = options.device_precision,
                            .memory_bytes = int64_t{options.device_memory_mib} << 20}));
    }
    if (!options.devices->wanted() || index->ntotal == 0) return absl::OkStatus();
    if (hnsw != nullptr) {  // FAISS has it on CPUs only
      off_device = std::make_unique<DevicePool::Absence>(options.devices,
                                                         "hnsw is searched on the CPU only");
      return absl::OkStatus();
    }
    DeviceSource source = {.dimension = static_cast<int>(index->d),
                           .count = index->ntotal,
                           .ivf = ivf,
                           .precision = options.devices->precision()};
    if (flat != nullptr) source.vectors = flat->get_xb();
    on_device = std::make_unique<DeviceSearch>(options.devices, source);
    return absl::OkStatus();
  }
};

VectorIndex::VectorIndex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
VectorIndex::~VectorIndex() = default;

absl::StatusOr<std::unique_ptr<VectorIndex>> VectorIndex::Build(const IndexOptions& options,
                                                                std::span<const float> vectors) {
  RETURN_IF_ERROR(CheckOptions(options));
  RETURN_IF_ERROR(CheckVectors("index vectors", vectors, options.dimension));
  auto impl = std::make_unique<Impl>();
  RETURN_IF_ERROR(Guarded([&] {
    const threads::ThreadScope thread_scope(options.threads);
    return impl->Adopt(options, MakeIndex(options, vectors));
  }));
  // IVF has learnt its lists by now, so adding is the same for all kinds.
  std::unique_ptr<VectorIndex> index(new VectorIndex(std::move(impl)));
  RETURN_IF_ERROR(index->Add(vectors));
  return index;
}

absl::StatusOr<std::unique_ptr<VectorIndex>> VectorIndex::Load(const std::string& path,
                                                               const IndexOptions& options) {
  RETURN_IF_ERROR(CheckOptions(options));
  const threads::ThreadScope thread_scope(options.threads);
  // A device takes its copy from memory.
  const bool maps =
      options.devices != nullptr ? !options.devices->wanted() : options.device == "cpu";
  ASSIGN_OR_RETURN(
      std::unique_ptr<faiss::Index> index,
      ReadIndexFile(path, maps ? options.packed_from : std::numeric_limits<int64_t>::max()));
  if (index->d != options.dimension) {
    return absl::DataLossError(absl::StrCat("index file: the dimension is ", index->d,
                                            " and should be ", options.dimension));
  }
  auto impl = std::make_unique<Impl>();
  RETURN_IF_ERROR(Guarded([&] { return impl->Adopt(options, std::move(index)); }));
  return std::unique_ptr<VectorIndex>(new VectorIndex(std::move(impl)));
}

absl::Status VectorIndex::Add(std::span<const float> vectors) {
  RETURN_IF_ERROR(CheckVectors("index vectors", vectors, dimension()));
  const int64_t n = vectors.size() / dimension();
  if (n == 0) return absl::OkStatus();
  if (impl_->hnsw != nullptr && n > kMaxHnswVectors - size()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("index: hnsw holds at most ", kMaxHnswVectors, " vectors"));
  }
  impl_->DropCopies();
  RETURN_IF_ERROR(Guarded([&] {
    impl_->TakeIntoMemory();
    const threads::ThreadScope thread_scope(impl_->options.threads);
    const auto& builders = impl_->options.build_devices;
    if (impl_->ivf != nullptr && builders != nullptr && builders->wanted()) {
      AddToLists(*impl_->ivf, builders, n, vectors.data());
    } else {
      impl_->index->add(n, vectors.data());
    }
  }));
  return Guarded([&] { return impl_->MakeCopies(); });
}

absl::StatusOr<SearchResult> VectorIndex::Search(std::span<const float> queries, int k,
                                                 const Scope& scope) const {
  RETURN_IF_ERROR(CheckRange("index search k", k, kNeighboursRange));
  RETURN_IF_ERROR(CheckVectors("index queries", queries, dimension()));
  if (scope.rows.has_value()) {
    RETURN_IF_ERROR(CheckRanges(*scope.rows, size()));
  }
  SearchResult result;
  result.k = k;
  if (queries.empty()) return result;
  RETURN_IF_ERROR(Guarded([&] { return SearchInScope(*impl_, queries, k, scope, result); }));
  return result;
}

absl::StatusOr<std::vector<float>> VectorIndex::Reconstruct(int64_t first, int64_t count) const {
  if (first < 0 || count < 0 || first > size() || count > size() - first) {
    return absl::OutOfRangeError(absl::StrCat("index: vectors ", first, " + ", count,
                                              " are not among the ", size(), " there are"));
  }
  std::vector<float> vectors;
  RETURN_IF_ERROR(Guarded([&] {
    vectors.resize(count * dimension());
    if (impl_->is_flat()) {  // at once: paths read every candidate's
      std::memcpy(vectors.data(), RowAt(impl_->rows(), dimension(), first),
                  vectors.size() * sizeof(float));
      return;
    }
    for (int64_t i = 0; i < count; ++i)
      impl_->index->reconstruct(first + i, vectors.data() + i * dimension());
  }));
  return vectors;
}

absl::Status VectorIndex::Save(const std::string& path) const {
  return WriteIndexFile(*impl_->index, path);
}

int64_t VectorIndex::size() const { return impl_->index->ntotal; }
int VectorIndex::dimension() const { return impl_->index->d; }
IndexKind VectorIndex::kind() const { return impl_->options.kind; }

}  // namespace antiphon::index
