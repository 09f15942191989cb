#include "tests/bench/load.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/base/steady_time.h"

namespace antiphon::bench {
namespace {

// The excerpts in an order that the seed decides, again and again, so that each is asked about as
// often as the others.
class Order {
 public:
  Order(size_t excerpts, uint64_t seed) : excerpts_(excerpts) {
    std::iota(excerpts_.begin(), excerpts_.end(), 0);
    std::shuffle(excerpts_.begin(), excerpts_.end(), std::mt19937_64(seed));
  }

  size_t operator[](size_t call) const { return excerpts_[call % excerpts_.size()]; }

 private:
  std::vector<size_t> excerpts_;
};

class ClosedLoop {
 public:
  ClosedLoop(Caller& caller, const std::vector<Excerpt>& excerpts, const LoadOptions& options)
      : caller_(caller),
        excerpts_(excerpts),
        options_(options),
        order_(excerpts.size(), options.seed),
        clients_(caller.connections()),
        has_ended_(clients_) {}

  Load Run() {
    std::thread asking_again(&ClosedLoop::AskAgain, this);
    for (size_t client = 0; client < clients_; ++client) Ask(client);
    std::this_thread::sleep_for(std::chrono::duration<double>(options_.warm_up_s));
    WaitUntil(&ClosedLoop::EachHasEnded);
    options_.on_begin();
    const double begin_s = Count(true);
    WaitUntil(&ClosedLoop::NobodyAsks, absl::Seconds(options_.duration_s));
    WaitUntil(&ClosedLoop::EnoughHaveEnded);
    Load load;
    load.seconds = Count(false) - begin_s;
    options_.on_end();
    load.calls = Stop();
    asking_again.join();
    return load;
  }

 private:
  void Ask(size_t client) {
    Call call;
    call.excerpt = order_[begun_++];
    call.due_s = call.sent_s = SecondsSince(began_);
    caller_.Identify(static_cast<int>(client), excerpts_[call.excerpt].request,
                     [this, client, call](Answer answer) mutable {
                       call.ended_s = SecondsSince(began_);
                       call.answer = std::move(answer);
                       if (Note(client, std::move(call))) Ask(client);
                     });
  }

  // Lets clients that were refused ask again when it is time. Until the loop stops.
  void AskAgain() {
    while (const std::optional<size_t> client = NextToAskAgain()) Ask(*client);
  }

  // Waits until it is time for one; nothing when the loop stops: then all of them rest.
  std::optional<size_t> NextToAskAgain() {
    const absl::MutexLock lock(&mutex_);
    for (SteadyTime due = FirstDue(); !stops_; due = FirstDue()) {
      const SteadyTime now = SteadyNow();
      if (due <= now) return waiting_.extract(waiting_.begin()).mapped();
      const auto is_over = [this, due]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return stops_ || FirstDue() < due;
      };
      mutex_.AwaitWithTimeout(absl::Condition(&is_over), Between(now, due));
    }
    resting_ += waiting_.size();
    return std::nullopt;
  }

  SteadyTime FirstDue() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return waiting_.empty() ? kNever : waiting_.begin()->first;
  }

