// A job lives on its caller's stack. The caller waits in EncodeWhile for `done`, and only the
// dispatcher notifies it, under the lock; after that it must not touch the job any more. A job is
// in pending_ exactly as long as windows of it have not been taken, so a job is finished by the
// batch that takes its last windows.
//
// The lock is never held while the inner encoder runs: requests go on arriving, and make up the
// next batch.
#include "server/serving/batching_encoder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace antiphon::server {
namespace {

BatchingOptions Sane(BatchingOptions options) {
  options.max_windows = std::max(1, options.max_windows);
  options.max_delay_ms = std::max(0.0, options.max_delay_ms);
  return options;
}

int64_t WindowSize(const encoder::EncoderInfo& info) {
  return int64_t{info.settings.window_frames} * info.channels * info.bands;
}

}  // namespace

BatchingEncoder::BatchingEncoder(std::unique_ptr<encoder::WindowEncoder> inner,
                                 BatchingOptions options)
    : inner_(std::move(inner)),
      options_(Sane(std::move(options))),
      window_size_(WindowSize(inner_->info())),
      dispatcher_([this] { Dispatch(); }) {}

BatchingEncoder::~BatchingEncoder() {
  Shutdown();
  dispatcher_.join();
}

void BatchingEncoder::Shutdown() {
  SteadyMutexLock lock(&mutex_);
  stopping_ = true;
}

absl::StatusOr<std::vector<float>> BatchingEncoder::Encode(std::span<const uint8_t> windows) const {
  return EncodeWhile({}, windows);
}

absl::StatusOr<std::vector<float>> BatchingEncoder::EncodeWhile(
    const std::function<absl::Status()>& keep_going, std::span<const uint8_t> windows) const {
  if (window_size_ <= 0 || windows.size() % window_size_ != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(windows.size(), " bytes are no multiple of a window's ", window_size_));
  }
  if (windows.empty()) return std::vector<float>();

  Job job;
  job.windows = windows;
  job.keep_going = &keep_going;
  job.total = static_cast<int64_t>(windows.size()) / window_size_;
  job.arrived = SteadyNow();
  job.embeddings.resize(job.total * info().dimension);

  {
    SteadyMutexLock lock(&mutex_);
    if (stopping_) return absl::UnavailableError("the encoder is shutting down");
    pending_.push_back(&job);
    pending_windows_ += job.total;
  }
  job.done.WaitForNotification();
  if (!job.status.ok()) return job.status;
  return std::move(job.embeddings);
}

void BatchingEncoder::Dispatch() const {
  while (true) {
    const std::optional<std::vector<Slice>> slices = TakeBatch();
    if (!slices.has_value()) return;
    if (!slices->empty()) RunBatch(*slices);
  }
}

std::optional<std::vector<BatchingEncoder::Slice>> BatchingEncoder::TakeBatch() const {
  SteadyMutexLock lock(&mutex_);
  mutex_.AwaitUntil(kNever, [this] {
    mutex_.AssertHeld();
    return stopping_ || !pending_.empty();
  });
  // An incomplete batch waits for company until its oldest request has waited max_delay. The oldest
  // is not always in front: a large request goes to the back each time part of it is taken.
  if (!pending_.empty()) {
    const SteadyTime oldest =
        (*std::min_element(pending_.begin(), pending_.end(), [](const Job* a, const Job* b) {
          return a->arrived < b->arrived;
        }))->arrived;
    mutex_.AwaitUntil(After(absl::Milliseconds(options_.max_delay_ms), oldest), [this] {
      mutex_.AssertHeld();
      return stopping_ || pending_windows_ >= options_.max_windows;
    });
  }
  if (stopping_) {
    for (Job* job : pending_) {
      job->status = absl::UnavailableError("the encoder is shutting down");
      job->done.Notify();
    }
    pending_.clear();
    return std::nullopt;
  }
  return FillBatch();
}

// Each pending job gets one turn at most per batch, so a batch holds one slice of a job.
std::vector<BatchingEncoder::Slice> BatchingEncoder::FillBatch() const {
  std::vector<Slice> slices;
  int64_t space = options_.max_windows;
  for (size_t turns = pending_.size(); turns > 0 && space > 0; --turns) {
    Job* job = pending_.front();
    pending_.pop_front();
    if (*job->keep_going) job->status = (*job->keep_going)();
    if (!job->status.ok()) {
      pending_windows_ -= job->total - job->taken;
      job->done.Notify();
      continue;
    }
    const int64_t count = std::min(space, job->total - job->taken);
    slices.push_back({job, job->taken, count});
    job->taken += count;
    space -= count;
    pending_windows_ -= count;
    if (job->taken < job->total) pending_.push_back(job);  // the others come first next time
  }
  return slices;
}

void BatchingEncoder::RunBatch(const std::vector<Slice>& slices) const {
  int64_t count = 0;
  for (const Slice& slice : slices) count += slice.count;
  std::vector<uint8_t> gathered;
  std::span<const uint8_t> windows;
  if (slices.size() == 1) {  // the usual case on a quiet server: no copy
    windows = slices[0].job->windows.subspan(slices[0].first * window_size_, count * window_size_);
  } else {
    gathered.resize(count * window_size_);
    uint8_t* out = gathered.data();
    for (const Slice& slice : slices) {
      std::memcpy(out, slice.job->windows.data() + slice.first * window_size_,
                  slice.count * window_size_);
      out += slice.count * window_size_;
    }
    windows = gathered;
  }

  const int64_t dimension = info().dimension;
  // With no lock held. The spans stay valid: their callers wait for `done`.
  absl::StatusOr<std::vector<float>> rows = inner_->Encode(windows);
  if (options_.on_batch) options_.on_batch(static_cast<int>(count));
  if (rows.ok() && static_cast<int64_t>(rows->size()) != count * dimension) {
    rows = absl::InternalError(
        absl::StrCat("the encoder gave ", rows->size(), " numbers for ", count, " windows"));
  }

  SteadyMutexLock lock(&mutex_);
  int64_t row = 0;
  for (const Slice& slice : slices) {
    Job& job = *slice.job;
    if (rows.ok()) {
      std::copy_n(rows->begin() + row * dimension, slice.count * dimension,
                  job.embeddings.begin() + slice.first * dimension);
      row += slice.count;
    } else {
      job.status = rows.status();
      if (job.taken < job.total) {  // the rest of it would be in vain
        pending_windows_ -= job.total - job.taken;
        pending_.erase(std::find(pending_.begin(), pending_.end(), &job));
        job.taken = job.total;
      }
    }
    // One job's slices run one after another, so that its last one finishes it.
    if (job.taken == job.total) job.done.Notify();
  }
}

}  // namespace antiphon::server
