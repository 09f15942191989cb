// Lets ThreadSanitizer see absl::Mutex, absl::CondVar and absl::Notification.
//
// The system's Abseil is not instrumented and waits on futexes of its own, so that every access
// guarded by an absl::Mutex would look like a race. This source, linked into each program of the
// preset `tsan`, takes the place of the library's functions, for our own code as for gRPC's: it
// calls them and says what they do. Conditions are evaluated inside the library, by whoever lets go
// of the mutex; between the marks "pre" and "post" ThreadSanitizer looks away.
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

namespace {

#define ANTIPHON_TEXT_OF(name) #name
#define ANTIPHON_TEXT(name) ANTIPHON_TEXT_OF(name)

// The library's own function. `name` is mangled, from behind the namespace absl and its inline
// namespace on; `prefix` is what comes before, another for const members.
template <typename Function>
Function Library(const char* name, const char* prefix = "_ZN") {
  const std::string inner = ANTIPHON_TEXT(ABSL_OPTION_INLINE_NAMESPACE_NAME);
  const std::string symbol = prefix + ("4absl" + std::to_string(inner.size())) + inner + name;
  void* found = dlsym(RTLD_NEXT, symbol.c_str());
  if (found == nullptr) {
    std::fprintf(stderr, "%s is not in a shared library\n", symbol.c_str());
    std::abort();
  }
  return reinterpret_cast<Function>(found);
}

constexpr unsigned kReader = __tsan_mutex_read_lock;

// Whether this thread is in one of the library's functions already: some call others of them, which
// have said it all.
thread_local bool inside = false;

template <typename Call>
auto Inside(Call&& call) {
  inside = true;
  struct Leave {
    ~Leave() { inside = false; }
  } leave;
  return call();
}

// `take` is called where the mutex is taken, and says whether it was.
template <typename Take>
bool Taking(void* mutex, unsigned flags, Take&& take) {
  if (inside) return take();
  __tsan_mutex_pre_lock(mutex, flags | __tsan_mutex_not_static);
  const bool taken = Inside(take);
  __tsan_mutex_post_lock(
      mutex, flags | __tsan_mutex_not_static | (taken ? 0u : __tsan_mutex_try_lock_failed), 0);
  return taken;
}

template <typename Release>
void Releasing(void* mutex, unsigned flags, Release&& release) {
  if (inside) return release();
  __tsan_mutex_pre_unlock(mutex, flags | __tsan_mutex_not_static);
  Inside(release);
  __tsan_mutex_post_unlock(mutex, flags | __tsan_mutex_not_static);
}

// The mutex is held; `wait` lets it go and takes it again.
template <typename Wait>
void Waiting(void* mutex, Wait&& wait) {
  Releasing(mutex, 0, [] {});
  Taking(mutex, 0, [&] { return wait(), true; });
}

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

Mutex::~Mutex() {
  static const auto library = Library<void (*)(Mutex*)>("5MutexD1Ev");
  __tsan_mutex_destroy(this, __tsan_mutex_not_static);
  library(this);
}

void Mutex::Lock() {
  static const auto library = Library<void (*)(Mutex*)>("5Mutex4LockEv");
  Taking(this, 0, [this] { return library(this), true; });
}

bool Mutex::TryLock() {
  static const auto library = Library<bool (*)(Mutex*)>("5Mutex7TryLockEv");
  return Taking(this, __tsan_mutex_try_lock, [this] { return library(this); });
}

void Mutex::Unlock() {
  static const auto library = Library<void (*)(Mutex*)>("5Mutex6UnlockEv");
  Releasing(this, 0, [this] { library(this); });
}

void Mutex::ReaderLock() {
  static const auto library = Library<void (*)(Mutex*)>("5Mutex10ReaderLockEv");
  Taking(this, kReader, [this] { return library(this), true; });
}

bool Mutex::ReaderTryLock() {
  static const auto library = Library<bool (*)(Mutex*)>("5Mutex13ReaderTryLockEv");
  return Taking(this, kReader | __tsan_mutex_try_lock, [this] { return library(this); });
}

void Mutex::ReaderUnlock() {
  static const auto library = Library<void (*)(Mutex*)>("5Mutex12ReaderUnlockEv");
  Releasing(this, kReader, [this] { library(this); });
}

void Mutex::LockWhen(const Condition& condition) {
  static const auto library =
      Library<void (*)(Mutex*, const Condition&)>("5Mutex8LockWhenERKNS0_9ConditionE");
  Taking(this, 0, [&] { return library(this, condition), true; });
}

bool Mutex::LockWhenWithTimeout(const Condition& condition, Duration timeout) {
  static const auto library = Library<bool (*)(Mutex*, const Condition&, Duration)>(
      "5Mutex19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE");
  bool met = false;
  Taking(this, 0, [&] { return met = library(this, condition, timeout), true; });
  return met;
}

bool Mutex::LockWhenWithDeadline(const Condition& condition, Time deadline) {
  static const auto library = Library<bool (*)(Mutex*, const Condition&, Time)>(
      "5Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  bool met = false;
  Taking(this, 0, [&] { return met = library(this, condition, deadline), true; });
  return met;
}

void Mutex::Await(const Condition& condition) {
  static const auto library =
      Library<void (*)(Mutex*, const Condition&)>("5Mutex5AwaitERKNS0_9ConditionE");
  Waiting(this, [&] { library(this, condition); });
}

bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) {
  static const auto library = Library<bool (*)(Mutex*, const Condition&, Duration)>(
      "5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE");
  bool met = false;
  Waiting(this, [&] { met = library(this, condition, timeout); });
  return met;
}

bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  static const auto library = Library<bool (*)(Mutex*, const Condition&, Time)>(
      "5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  bool met = false;
  Waiting(this, [&] { met = library(this, condition, deadline); });
  return met;
}

void CondVar::Wait(Mutex* mutex) {
  static const auto library = Library<void (*)(CondVar*, Mutex*)>("7CondVar4WaitEPNS0_5MutexE");
  Waiting(mutex, [&] { library(this, mutex); });
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  static const auto library = Library<bool (*)(CondVar*, Mutex*, Duration)>(
      "7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE");
  bool timed_out = false;
  Waiting(mutex, [&] { timed_out = library(this, mutex, timeout); });
  return timed_out;
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  static const auto library = Library<bool (*)(CondVar*, Mutex*, Time)>(
      "7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");
  bool timed_out = false;
  Waiting(mutex, [&] { timed_out = library(this, mutex, deadline); });
  return timed_out;
}

// Where it has been notified already, the library takes no mutex.
void Notification::Notify() {
  static const auto library = Library<void (*)(Notification*)>("12Notification6NotifyEv");
  __tsan_release(this);
  library(this);
}

void Notification::WaitForNotification() const {
  static const auto library =
      Library<void (*)(const Notification*)>("12Notification19WaitForNotificationEv", "_ZNK");
  library(this);
  __tsan_acquire(const_cast<Notification*>(this));
}

bool Notification::WaitForNotificationWithTimeout(Duration timeout) const {
  static const auto library = Library<bool (*)(const Notification*, Duration)>(
      "12Notification30WaitForNotificationWithTimeoutENS0_8DurationE", "_ZNK");
  const bool notified = library(this, timeout);
  if (notified) __tsan_acquire(const_cast<Notification*>(this));
  return notified;
}

ABSL_NAMESPACE_END
}  // namespace absl
