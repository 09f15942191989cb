#include "core/index/cuda_device.h"

#include <algorithm>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#ifdef ANTIPHON_CUDA
#include <cuda_runtime_api.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/IndexScalarQuantizer.h>
#include <faiss/gpu/GpuCloner.h>
#include <faiss/gpu/GpuDistance.h>
#include <faiss/gpu/StandardGpuResources.h>
#include <faiss/utils/fp16.h>

#include <atomic>
#include <functional>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/base/status_macros.h"
#include "core/index/abort_guard.h"
#endif

namespace antiphon::index {

#ifdef ANTIPHON_CUDA

namespace {

// The matrix of products of a search by comparison, and what its selection takes, are computed in
// this much memory (FAISS's "temporary memory"), allocated once for all flat indexes of a device.
// It is the most that FAISS takes: the more queries go into a product, the busier the selection
// keeps the GPU. Each inverted index has some of its own: it is searched beside others.
constexpr int64_t kFlatWorkingBytes = int64_t{1536} << 20;
constexpr int64_t kIvfWorkingBytes = int64_t{256} << 20;
// Memory of a GPU that is left to others: LibTorch and CUDA itself ask for some as they go.
constexpr int64_t kLeftFree = int64_t{512} << 20;
// FAISS multiplies this many bytes' worth of numbers of the queries' tile and the vectors' at a
// time, in each of two streams (chooseTileSize in faiss/gpu/impl/DistanceUtils.cuh).
constexpr int64_t kTileBytes = int64_t{512} << 20;
constexpr int64_t kMostQueries = 32'768;  // in one call
// Lists of a GPU are padded to so many vectors.
constexpr int64_t kListStep = 32;
// Vectors go to a GPU in pieces of this many floats, for which there are buffers.
constexpr int64_t kPieceFloats = int64_t{16} << 20;

// The calling thread's current GPU, for as long as it lives. Does not fail: what follows would.
class CurrentDevice {
 public:
  explicit CurrentDevice(int number) {
    if (cudaGetDevice(&before_) != cudaSuccess) before_ = -1;
    if (before_ != number) cudaSetDevice(number);
  }
  ~CurrentDevice() {
    if (before_ >= 0) cudaSetDevice(before_);
  }
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;

 private:
  int before_ = -1;
};

int DeviceCount() {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
  (void)cudaGetLastError();  // no driver; who asks next would be told of it
  return 0;
}

int64_t BytesOf(DevicePrecision precision, bool lists) {
  if (precision == DevicePrecision::kFloat32) return 4;
  return precision == DevicePrecision::kInt8 && lists ? 1 : 2;
}

// One GPU, whether it is still there, and FAISS's resources for flat indexes on it.
class Gpu {
 public:
  explicit Gpu(int number) : number_(number), name_(absl::StrCat("cuda:", number)) {}

  int number() const { return number_; }
  const std::string& name() const { return name_; }
  bool lost() const { return lost_.load(); }

  // Calls a function that uses CUDA and FAISS, on this GPU. What fails because memory is short is
  // ResourceExhausted; whatever else fails has lost the GPU: CUDA gives the same error from then
  // on. Where FAISS has aborted, nothing can be said of the state that it left.
  absl::Status Guarded(const std::function<void()>& function) {
    if (lost()) return absl::UnavailableError(absl::StrCat(name_, " was lost"));
    const CurrentDevice current(number_);
    (void)cudaGetLastError();  // of somebody else; FAISS would take it for its own
    std::string problem;
    try {
      if (RunsWithoutAbort(function)) return absl::OkStatus();
      problem =
          absl::StrCat("FAISS has aborted (", cudaGetErrorString(cudaDeviceSynchronize()), ")");
    } catch (const std::exception& e) {
      const cudaError_t state = cudaDeviceSynchronize();
      if (state == cudaSuccess) {
        (void)cudaGetLastError();
        return absl::ResourceExhaustedError(absl::StrCat(name_, ": ", e.what()));
      }
      problem = absl::StrCat(cudaGetErrorString(state), ": ", e.what());
    }
    lost_ = true;
    return absl::UnavailableError(absl::StrCat(name_, " was lost: ", problem));
  }

  // Of the flat indexes; made when first needed.
  std::mutex& flat_mutex() { return flat_mutex_; }
  faiss::gpu::StandardGpuResources& flat_resources() {
    if (flat_resources_ == nullptr) {
      auto resources = std::make_unique<faiss::gpu::StandardGpuResources>();
      resources->setPinnedMemory(0);
      resources->setTempMemory(kFlatWorkingBytes);
      resources->getResources()->initializeForDevice(number_);
      flat_resources_ = std::move(resources);
    }
    return *flat_resources_;
  }

