#include "server/serving/reloader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace antiphon::server {
namespace {

TEST(Reloader, RequestsWhileOneIsUnderWayBecomeOneMore) {
  absl::Notification started, release;
  absl::Mutex mutex;
  std::vector<std::string> reasons;
  std::atomic<int> at_once = 0;
  std::atomic<bool> overlapped = false;
  {
    Reloader reloader([&](const std::string& why) {
      if (++at_once > 1) overlapped = true;
      bool first = false;
      {
        absl::MutexLock lock(&mutex);
        reasons.push_back(why);
        first = reasons.size() == 1;
      }
      if (first) {
        started.Notify();
        release.WaitForNotification();
      }
      --at_once;
    });
    reloader.Request("first");
    started.WaitForNotification();
    for (const char* why : {"second", "third", "last"}) reloader.Request(why);
    release.Notify();
    const auto two = [&] {
      absl::MutexLock lock(&mutex);
      return reasons.size() == 2;
    };
    while (!two()) absl::SleepFor(absl::Milliseconds(1));
    absl::SleepFor(absl::Milliseconds(20));
  }
  EXPECT_EQ(reasons, (std::vector<std::string>{"first", "last"}));
  EXPECT_FALSE(overlapped);
}

TEST(Reloader, BeginsNothingOnceStopped) {
  absl::Notification started, release;
  std::atomic<int> runs = 0;
  auto reloader = std::make_unique<Reloader>([&](const std::string&) {
    ++runs;
    started.Notify();
    release.WaitForNotification();
  });
  reloader->Request("one");
  started.WaitForNotification();
  reloader->Request("two");
  reloader->Stop();  // does not wait for the one under way
  release.Notify();
  reloader.reset();
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace antiphon::server
