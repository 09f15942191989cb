// NVIDIA's GPUs as devices, by FAISS's kernels and CUDA's runtime. Without ANTIPHON_CUDA there are
// none, and every function says so. Internal to core/index.
#ifndef ANTIPHON_CORE_INDEX_CUDA_DEVICE_H_
#define ANTIPHON_CORE_INDEX_CUDA_DEVICE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/index/device.h"

namespace antiphon::index {

// The GPU that "cpu", "auto" or "cuda:N" means; none for the CPU, and for "auto" where there is
// none. InvalidArgument on another name.
[[nodiscard]] absl::StatusOr<std::optional<int>> ParseCudaDevice(std::string_view name);

// FailedPrecondition where there is no such GPU, or it cannot be used.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Device>> OpenCudaDevice(int number);

// By whomever, bytes; none where it cannot be told.
std::optional<int64_t> CudaMemoryInUse(int number);

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_CUDA_DEVICE_H_