  // FAISS's destructors abort on a GPU that is gone; what it had stays in memory then.
  ~Gpu() {
    auto* resources = flat_resources_.release();
    (void)Guarded([&] { delete resources; });
  }

 private:
  const int number_;
  const std::string name_;
  std::atomic<bool> lost_ = false;
  std::mutex flat_mutex_;  // FAISS's resources serve one thread at a time
  std::unique_ptr<faiss::gpu::StandardGpuResources> flat_resources_;
};

// Thrown where CUDA says no, so that Guarded sees it.
void Check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  throw std::runtime_error(absl::StrCat(what, ": ", cudaGetErrorString(error)));
}

// Vectors one after another in memory of the GPU, compared with faiss::gpu::bfKnn: a matrix product
// and a selection, tile by tile.
class FlatOnGpu final : public DeviceIndex {
 public:
  FlatOnGpu(std::shared_ptr<Gpu> gpu, const DeviceSource& source)
      : gpu_(std::move(gpu)),
        dimension_(source.dimension),
        half_(source.precision != DevicePrecision::kFloat32) {}

  ~FlatOnGpu() override {
    (void)gpu_->Guarded([this] { (void)cudaFree(vectors_); });
  }

  // Throws.
  void Take(const DeviceSource& source) {
    const int64_t floats = source.count * dimension_;
    const int64_t width = half_ ? 2 : 4;
    Check(cudaMalloc(&vectors_, floats * width), "memory for vectors");
    auto* to = static_cast<char*>(vectors_);
    std::vector<uint16_t> piece;
    for (int64_t first = 0; first < floats; first += kPieceFloats) {
      const int64_t count = std::min(kPieceFloats, floats - first);
      const void* from = source.vectors + first;
      if (half_) {
        piece.resize(count);
        Halve(source.vectors + first, count, piece.data());
        from = piece.data();
      }
      Check(cudaMemcpy(to + first * width, from, count * width, cudaMemcpyHostToDevice),
            "copying vectors");
    }
  }

  absl::Status Search(const DeviceQueries& queries, int64_t* ids, float* similarities) override {
    std::lock_guard lock(gpu_->flat_mutex());
    return gpu_->Guarded([&] { Run(queries, ids, similarities); });
  }

 private:
  static void Halve(const float* from, int64_t count, uint16_t* to) {
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < count; ++i) to[i] = faiss::encode_fp16(from[i]);
  }

  // As many queries at a time as FAISS's working memory has room for: in two streams, the products
  // of a tile and the best of all tiles so far (a float and an index each); and then what goes in
  // and out.
  int64_t QueriesAtOnce(int64_t rows, int k) const {
    const int64_t tile_queries = dimension_ <= 32 ? 1024 : 512;
    const int64_t columns = std::min(rows, kTileBytes / (half_ ? 2 : 4) / tile_queries);
    const int64_t tiles = (rows + columns - 1) / columns;
    const int64_t room = kFlatWorkingBytes - (int64_t{16} << 20);
    const int64_t of_tile = 2 * (4 * columns + tiles * k * 12);
    const int64_t of_query = k * 12 + dimension_ * 8;
    if (tile_queries * (of_tile + of_query) > room)
      return std::max<int64_t>(room / (of_tile + of_query), 1);
    return std::min((room - tile_queries * of_tile) / of_query, kMostQueries);
  }

  void Run(const DeviceQueries& queries, int64_t* ids, float* similarities) {
    const int64_t rows = queries.rows.last - queries.rows.first;
    std::vector<uint16_t> halves;
    if (half_) {
      halves.resize(queries.count * dimension_);
      for (size_t i = 0; i < halves.size(); ++i) halves[i] = faiss::encode_fp16(queries.values[i]);
    }
    const auto type = half_ ? faiss::gpu::DistanceDataType::F16 : faiss::gpu::DistanceDataType::F32;
    const int64_t width = half_ ? 2 : 4;
    const int64_t step = QueriesAtOnce(rows, queries.k);
    for (int64_t first = 0; first < queries.count; first += step) {
      faiss::gpu::GpuDistanceParams search;
      search.metric = faiss::METRIC_INNER_PRODUCT;
      search.k = queries.k;
      search.dims = dimension_;
      search.vectors = static_cast<const char*>(vectors_) + queries.rows.first * dimension_ * width;
      search.vectorType = type;
      search.numVectors = rows;
      search.queries = half_ ? static_cast<const void*>(halves.data() + first * dimension_)
                             : queries.values + first * dimension_;
      search.queryType = type;
      search.numQueries = std::min(step, queries.count - first);
      search.outDistances = similarities + first * queries.k;
      search.outIndices = ids + first * queries.k;
      search.device = gpu_->number();
      search.use_cuvs = false;
      faiss::gpu::bfKnn(&gpu_->flat_resources(), search);
    }
    Check(cudaStreamSynchronize(gpu_->flat_resources().getDefaultStream(gpu_->number())), "search");
    for (int64_t i = 0; i < queries.count * queries.k; ++i) {
      if (ids[i] < 0) {
        similarities[i] = -std::numeric_limits<float>::infinity();
      } else {
        ids[i] += queries.rows.first;
      }
    }
  }

