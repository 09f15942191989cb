// Accelerators that hold vectors and search them, behind one interface: a GPU (cuda_device.h),
// several as one (sharded_device.h), and one that tests make up (fake_device.h). Internal to
// core/index.
//
// A device is shared by all indexes of a process and outlives what it holds. Errors say what
// becomes of it: ResourceExhausted, it had no room and can be asked again; anything else, it cannot
// be used any more.
#ifndef ANTIPHON_CORE_INDEX_DEVICE_H_
#define ANTIPHON_CORE_INDEX_DEVICE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/index/vector_index.h"

namespace faiss {
struct IndexIVFFlat;
}

namespace antiphon::index {

// What a device is given to hold: vectors row by row, or lists of them. Borrows both.
struct DeviceSource {
  int dimension = 0;
  int64_t count = 0;
  const float* vectors = nullptr;            // [count, dimension]; null where there are lists
  const faiss::IndexIVFFlat* ivf = nullptr;  // or null
  DevicePrecision precision = DevicePrecision::kFloat32;  // kInt8: float16 without lists
};

// Neighbours that a device can be asked for of one source: what FAISS's GPU kernels can select. In
// lists of 8-bit numbers, those of FAISS 1.15 read beyond their memory when asked for more than
// 512.
inline int MostNeighbours(const DeviceSource& source) {
  return source.ivf != nullptr && source.precision == DevicePrecision::kInt8 ? 512 : 2048;
}

struct DeviceQueries {
  const float* values = nullptr;  // [count, dimension], finite
  int64_t count = 0;
  int k = 0;       // at most MostNeighbours
  RowRange rows;   // what is looked at; of lists always all
  int probes = 0;  // lists to look into; at most DeviceIndex::kMaxProbes
};

// What a device holds of one source. Search is safe from any thread (searches may take turns).
class DeviceIndex {
 public:
  static constexpr int kMaxProbes = 2048;  // what FAISS's GPU kernels can select

  virtual ~DeviceIndex() = default;

  // As faiss::Index::search: by falling similarity, the rest -1 and -inf. Ids are the source's.
  [[nodiscard]] virtual absl::Status Search(const DeviceQueries& queries, int64_t* ids,
                                            float* similarities) = 0;
};

// Safe from any thread.
class Device {
 public:
  virtual ~Device() = default;

  virtual std::string name() const = 0;  // "cuda:0"

  // Memory that nobody uses, bytes.
  [[nodiscard]] virtual absl::StatusOr<int64_t> FreeBytes() const = 0;

  // What holding the source takes, bytes; and what searching takes besides, for all sources.
  virtual int64_t BytesFor(const DeviceSource& source) const = 0;
  virtual int64_t WorkingBytes() const = 0;

  [[nodiscard]] virtual absl::StatusOr<std::unique_ptr<DeviceIndex>> Copy(
      const DeviceSource& source) = 0;
};

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_DEVICE_H_
