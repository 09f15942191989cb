#include "core/index/device_search.h"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

#include "core/base/status_macros.h"

namespace antiphon::index {

// One search, while its thread waits for the device.
struct DeviceSearch::Waiting {
  DeviceQueries queries;
  int64_t* ids;
  float* similarities;
  bool done = false;
  absl::Status status = absl::OkStatus();

  // Searches that may run as one: they look at the same vectors and want about as many of them.
  bool GoesWith(const Waiting& other) const {
    return queries.rows == other.queries.rows && queries.probes == other.queries.probes &&
           std::bit_ceil(static_cast<unsigned>(queries.k)) ==
               std::bit_ceil(static_cast<unsigned>(other.queries.k));
  }
};

DeviceSearch::DeviceSearch(std::shared_ptr<DevicePool> pool, const DeviceSource& source)
    : pool_(std::move(pool)), source_(source), most_neighbours_(MostNeighbours(source)) {
  pool_->CountIndex(1);
  TryToPut();
}

DeviceSearch::~DeviceSearch() {
  absl::MutexLock lock(&mutex_);
  place_.reset();
  TakeIn(/*gone=*/true);
  pool_->CountIndex(-1);
}

void DeviceSearch::LeaveOut(const std::string& why) {
  if (!left_out_) pool_->LeaveOut(why);
  left_out_ = true;
}

void DeviceSearch::TakeIn(bool gone) {
  if (left_out_) pool_->TakeIn(gone);
  left_out_ = false;
}

// One thread copies, while others search on the CPU.
void DeviceSearch::TryToPut() {
  {
    absl::MutexLock lock(&mutex_);
    if (place_ != nullptr || putting_) return;
    putting_ = true;
  }
  absl::StatusOr<std::unique_ptr<Place>> place = pool_->Put(source_);
  absl::MutexLock lock(&mutex_);
  putting_ = false;
  if (place.ok()) {
    place_ = *std::move(place);
    paused_until_ = absl::InfinitePast();
    TakeIn(/*gone=*/false);
  } else {
    paused_until_ = absl::Now() + pool_->pause();
    LeaveOut(std::string(place.status().message()));
  }
}

bool DeviceSearch::Ready() {
  if (!pool_->usable()) return false;
  {
    absl::MutexLock lock(&mutex_);
    if (paused_until_ != absl::InfinitePast() && absl::Now() < paused_until_) return false;
    if (place_ != nullptr) return true;
  }
  TryToPut();
  absl::MutexLock lock(&mutex_);
  return place_ != nullptr;
}

absl::Status DeviceSearch::Search(const DeviceQueries& queries, int64_t* ids, float* similarities) {
  Waiting own = {queries, ids, similarities};
  std::vector<Waiting*> batch;
  std::shared_ptr<Place> place;
  {
    absl::MutexLock lock(&mutex_);
    waiting_.push_back(&own);
    const auto my_turn = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return own.done || !busy_; };
    mutex_.Await(absl::Condition(&my_turn));
    if (own.done) return own.status;
    busy_ = true;
    place = place_;
    // Its own search and those that go with it, in the order they came.
    int64_t count = own.queries.count;
    batch.push_back(&own);
    for (Waiting* other : waiting_) {
      if (other == &own || !other->GoesWith(own) || count + other->queries.count > kMaxBatch)
        continue;
      count += other->queries.count;
      batch.push_back(other);
    }
    std::erase_if(waiting_, [&](Waiting* each) {
      return std::find(batch.begin(), batch.end(), each) != batch.end();
    });
  }
  const absl::Status status = place == nullptr || !pool_->usable()
                                  ? absl::UnavailableError("the index is not on the device")
                                  : SearchFor(batch, *place);
  if (status.ok()) {
    pool_->CountBatch(static_cast<int>(batch.size()));
  } else {
    NoteFailure(status);
  }
  absl::MutexLock lock(&mutex_);
  if (status.ok() && paused_until_ != absl::InfinitePast()) {
    paused_until_ = absl::InfinitePast();
    TakeIn(/*gone=*/false);
  }
  for (Waiting* each : batch) {
    each->status = status;
    each->done = true;
  }
  busy_ = false;
  return own.status;
}

// No exception leaves it: others wait for what comes of it.
absl::Status DeviceSearch::SearchFor(const std::vector<Waiting*>& batch, Place& place) {
  try {
    return batch.size() == 1
               ? place.index().Search(batch[0]->queries, batch[0]->ids, batch[0]->similarities)
               : SearchTogether(batch, place);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("no memory for what a device has found");
  }
}

absl::Status DeviceSearch::SearchTogether(const std::vector<Waiting*>& batch, Place& place) {
  DeviceQueries all = batch[0]->queries;
  all.count = 0;
  for (const Waiting* each : batch) {
    all.count += each->queries.count;
    all.k = std::max(all.k, each->queries.k);
  }
  std::vector<float> values;
  values.reserve(all.count * source_.dimension);
  for (const Waiting* each : batch) {
    values.insert(values.end(), each->queries.values,
                  each->queries.values + each->queries.count * source_.dimension);
  }
  all.values = values.data();
  std::vector<int64_t> ids(all.count * all.k);
  std::vector<float> similarities(all.count * all.k);
  RETURN_IF_ERROR(place.index().Search(all, ids.data(), similarities.data()));
  int64_t from = 0;
  for (const Waiting* each : batch) {
    const int k = each->queries.k;
    for (int64_t q = 0; q < each->queries.count; ++q, from += all.k) {
      std::copy_n(ids.begin() + from, k, each->ids + q * k);
      std::copy_n(similarities.begin() + from, k, each->similarities + q * k);
    }
  }
  return absl::OkStatus();
}

// A device without room is left alone for a while; any other failure is its last.
void DeviceSearch::NoteFailure(const absl::Status& failure) {
  const std::string why(failure.message());
  if (!absl::IsResourceExhausted(failure)) {
    if (pool_->usable()) pool_->Lose(why);
    absl::MutexLock lock(&mutex_);
    LeaveOut(why);
    return;
  }
  absl::MutexLock lock(&mutex_);
  paused_until_ = absl::Now() + pool_->pause();
  LeaveOut(why);
}

}  // namespace antiphon::index