  const std::shared_ptr<Gpu> gpu_;
  const int dimension_;
  const bool half_;
  void* vectors_ = nullptr;  // of the GPU
};

// FAISS's inverted lists, with resources of their own.
class IvfOnGpu final : public DeviceIndex {
 public:
  explicit IvfOnGpu(std::shared_ptr<Gpu> gpu) : gpu_(std::move(gpu)) {}

  ~IvfOnGpu() override {
    // What aborts in here stays in memory, as does all of a GPU that is gone.
    auto* index = index_.release();
    auto* resources = resources_.release();
    (void)gpu_->Guarded([&] {
      delete index;
      delete resources;
    });
  }

  // Throws.
  void Take(const DeviceSource& source) {
    resources_ = std::make_unique<faiss::gpu::StandardGpuResources>();
    resources_->setPinnedMemory(0);
    resources_->setTempMemory(kIvfWorkingBytes);
    faiss::gpu::GpuClonerOptions options;
    options.use_cuvs = false;
    if (source.precision == DevicePrecision::kFloat32) {
      index_.reset(
          faiss::gpu::index_cpu_to_gpu(resources_.get(), gpu_->number(), source.ivf, &options));
      return;
    }
    const auto quantized = Quantize(*source.ivf, source.precision);
    index_.reset(
        faiss::gpu::index_cpu_to_gpu(resources_.get(), gpu_->number(), quantized.get(), &options));
  }

  absl::Status Search(const DeviceQueries& queries, int64_t* ids, float* similarities) override {
    std::lock_guard lock(mutex_);
    return gpu_->Guarded([&] {
      faiss::SearchParametersIVF parameters;
      parameters.nprobe = queries.probes;
      index_->search(queries.count, queries.values, queries.k, similarities, ids, &parameters);
      Check(cudaStreamSynchronize(resources_->getDefaultStream(gpu_->number())), "search");
      for (int64_t i = 0; i < queries.count * queries.k; ++i) {
        if (ids[i] < 0) similarities[i] = -std::numeric_limits<float>::infinity();
      }
    });
  }

 private:
  // The same lists in 16 or 8 bits a number. Borrows the centres.
  static std::unique_ptr<faiss::IndexIVFScalarQuantizer> Quantize(const faiss::IndexIVFFlat& ivf,
                                                                  DevicePrecision precision) {
    auto quantized = std::make_unique<faiss::IndexIVFScalarQuantizer>(
        ivf.quantizer, ivf.d, ivf.nlist,
        precision == DevicePrecision::kInt8 ? faiss::ScalarQuantizer::QT_8bit
                                            : faiss::ScalarQuantizer::QT_fp16,
        faiss::METRIC_INNER_PRODUCT, /*by_residual=*/false);
    quantized->own_fields = false;
    std::vector<float> sample;  // of 8 bits the ranges are learnt, from a few vectors of each list
    for (size_t list = 0; list < ivf.nlist; ++list) {
      faiss::InvertedLists::ScopedCodes codes(ivf.invlists, list);
      const auto* vectors = reinterpret_cast<const float*>(codes.get());
      const size_t count = std::min<size_t>(ivf.invlists->list_size(list), 64);
      sample.insert(sample.end(), vectors, vectors + count * ivf.d);
    }
    quantized->sq.train(sample.size() / ivf.d, sample.data());
    std::vector<uint8_t> small;
    for (size_t list = 0; list < ivf.nlist; ++list) {
      const size_t count = ivf.invlists->list_size(list);
      if (count == 0) continue;
      faiss::InvertedLists::ScopedIds ids(ivf.invlists, list);
      faiss::InvertedLists::ScopedCodes codes(ivf.invlists, list);
      small.resize(count * quantized->code_size);
      quantized->sq.compute_codes(reinterpret_cast<const float*>(codes.get()), small.data(), count);
      quantized->invlists->add_entries(list, count, ids.get(), small.data());
    }
    quantized->ntotal = ivf.ntotal;
    quantized->is_trained = true;
    return quantized;
  }