  void WaitUntil(bool (ClosedLoop::*holds)() const,
                 absl::Duration at_most = absl::InfiniteDuration()) {
    const absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(this, holds), at_most);
  }

  // Says whether calls that end from now on count; returns the time.
  double Count(bool counts) {
    const absl::MutexLock lock(&mutex_);
    counts_ = counts;
    return SecondsSince(began_);
  }

  // Returns the calls that counted.
  std::vector<Call> Stop() {
    const absl::MutexLock lock(&mutex_);
    stops_ = true;
    mutex_.Await(absl::Condition(this, &ClosedLoop::NobodyAsks));
    return std::move(calls_);
  }

  // Whether the client is to ask again at once.
  bool Note(size_t client, Call call) {
    const absl::MutexLock lock(&mutex_);
    has_ended_[client] = true;
    const Outcome outcome = call.answer.outcome;
    const double retry_delay_s = call.answer.retry_delay_s.value_or(kRetryDelayS);
    if (counts_ || outcome == Outcome::kFailed) calls_.push_back(std::move(call));
    if (stops_ || outcome == Outcome::kFailed) {
      ++resting_;
      return false;
    }
    if (outcome == Outcome::kAnswered) return true;
    waiting_.emplace(After(absl::Seconds(retry_delay_s)), client);
    return false;
  }

  bool EachHasEnded() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return std::find(has_ended_.begin(), has_ended_.end(), false) == has_ended_.end();
  }
  bool NobodyAsks() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return resting_ == clients_; }
  bool EnoughHaveEnded() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return calls_.size() >= clients_ || NobodyAsks();
  }

  Caller& caller_;
  const std::vector<Excerpt>& excerpts_;
  const LoadOptions& options_;
  const SteadyTime began_ = SteadyNow();
  const Order order_;
  const size_t clients_;
  std::atomic<size_t> begun_ = 0;  // calls
  absl::Mutex mutex_;
  // A call, whatever came of it, by client.
  std::vector<bool> has_ended_ ABSL_GUARDED_BY(mutex_);
  // Clients that were refused, by when they ask again.
  std::multimap<SteadyTime, size_t> waiting_ ABSL_GUARDED_BY(mutex_);
  bool counts_ ABSL_GUARDED_BY(mutex_) = false;
  bool stops_ ABSL_GUARDED_BY(mutex_) = false;
  size_t resting_ ABSL_GUARDED_BY(mutex_) = 0;       // clients that ask no more
  std::vector<Call> calls_ ABSL_GUARDED_BY(mutex_);  // that count
};

// What an open loop's calls came to, while they end.
class Ended {
 public:
  void Note(bool counts, Call call) {
    const absl::MutexLock lock(&mutex_);
    ++ended_;
    if (counts) calls_.push_back(std::move(call));
  }

  std::vector<Call> WaitFor(size_t calls) {
    const absl::MutexLock lock(&mutex_);
    const auto all = [this, calls]()
                         ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ended_ == calls; };
    mutex_.Await(absl::Condition(&all));
    return std::move(calls_);
  }

 private:
  absl::Mutex mutex_;
  size_t ended_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<Call> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

Load RunClosedLoop(Caller& caller, const std::vector<Excerpt>& excerpts,
                   const LoadOptions& options) {
  return ClosedLoop(caller, excerpts, options).Run();
}

Load RunOpenLoop(Caller& caller, const std::vector<Excerpt>& excerpts, Arrivals arrivals,
                 double rate, const LoadOptions& options) {
  const std::vector<double> due =
      DueTimes(arrivals, rate, options.warm_up_s + options.duration_s, options.seed);
  const Order order(excerpts.size(), options.seed);
  Ended ended;
  const SteadyTime began = SteadyNow();
  const auto sleep_until = [&began](double at_s) {
    std::this_thread::sleep_until(After(absl::Seconds(at_s), began));
  };
  // On a thread of its own: looking at a busy server takes time.
  std::thread looking([&] {
    sleep_until(options.warm_up_s);
    options.on_begin();
  });
  for (size_t i = 0; i < due.size(); ++i) {
    const bool counts = due[i] >= options.warm_up_s;
    sleep_until(due[i]);
    Call call;
    call.excerpt = order[i];
    call.due_s = due[i];
    call.sent_s = SecondsSince(began);
    caller.Identify(static_cast<int>(i) % caller.connections(), excerpts[call.excerpt].request,
                    [&, counts, call](Answer answer) mutable {
                      call.ended_s = SecondsSince(began);
                      call.answer = std::move(answer);
                      ended.Note(counts, std::move(call));
                    });
  }
  sleep_until(options.warm_up_s + options.duration_s);
  looking.join();
  Load load;
  load.calls = ended.WaitFor(due.size());
  load.seconds = SecondsSince(began) - options.warm_up_s;
  options.on_end();
  return load;
}

}  // namespace antiphon::bench
