#include "server/snapshots/snapshot_schedule.h"

#include <algorithm>
#include <exception>

#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

constexpr std::string_view kPattern = "auto-DDDDDDDD-DDDDDD";  // D is a digit
constexpr absl::Duration kShortestPause = absl::Milliseconds(10);
constexpr absl::Duration kLongestPause = absl::Hours(1);
constexpr absl::Duration kLongestWait = absl::Hours(24);  // then the clock is looked at again
// Until somebody else's reload, merge or restore may be over, or the clock says another second.
constexpr absl::Duration kMoment = absl::Seconds(1);

const StoredSnapshot* NewestScheduled(const std::vector<StoredSnapshot>& snapshots) {
  const auto found = std::find_if(snapshots.begin(), snapshots.end(), [](const auto& snapshot) {
    return snapshot.problem.empty() && IsScheduledName(snapshot.name);
  });
  return found == snapshots.end() ? nullptr : &*found;
}

}  // namespace

bool IsScheduledName(std::string_view name) {
  return std::equal(
      name.begin(), name.end(), kPattern.begin(), kPattern.end(), [](char c, char pattern) {
        return pattern == 'D' ? absl::ascii_isdigit(static_cast<unsigned char>(c)) : c == pattern;
      });
}

std::string ScheduledName(absl::Time at) {
  return absl::FormatTime("auto-%Y%m%d-%H%M%S", at, absl::UTCTimeZone());
}

std::vector<std::string> OutOfDate(const std::vector<StoredSnapshot>& snapshots, int keep) {
  // By their names, which have the date, too: a damaged one may have no other.
  std::vector<const StoredSnapshot*> scheduled;
  for (const StoredSnapshot& snapshot : snapshots) {
    if (IsScheduledName(snapshot.name)) scheduled.push_back(&snapshot);
  }
  std::sort(scheduled.begin(), scheduled.end(),
            [](const auto* one, const auto* other) { return one->name > other->name; });
  std::vector<std::string> old;
  int kept = 0;
  for (const StoredSnapshot* snapshot : scheduled) {
    if (kept >= keep) old.push_back(snapshot->name);
    if (snapshot->problem.empty()) ++kept;
  }
  return old;
}

SnapshotSchedule::SnapshotSchedule(const SnapshotScheduleOptions& options,
                                   SnapshotKeeper& snapshots, Metrics& metrics)
    : options_(options), snapshots_(snapshots), metrics_(metrics) {
  if (snapshots_.enabled()) thread_ = std::thread([this] { Run(); });
}

SnapshotSchedule::~SnapshotSchedule() {
  Stop();
  if (thread_.joinable()) thread_.join();
}

void SnapshotSchedule::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
}

bool SnapshotSchedule::WaitFor(absl::Duration wait) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto bounded = absl::ToChronoMilliseconds(std::min(wait, kLongestWait));
  return !stop_.wait_for(lock, bounded, [this] { return stopping_.load(); });
}

KeepGoing SnapshotSchedule::KeepGoingUntilStopped() {
  return [this] {
    return stopping_ ? absl::CancelledError("the server is stopping") : absl::OkStatus();
  };
}

void SnapshotSchedule::DueIn(absl::Duration wait) {
  due_ = Clock::now() + absl::ToChronoNanoseconds(wait);
}

absl::Duration SnapshotSchedule::PauseAfterFailure() const {
  absl::Duration pause = options_.first_pause;
  for (int i = 1; i < failures_ && pause < kLongestPause; ++i) pause *= 2;
  if (options_.every > absl::ZeroDuration()) pause = std::min(pause, options_.every);
  return std::clamp(pause, kShortestPause, kLongestPause);
}

absl::Duration SnapshotSchedule::Fail(const absl::Status& status) {
  if (stopping_) return absl::ZeroDuration();
  ++failures_;
  const absl::Duration pause = PauseAfterFailure();
  spdlog::error("{} failed, and is tried again in {} s: {}",
                knows_what_is_there_ ? "scheduled snapshot:" : "looking for snapshots",
                absl::ToInt64Seconds(pause), std::string(status.message()));
  return pause;
}

void SnapshotSchedule::Run() {
  absl::Duration wait;
  do {
    try {
      wait = Step();
    } catch (const std::exception& failure) {
      wait = Fail(absl::InternalError(failure.what()));
    }
  } while (WaitFor(wait));
}

absl::Duration SnapshotSchedule::Step() {
  if (!knows_what_is_there_) return LookAround();
  if (options_.every <= absl::ZeroDuration()) return absl::InfiniteDuration();
  const absl::Duration left = absl::FromChrono(due_ - Clock::now());
  return left > absl::ZeroDuration() ? left : Take();
}

absl::Duration SnapshotSchedule::LookAround() {
  const auto snapshots = snapshots_.List(KeepGoingUntilStopped());
  if (!snapshots.ok()) return Fail(snapshots.status());
  knows_what_is_there_ = true;
  failures_ = 0;
  snapshots_.Measure(*snapshots);
  if (const StoredSnapshot* newest = NewestScheduled(*snapshots); newest != nullptr) {
    // A date in the future, of a clock that was wrong, is taken for now.
    const absl::Duration age = absl::Now() - DateOf(newest->manifest);
    DueIn(options_.every - std::max(age, absl::ZeroDuration()));
  }
  return absl::ZeroDuration();
}

absl::Duration SnapshotSchedule::Take() {
  const auto snapshots = snapshots_.List(KeepGoingUntilStopped());
  if (!snapshots.ok()) {
    metrics_.RecordSnapshot(snapshots.status());
    return Fail(snapshots.status());
  }
  const StoredSnapshot* newest = NewestScheduled(*snapshots);
  if (newest != nullptr && snapshots_.IsUnchangedSince(*newest)) {
    spdlog::debug("scheduled snapshot: the collection is as it was in {}, so none is taken",
                  newest->name);
    snapshots_.CountAsFresh(*newest);
    return Succeed();
  }
  const std::string name = ScheduledName(absl::Now());
  const auto taken = snapshots_.Take(name, KeepGoingUntilStopped());
  if (absl::IsAborted(taken.status()) || absl::IsAlreadyExists(taken.status())) {
    spdlog::debug("scheduled snapshot: waits: {}", std::string(taken.status().message()));
    return kMoment;
  }
  if (!taken.ok()) return Fail(taken.status());
  spdlog::info("scheduled snapshot {}: {} pieces, {} recordings, up to version {}, {} bytes", name,
               taken->pieces, taken->recordings, taken->last_change, TotalBytes(*taken));
  return Succeed();
}

absl::Duration SnapshotSchedule::Succeed() {
  failures_ = 0;
  DueIn(options_.every);
  RemoveOld();
  return absl::ZeroDuration();
}

void SnapshotSchedule::RemoveOld() {
  const KeepGoing keep_going = KeepGoingUntilStopped();
  const auto snapshots = snapshots_.List(keep_going);
  absl::Status failure = snapshots.status();
  for (const std::string& name :
       snapshots.ok() ? OutOfDate(*snapshots, options_.keep) : std::vector<std::string>()) {
    const absl::Status removed = snapshots_.Remove(name, keep_going).status();
    if (removed.ok()) spdlog::info("scheduled snapshot {}: removed, as there are newer ones", name);
    if (!absl::IsNotFound(removed) && !absl::IsAborted(removed)) failure.Update(removed);
  }
  if (failure.ok() || stopping_) return;
  metrics_.RecordBackgroundFailure();
  spdlog::error("scheduled snapshot: old ones are left: {}", std::string(failure.message()));
}

}  // namespace antiphon::server
