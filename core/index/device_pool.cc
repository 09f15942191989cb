#include "core/index/device_pool.h"

#include <algorithm>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/index/cuda_device.h"
#include "core/index/device.h"
#include "core/index/sharded_device.h"

namespace antiphon::index {
namespace {

std::string Mebibytes(int64_t bytes) { return absl::StrCat((bytes + (1 << 20) - 1) >> 20, " MiB"); }

absl::StatusOr<std::unique_ptr<Device>> OpenDevices(const std::string& name) {
  std::vector<std::unique_ptr<Device>> devices;
  const std::vector<std::string> parts = absl::StrSplit(name, ',');
  for (const std::string& part : parts) {
    ASSIGN_OR_RETURN(const std::optional<int> number, ParseCudaDevice(part));
    if (!number.has_value()) continue;
    ASSIGN_OR_RETURN(std::unique_ptr<Device> device, OpenCudaDevice(*number));
    devices.push_back(std::move(device));
  }
  if (devices.empty()) return nullptr;
  if (devices.size() == 1) return std::move(devices.front());
  return MakeShardedDevice(std::move(devices));
}

}  // namespace

absl::Status CheckDeviceName(std::string_view name) {
  const std::vector<std::string> parts = absl::StrSplit(std::string(name), ',');
  std::vector<int> numbers;
  for (const std::string& part : parts) {
    const absl::StatusOr<std::optional<int>> number = ParseCudaDevice(part);
    if (!number.ok()) return number.status();
    const bool alone = part == "cpu" || part == "auto";
    if (alone && parts.size() > 1)
      return absl::InvalidArgumentError("index device: only GPUs can be several");
    if (alone) continue;
    if (std::find(numbers.begin(), numbers.end(), **number) != numbers.end())
      return absl::InvalidArgumentError(absl::StrCat("index device: ", part, " is named twice"));
    numbers.push_back(**number);
  }
  return absl::OkStatus();
}

std::optional<int64_t> DeviceMemoryInUse(std::string_view name) {
  const auto number = ParseCudaDevice(name);
  if (!number.ok() || !number->has_value()) return std::nullopt;
  return CudaMemoryInUse(**number);
}

DevicePool::Place::Place(std::shared_ptr<DevicePool> pool, std::unique_ptr<DeviceIndex> index,
                         int64_t bytes)
    : pool_(std::move(pool)), index_(std::move(index)), bytes_(bytes) {}

DevicePool::Place::~Place() {
  index_.reset();
  pool_->Release(bytes_, /*placed=*/true);
}

DevicePool::Absence::Absence(std::shared_ptr<DevicePool> pool, const std::string& why)
    : pool_(std::move(pool)) {
  pool_->CountIndex(1);
  pool_->LeaveOut(why);
}

DevicePool::Absence::~Absence() {
  pool_->TakeIn(/*gone=*/true);
  pool_->CountIndex(-1);
}

DevicePool::DevicePool(std::unique_ptr<Device> device, DevicePoolOptions options)
    : options_(std::move(options)),
      device_(std::move(device)),
      wanted_(device_ != nullptr || (options_.device != "cpu" && options_.device != "auto")),
      usable_(device_ != nullptr) {}

DevicePool::~DevicePool() = default;

absl::StatusOr<std::shared_ptr<DevicePool>> DevicePool::Open(DevicePoolOptions options) {
  RETURN_IF_ERROR(CheckDeviceName(options.device));
  absl::StatusOr<std::unique_ptr<Device>> device = OpenDevices(options.device);
  const std::string problem(device.ok() ? "" : device.status().message());
  std::shared_ptr<DevicePool> pool =
      Over(device.ok() ? *std::move(device) : nullptr, std::move(options));
  if (!problem.empty()) pool->Lose(problem);
  return pool;
}

std::shared_ptr<DevicePool> DevicePool::Over(std::unique_ptr<Device> device,
                                             DevicePoolOptions options) {
  return std::shared_ptr<DevicePool>(new DevicePool(std::move(device), std::move(options)));
}

DeviceStatus DevicePool::Status() const {
  DeviceStatus status;
  status.wanted = wanted();
  status.usable = usable();
  status.bytes_allowed = options_.memory_bytes;
  status.searches = searches_.load(std::memory_order_relaxed);
  status.batches = batches_.load(std::memory_order_relaxed);
  status.searches_on_cpu = searches_on_cpu_.load(std::memory_order_relaxed);
  absl::MutexLock lock(&mutex_);
  status.indexes = status.usable ? indexes_ - left_out_ : 0;
  status.indexes_left_out = indexes_ - status.indexes;
  if (status.indexes > 0) status.device = device_->name();
  if (status.usable && placed_ > 0) status.bytes = bytes_ + device_->WorkingBytes();
  status.problem = problem_;
  return status;
}

absl::StatusOr<std::unique_ptr<DevicePool::Place>> DevicePool::Put(const DeviceSource& source) {
  if (!usable()) {
    absl::MutexLock lock(&mutex_);
    return absl::UnavailableError(problem_.empty() ? "index device: there is none" : problem_);
  }
  const int64_t bytes = device_->BytesFor(source);
  RETURN_IF_ERROR(Reserve(bytes));
  absl::StatusOr<std::unique_ptr<DeviceIndex>> copy =
      absl::ResourceExhaustedError("no memory for copying an index");
  try {
    copy = device_->Copy(source);
  } catch (const std::bad_alloc&) {  // what is reserved is given back below
  }
  if (!copy.ok()) {
    Release(bytes, /*placed=*/false);
    if (!absl::IsResourceExhausted(copy.status())) Lose(std::string(copy.status().message()));
    return copy.status();
  }
  {
    absl::MutexLock lock(&mutex_);
    ++placed_;
  }
  return std::make_unique<Place>(shared_from_this(), *std::move(copy), bytes);
}

absl::Status DevicePool::Reserve(int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  // What searching takes is there once the first index is.
  const int64_t working = device_->WorkingBytes();
  if (options_.memory_bytes > 0 && bytes_ + working + bytes > options_.memory_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "an index takes ", Mebibytes(bytes), " of ", device_->name(), " and searching it ",
        Mebibytes(working), "; of the ", Mebibytes(options_.memory_bytes),
        " that are allowed, other indexes have ", Mebibytes(bytes_)));
  }
  absl::StatusOr<int64_t> available = device_->FreeBytes();
  if (!available.ok()) return available.status();
  const int64_t needed = bytes + (placed_ == 0 ? working : 0);
  if (needed > *available) {
    return absl::ResourceExhaustedError(absl::StrCat("an index takes ", Mebibytes(needed), " of ",
                                                     device_->name(), ", which has ",
                                                     Mebibytes(*available), " free"));
  }
  bytes_ += bytes;
  return absl::OkStatus();
}

