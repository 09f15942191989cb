#include "core/index/device_centres.h"

namespace antiphon::index {

void DeviceCentres::add(int64_t n, const float* x) {
  on_device_.reset();  // it borrows the centres
  faiss::IndexFlatIP::add(n, x);
}

void DeviceCentres::reset() {
  on_device_.reset();
  faiss::IndexFlatIP::reset();
}

void DeviceCentres::search(int64_t n, const float* x, int64_t k, float* similarities, int64_t* ids,
                           const faiss::SearchParameters* parameters) const {
  if (ntotal > 0 && k <= MostNeighbours({}) && parameters == nullptr) {
    if (on_device_ == nullptr) {
      on_device_ = std::make_unique<DeviceSearch>(
          pool_,
          DeviceSource{.dimension = static_cast<int>(d), .count = ntotal, .vectors = get_xb()});
    }
    if (on_device_->Ready() &&
        on_device_->Search({x, n, static_cast<int>(k), {0, ntotal}, 0}, ids, similarities).ok())
      return;
    pool_->CountOnCpu();
  }
  faiss::IndexFlatIP::search(n, x, k, similarities, ids, parameters);
}

}  // namespace antiphon::index
