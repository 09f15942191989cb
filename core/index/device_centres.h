// The centres of inverted lists, with the nearest of them found on a device where that is possible:
// what takes the time when lists are learnt and vectors sorted into them. Internal to core/index.
#ifndef ANTIPHON_CORE_INDEX_DEVICE_CENTRES_H_
#define ANTIPHON_CORE_INDEX_DEVICE_CENTRES_H_

#include <faiss/IndexFlat.h>

#include <cstdint>
#include <memory>

#include "core/index/device_search.h"

namespace antiphon::index {

// For one thread. Searches on the CPU where the device does not answer, of which the pool tells.
class DeviceCentres final : public faiss::IndexFlatIP {
 public:
  DeviceCentres(int dimension, std::shared_ptr<DevicePool> pool)
      : faiss::IndexFlatIP(dimension), pool_(std::move(pool)) {}

  void add(int64_t n, const float* x) override;
  void reset() override;
  void search(int64_t n, const float* x, int64_t k, float* similarities, int64_t* ids,
              const faiss::SearchParameters* parameters = nullptr) const override;

 private:
  const std::shared_ptr<DevicePool> pool_;
  mutable std::unique_ptr<DeviceSearch> on_device_;  // of the centres as they are; null: not yet
};

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_DEVICE_CENTRES_H_
