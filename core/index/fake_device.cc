#include "core/index/fake_device.h"

#include <faiss/IndexFlat.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/utils/fp16.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/status_macros.h"
#include "core/index/flat_search.h"

namespace antiphon::index {
namespace {

absl::Status Gone() { return absl::UnavailableError("the fake device is gone"); }

class FakeIndex final : public DeviceIndex {
 public:
  FakeIndex(std::shared_ptr<FakeDeviceState> state, const DeviceSource& source, int64_t bytes)
      : state_(std::move(state)), source_(source), bytes_(bytes) {
    state_->used += bytes_;
    ++state_->copies;
    if (source.ivf != nullptr) {
      // A device has a copy of its own; here the lists are copied, and the centres with them.
      centres_ = std::make_unique<faiss::IndexFlatIP>(source.dimension);
      const auto& centres = dynamic_cast<const faiss::IndexFlat&>(*source.ivf->quantizer);
      centres_->add(centres.ntotal, centres.get_xb());
      ivf_ = std::make_unique<faiss::IndexIVFFlat>(centres_.get(), source.dimension,
                                                   source.ivf->nlist, faiss::METRIC_INNER_PRODUCT);
      for (size_t list = 0; list < ivf_->nlist; ++list) {
        faiss::InvertedLists::ScopedIds ids(source.ivf->invlists, list);
        faiss::InvertedLists::ScopedCodes codes(source.ivf->invlists, list);
        ivf_->invlists->add_entries(list, source.ivf->invlists->list_size(list), ids.get(),
                                    codes.get());
      }
      ivf_->ntotal = source.count;
      ivf_->is_trained = true;
    } else {
      vectors_.assign(source.vectors, source.vectors + source.count * source.dimension);
      if (source.precision != DevicePrecision::kFloat32) {
        for (float& value : vectors_) value = faiss::decode_fp16(faiss::encode_fp16(value));
      }
    }
  }

  ~FakeIndex() override { state_->used -= bytes_; }

  absl::Status Search(const DeviceQueries& queries, int64_t* ids, float* similarities) override {
    const int now = ++state_->at_once;
    int most = state_->most_at_once;
    while (most < now && !state_->most_at_once.compare_exchange_weak(most, now)) {
    }
    absl::Status status = Run(queries, ids, similarities);
    --state_->at_once;
    return status;
  }

 private:
  absl::Status Run(const DeviceQueries& queries, int64_t* ids, float* similarities) {
    const int search = ++state_->searches;
    if (state_->gone || queries.k > MostNeighbours(source_)) return Gone();
    if (state_->before_search) RETURN_IF_ERROR(state_->before_search(search));
    state_->queries += queries.count;
    if (ivf_ == nullptr) {
      const RowRange& rows = queries.rows;
      const VectorBlock block = {vectors_.data() + rows.first * source_.dimension,
                                 rows.last - rows.first, rows.first};
      FlatSearch({&block, 1}, source_.dimension, queries.values, queries.count, queries.k, ids,
                 similarities);
      return absl::OkStatus();
    }
    faiss::SearchParametersIVF parameters;
    parameters.nprobe = queries.probes;
    ivf_->search(queries.count, queries.values, queries.k, similarities, ids, &parameters);
    for (int64_t i = 0; i < queries.count * queries.k; ++i)
      if (ids[i] < 0) similarities[i] = -std::numeric_limits<float>::infinity();
    return absl::OkStatus();
  }

  const std::shared_ptr<FakeDeviceState> state_;
  const DeviceSource source_;
  const int64_t bytes_;
  std::vector<float> vectors_;
  std::unique_ptr<faiss::IndexFlatIP> centres_;
  std::unique_ptr<faiss::IndexIVFFlat> ivf_;
};

class FakeDevice final : public Device {
 public:
  explicit FakeDevice(std::shared_ptr<FakeDeviceState> state) : state_(std::move(state)) {}

  std::string name() const override { return state_->name; }
  absl::StatusOr<int64_t> FreeBytes() const override {
    if (state_->gone) return Gone();
    return state_->memory - state_->used;
  }
  int64_t BytesFor(const DeviceSource& source) const override {
    const int64_t bytes = source.precision == DevicePrecision::kFloat32 ? 4 : 2;
    return source.count * source.dimension * bytes;
  }
  int64_t WorkingBytes() const override { return state_->working; }
  absl::StatusOr<std::unique_ptr<DeviceIndex>> Copy(const DeviceSource& source) override {
    if (state_->gone) return Gone();
    RETURN_IF_ERROR(state_->copying);
    return std::make_unique<FakeIndex>(state_, source, BytesFor(source));
  }

 private:
  const std::shared_ptr<FakeDeviceState> state_;
};

}  // namespace

std::unique_ptr<Device> MakeFakeDevice(std::shared_ptr<FakeDeviceState> state) {
  return std::make_unique<FakeDevice>(std::move(state));
}

}  // namespace antiphon::index
