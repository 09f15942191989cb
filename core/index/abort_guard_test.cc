#include "core/index/abort_guard.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <vector>

namespace antiphon::index {
namespace {

TEST(AbortGuardTest, AnAbortInsideIsSurvivedAgainAndAgain) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(RunsWithoutAbort([] { std::abort(); }));
    bool ran = false;
    EXPECT_TRUE(RunsWithoutAbort([&] { ran = true; }));
    EXPECT_TRUE(ran);
  }
}

TEST(AbortGuardTest, GuardsNestAndEachThreadHasItsOwn) {
  EXPECT_TRUE(RunsWithoutAbort([] { EXPECT_FALSE(RunsWithoutAbort([] { std::abort(); })); }));
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([i] {
      for (int n = 0; n < 50; ++n) {
        EXPECT_EQ(RunsWithoutAbort([&] {
                    if ((n + i) % 2 == 0) std::abort();
                  }),
                  (n + i) % 2 != 0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(AbortGuardTest, ExceptionsComeThroughAndEndTheGuard) {
  EXPECT_THROW((void)RunsWithoutAbort([] { throw std::runtime_error("no"); }), std::runtime_error);
  EXPECT_DEATH(std::abort(), "");
}

TEST(AbortGuardTest, OtherAbortsStillEndTheProcess) {
  EXPECT_TRUE(RunsWithoutAbort([] {}));
  EXPECT_EXIT(std::abort(), ::testing::KilledBySignal(SIGABRT), "");
  EXPECT_EXIT(std::thread([] { std::abort(); }).join(), ::testing::KilledBySignal(SIGABRT), "");
}

}  // namespace
}  // namespace antiphon::index