  const std::shared_ptr<Gpu> gpu_;
  std::mutex mutex_;  // guards what follows
  std::unique_ptr<faiss::gpu::StandardGpuResources> resources_;
  std::unique_ptr<faiss::Index> index_;
};

class CudaDevice final : public Device {
 public:
  explicit CudaDevice(std::shared_ptr<Gpu> gpu) : gpu_(std::move(gpu)) {}

  std::string name() const override { return absl::StrCat("cuda:", gpu_->number()); }

  absl::StatusOr<int64_t> FreeBytes() const override {
    size_t available = 0, total = 0;
    RETURN_IF_ERROR(gpu_->Guarded(
        [&] { Check(cudaMemGetInfo(&available, &total), "asking for free memory"); }));
    return std::max<int64_t>(0, static_cast<int64_t>(available) - kLeftFree);
  }

  int64_t BytesFor(const DeviceSource& source) const override {
    const int64_t vector = BytesOf(source.precision, source.ivf != nullptr) * source.dimension;
    if (source.ivf == nullptr) return source.count * vector;
    int64_t places = 0;
    for (size_t list = 0; list < source.ivf->nlist; ++list) {
      const auto size = static_cast<int64_t>(source.ivf->invlists->list_size(list));
      places += (size + kListStep - 1) / kListStep * kListStep;
    }
    const auto lists = static_cast<int64_t>(source.ivf->nlist);
    return places * vector + source.count * int64_t{sizeof(int64_t)} +
           lists * (source.dimension * int64_t{sizeof(float)} + 512) + kIvfWorkingBytes;
  }

  int64_t WorkingBytes() const override { return kFlatWorkingBytes; }

  absl::StatusOr<std::unique_ptr<DeviceIndex>> Copy(const DeviceSource& source) override {
    if (source.ivf != nullptr) return CopyAs<IvfOnGpu>(source, std::make_unique<IvfOnGpu>(gpu_));
    {
      // Before the vectors take the room.
      std::lock_guard lock(gpu_->flat_mutex());
      RETURN_IF_ERROR(gpu_->Guarded([&] { gpu_->flat_resources(); }));
    }
    return CopyAs<FlatOnGpu>(source, std::make_unique<FlatOnGpu>(gpu_, source));
  }

 private:
  template <typename OnGpu>
  absl::StatusOr<std::unique_ptr<DeviceIndex>> CopyAs(const DeviceSource& source,
                                                      std::unique_ptr<OnGpu> index) {
    RETURN_IF_ERROR(gpu_->Guarded([&] { index->Take(source); }));
    return index;
  }

  const std::shared_ptr<Gpu> gpu_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Device>> OpenCudaDevice(int number) {
  if (number >= DeviceCount()) {
    return absl::FailedPreconditionError(absl::StrCat("there is no cuda:", number));
  }
  auto gpu = std::make_shared<Gpu>(number);
  RETURN_IF_ERROR(gpu->Guarded([] { Check(cudaFree(nullptr), "the GPU's first use"); }));
  return std::make_unique<CudaDevice>(std::move(gpu));
}

std::optional<int64_t> CudaMemoryInUse(int number) {
  if (number >= DeviceCount()) return std::nullopt;
  const CurrentDevice current(number);
  size_t available = 0, total = 0;
  if (cudaMemGetInfo(&available, &total) != cudaSuccess) return std::nullopt;
  return static_cast<int64_t>(total - available);
}

#else

namespace {

int DeviceCount() { return 0; }

}  // namespace

absl::StatusOr<std::unique_ptr<Device>> OpenCudaDevice(int number) {
  return absl::FailedPreconditionError(
      absl::StrCat("cuda:", number, " cannot be used: this program was built without CUDA"));
}

std::optional<int64_t> CudaMemoryInUse(int /*number*/) { return std::nullopt; }

#endif

absl::StatusOr<std::optional<int>> ParseCudaDevice(std::string_view name) {
  if (name == "cpu") return std::nullopt;
  if (name == "auto") return DeviceCount() > 0 ? std::optional<int>(0) : std::nullopt;
  constexpr std::string_view kPrefix = "cuda:";
  const std::string_view digits = name.substr(std::min(name.size(), kPrefix.size()));
  int number = -1;
  if (name.substr(0, kPrefix.size()) != kPrefix || digits.empty() || digits.size() > 4 ||
      digits.find_first_not_of("0123456789") != std::string_view::npos ||
      !absl::SimpleAtoi(std::string(digits), &number)) {
    return absl::InvalidArgumentError(
        "index device: must be \"cpu\", \"auto\", \"cuda:N\" or several of the last with commas");
  }
  return number;
}

}  // namespace antiphon::index
