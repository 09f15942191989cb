// Waiting until a SteadyTime. The waits of absl::Mutex are until a time of day: a clock that is set
// back an hour makes them an hour longer.
//
// Like absl::Mutex, a SteadyMutex has no condition variable to forget: what waits looks again
// whenever somebody unlocks. Meant for few waiters.
#ifndef ANTIPHON_CORE_BASE_STEADY_MUTEX_H_
#define ANTIPHON_CORE_BASE_STEADY_MUTEX_H_

#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "core/base/steady_time.h"

namespace antiphon {

class ABSL_LOCKABLE SteadyMutex {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() {
    // Before the lock is released: whoever is woken may destroy this object.
    if (waiting_ > 0) unlocked_.notify_all();
    mutex_.unlock();
  }
  void AssertHeld() const ABSL_ASSERT_EXCLUSIVE_LOCK() {}  // for lambdas; checks nothing

  // Returns whether `holds()`, once it does or `deadline` has come. The lock is held whenever it is
  // asked, and released in between.
  template <typename Condition>
  bool AwaitUntil(SteadyTime deadline, const Condition& holds)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex_, std::adopt_lock);
    ++waiting_;
    bool held = true;
    if (deadline == kNever) {
      unlocked_.wait(lock, holds);
    } else {
      held = unlocked_.wait_until(lock, deadline, holds);
    }
    --waiting_;
    lock.release();
    return held;
  }

 private:
  std::mutex mutex_;
  std::condition_variable unlocked_;
  int waiting_ ABSL_GUARDED_BY(this) = 0;
};

class ABSL_SCOPED_LOCKABLE SteadyMutexLock {
 public:
  explicit SteadyMutexLock(SteadyMutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_->Lock();
  }
  ~SteadyMutexLock() ABSL_UNLOCK_FUNCTION() { mutex_->Unlock(); }
  SteadyMutexLock(const SteadyMutexLock&) = delete;
  SteadyMutexLock& operator=(const SteadyMutexLock&) = delete;

 private:
  SteadyMutex* const mutex_;
};

// Something that happens once. Safe from any thread.
class SteadyNotification {
 public:
  void Notify() {
    SteadyMutexLock lock(&mutex_);
    notified_ = true;
  }
  bool HasBeenNotified() const {
    SteadyMutexLock lock(&mutex_);
    return notified_;
  }
  // Whether it has happened, once it has or `deadline` has come.
  bool WaitUntil(SteadyTime deadline) const {
    SteadyMutexLock lock(&mutex_);
    return mutex_.AwaitUntil(deadline, [this] {
      mutex_.AssertHeld();
      return notified_;
    });
  }

 private:
  mutable SteadyMutex mutex_;
  bool notified_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace antiphon

#endif  // ANTIPHON_CORE_BASE_STEADY_MUTEX_H_
