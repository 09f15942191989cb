#include "core/index/sharded_device.h"

#include <faiss/IndexFlat.h>
#include <faiss/IndexIVFFlat.h>

#include <algorithm>
#include <limits>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/index/flat_search.h"

namespace antiphon::index {
namespace {

struct Part {
  RowRange rows;  // of the source
  std::unique_ptr<DeviceIndex> index;
};

// Parts of lists know the source's numbers; rows of a flat part count from 0.
class ShardedIndex final : public DeviceIndex {
 public:
  ShardedIndex(std::vector<Part> parts, bool lists) : parts_(std::move(parts)), lists_(lists) {}

  absl::Status Search(const DeviceQueries& queries, int64_t* ids, float* similarities) override {
    const size_t places = static_cast<size_t>(queries.count) * queries.k;
    std::vector<std::vector<int64_t>> part_ids(parts_.size(), std::vector<int64_t>(places, -1));
    std::vector<std::vector<float>> part_similarities(
        parts_.size(), std::vector<float>(places, -std::numeric_limits<float>::infinity()));
    std::vector<absl::Status> statuses(parts_.size());
    const auto search = [&](size_t p) {
      DeviceQueries own = queries;
      const RowRange& rows = parts_[p].rows;
      own.rows = {std::max(queries.rows.first, rows.first), std::min(queries.rows.last, rows.last)};
      if (own.rows.first >= own.rows.last && !lists_) return;
      const int64_t offset = lists_ ? 0 : rows.first;
      own.rows = {own.rows.first - offset, own.rows.last - offset};
      statuses[p] = parts_[p].index->Search(own, part_ids[p].data(), part_similarities[p].data());
      for (int64_t& id : part_ids[p]) id += id >= 0 ? offset : 0;
    };
    std::vector<std::thread> threads;
    for (size_t p = 1; p < parts_.size(); ++p) threads.emplace_back(search, p);
    search(0);
    for (std::thread& thread : threads) thread.join();
    for (const absl::Status& status : statuses) RETURN_IF_ERROR(status);
    std::copy(part_ids[0].begin(), part_ids[0].end(), ids);
    std::copy(part_similarities[0].begin(), part_similarities[0].end(), similarities);
    for (size_t p = 1; p < parts_.size(); ++p) {
      KeepBest(queries.count, queries.k, part_ids[p].data(), part_similarities[p].data(), ids,
               similarities);
    }
    return absl::OkStatus();
  }

 private:
  const std::vector<Part> parts_;
  const bool lists_;
};

class ShardedDevice final : public Device {
 public:
  explicit ShardedDevice(std::vector<std::unique_ptr<Device>> devices)
      : devices_(std::move(devices)) {}

  std::string name() const override {
    std::string names;
    for (const auto& device : devices_)
      absl::StrAppend(&names, names.empty() ? "" : ",", device->name());
    return names;
  }

  // As if all had what the fullest has, since the parts are alike.
  absl::StatusOr<int64_t> FreeBytes() const override {
    int64_t least = std::numeric_limits<int64_t>::max() / Count();
    for (const auto& device : devices_) {
      ASSIGN_OR_RETURN(const int64_t available, device->FreeBytes());
      least = std::min(least, available);
    }
    return least * Count();
  }

  int64_t BytesFor(const DeviceSource& source) const override {
    DeviceSource part = source;
    part.count = (source.count + Count() - 1) / Count();
    // Lists are counted as if each part had all of them, cut in equal pieces.
    return source.ivf != nullptr ? devices_[0]->BytesFor(source)
                                 : devices_[0]->BytesFor(part) * Count();
  }

  int64_t WorkingBytes() const override { return devices_[0]->WorkingBytes() * Count(); }

  absl::StatusOr<std::unique_ptr<DeviceIndex>> Copy(const DeviceSource& source) override {
    std::vector<Part> parts;
    for (int64_t p = 0; p < Count(); ++p) {
      const RowRange rows = {source.count * p / Count(), source.count * (p + 1) / Count()};
      if (rows.first == rows.last) continue;
      DeviceSource own = source;
      own.count = rows.last - rows.first;
      std::unique_ptr<faiss::IndexIVFFlat> subset;
      if (source.ivf != nullptr) {
        subset = Subset(*source.ivf, rows);
        own.ivf = subset.get();
      } else {
        own.vectors = source.vectors + rows.first * source.dimension;
      }
      ASSIGN_OR_RETURN(std::unique_ptr<DeviceIndex> index, devices_[p]->Copy(own));
      parts.push_back({rows, std::move(index)});
    }
    return std::make_unique<ShardedIndex>(std::move(parts), source.ivf != nullptr);
  }

 private:
  int64_t Count() const { return static_cast<int64_t>(devices_.size()); }

  // The same centres, borrowed, and of the vectors those of some rows.
  static std::unique_ptr<faiss::IndexIVFFlat> Subset(const faiss::IndexIVFFlat& ivf,
                                                     const RowRange& rows) {
    auto subset = std::make_unique<faiss::IndexIVFFlat>(ivf.quantizer, ivf.d, ivf.nlist,
                                                        faiss::METRIC_INNER_PRODUCT);
    std::vector<int64_t> ids;
    for (size_t list = 0; list < ivf.nlist; ++list) {
      const size_t size = ivf.invlists->list_size(list);
      faiss::InvertedLists::ScopedIds all(ivf.invlists, list);
      faiss::InvertedLists::ScopedCodes codes(ivf.invlists, list);
      for (size_t i = 0; i < size; ++i) {
        if (all[i] < rows.first || all[i] >= rows.last) continue;
        subset->invlists->add_entry(list, all[i], codes.get() + i * ivf.code_size);
      }
    }
    subset->ntotal = rows.last - rows.first;
    subset->is_trained = true;
    return subset;
  }

  const std::vector<std::unique_ptr<Device>> devices_;
};

}  // namespace

std::unique_ptr<Device> MakeShardedDevice(std::vector<std::unique_ptr<Device>> devices) {
  return std::make_unique<ShardedDevice>(std::move(devices));
}

}  // namespace antiphon::index