void DevicePool::Release(int64_t bytes, bool placed) {
  absl::MutexLock lock(&mutex_);
  bytes_ -= bytes;
  if (placed) --placed_;
}

void DevicePool::Lose(const std::string& why) {
  const bool news = usable_.exchange(false) || device_ == nullptr;
  {
    absl::MutexLock lock(&mutex_);
    problem_ = why;
  }
  if (news) Tell(absl::StrCat("indexes are searched on the CPU: ", why));
}

void DevicePool::CountIndex(int change) {
  absl::MutexLock lock(&mutex_);
  indexes_ += change;
}

void DevicePool::LeaveOut(const std::string& why) {
  {
    absl::MutexLock lock(&mutex_);
    ++left_out_;
    if (!usable()) return;  // Lose has told
    problem_ = why;
  }
  Tell(absl::StrCat("an index is searched on the CPU: ", why));
}

void DevicePool::TakeIn(bool gone) {
  {
    absl::MutexLock lock(&mutex_);
    --left_out_;
    if (!usable()) return;
    if (left_out_ == 0) problem_.clear();
  }
  if (!gone) Tell(absl::StrCat("an index is searched on ", device_->name(), " again"));
}

void DevicePool::Tell(const std::string& what) const {
  if (options_.on_change) options_.on_change(what);
}

void DevicePool::CountBatch(int searches) {
  searches_.fetch_add(searches, std::memory_order_relaxed);
  batches_.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace antiphon::index
