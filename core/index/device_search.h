// Searching an index on a GPU. Without ANTIPHON_CUDA there is none, and every function says so.
#ifndef ANTIPHON_CORE_INDEX_DEVICE_SEARCH_H_
#define ANTIPHON_CORE_INDEX_DEVICE_SEARCH_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"

namespace faiss {
struct Index;
}

namespace antiphon::index {

// Memory in use on that device, by whomever, bytes; none where it is no GPU or cannot be told.
std::optional<int64_t> DeviceMemoryInUse(std::string_view name);

// The GPU that "cpu", "auto" or "cuda:N" means; none for the CPU. InvalidArgument on another name,
// FailedPrecondition when that GPU cannot be used.
[[nodiscard]] absl::StatusOr<std::optional<int>> ParseDevice(std::string_view name);

// A copy of a flat or an IVF index on one GPU. Safe from any thread (searches take turns).
class DeviceSearch {
 public:
  static constexpr int kMaxK = 2048;  // what FAISS's GPU kernels can select

  [[nodiscard]] static absl::StatusOr<std::unique_ptr<DeviceSearch>> Copy(const faiss::Index& index,
                                                                          int device);
  ~DeviceSearch();

  // As faiss::Index::search, 1 <= k <= kMaxK.
  [[nodiscard]] absl::Status Search(const float* queries, int64_t count, int k, int64_t* ids,
                                    float* similarities) const;

 private:
  struct Impl;
  explicit DeviceSearch(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_DEVICE_SEARCH_H_
