#include "core/index/device_search.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#ifdef ANTIPHON_CUDA
#include <cuda_runtime_api.h>
#include <faiss/gpu/GpuCloner.h>
#include <faiss/gpu/StandardGpuResources.h>
#include <faiss/gpu/utils/DeviceUtils.h>

#include <mutex>
#endif

namespace antiphon::index {

#ifdef ANTIPHON_CUDA

struct DeviceSearch::Impl {
  std::mutex mutex;  // FAISS's GPU indexes serve one thread at a time; guards both
  faiss::gpu::StandardGpuResources resources;
  std::unique_ptr<faiss::Index> index;
};

namespace {

int DeviceCount() {
  try {
    return faiss::gpu::getNumDevices();
  } catch (const std::exception&) {
    return 0;  // no driver
  }
}

}  // namespace

std::optional<int64_t> DeviceMemoryInUse(std::string_view name) {
  const auto device = ParseDevice(name);
  if (!device.ok() || !device->has_value()) return std::nullopt;
  try {
    const faiss::gpu::DeviceScope scope(**device);
    size_t available = 0, total = 0;
    if (cudaMemGetInfo(&available, &total) != cudaSuccess) return std::nullopt;
    return static_cast<int64_t>(total - available);
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

absl::StatusOr<std::unique_ptr<DeviceSearch>> DeviceSearch::Copy(const faiss::Index& index,
                                                                 int device) {
  try {
    auto impl = std::make_unique<Impl>();
    impl->index.reset(faiss::gpu::index_cpu_to_gpu(&impl->resources, device, &index));
    return std::unique_ptr<DeviceSearch>(new DeviceSearch(std::move(impl)));
  } catch (const std::exception& e) {
    return absl::InternalError(
        absl::StrCat("index: copying to cuda:", device, " failed: ", e.what()));
  }
}

absl::Status DeviceSearch::Search(const float* queries, int64_t count, int k, int64_t* ids,
                                  float* similarities) const {
  try {
    std::lock_guard lock(impl_->mutex);
    impl_->index->search(count, queries, k, similarities, ids);
    return absl::OkStatus();
  } catch (const std::exception& e) {
    return absl::InternalError(absl::StrCat("index: search on the GPU failed: ", e.what()));
  }
}

#else

struct DeviceSearch::Impl {};

namespace {

constexpr char kNoCuda[] =
    "index: this program was built without CUDA; use the device \"cpu\" or \"auto\"";

int DeviceCount() { return 0; }

}  // namespace

std::optional<int64_t> DeviceMemoryInUse(std::string_view) { return std::nullopt; }

absl::StatusOr<std::unique_ptr<DeviceSearch>> DeviceSearch::Copy(const faiss::Index&, int) {
  return absl::FailedPreconditionError(kNoCuda);
}

absl::Status DeviceSearch::Search(const float*, int64_t, int, int64_t*, float*) const {
  return absl::FailedPreconditionError(kNoCuda);
}

#endif

DeviceSearch::DeviceSearch(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DeviceSearch::~DeviceSearch() = default;

absl::StatusOr<std::optional<int>> ParseDevice(std::string_view name) {
  if (name == "cpu") return std::nullopt;
  if (name == "auto") return DeviceCount() > 0 ? std::optional<int>(0) : std::nullopt;
  int device = -1;
  if (name.substr(0, 5) != "cuda:" || !absl::SimpleAtoi(std::string(name.substr(5)), &device) ||
      device < 0) {
    return absl::InvalidArgumentError("index device: must be \"cpu\", \"auto\" or \"cuda:N\"");
  }
#ifndef ANTIPHON_CUDA
  return absl::FailedPreconditionError(kNoCuda);
#endif
  if (device >= DeviceCount()) {
    return absl::FailedPreconditionError(absl::StrCat("index device: there is no cuda:", device));
  }
  return device;
}

}  // namespace antiphon::index
