#include "server/telemetry/process_stats.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <ctime>
#include <thread>
#include <vector>

namespace antiphon::server {
namespace {

TEST(ProcessStats, FollowsMemory) {
  const ProcessStats before = ReadProcessStats();
  EXPECT_GT(before.resident_bytes, 1 << 20);
  EXPECT_GE(before.virtual_bytes, before.resident_bytes);
  const std::vector<char> ballast(64 << 20, 1);
  EXPECT_GT(ReadProcessStats().resident_bytes, before.resident_bytes + (32 << 20))
      << ballast.size();
}

TEST(ProcessStats, FollowsDescriptorsAndThreads) {
  const ProcessStats before = ReadProcessStats();
  EXPECT_GT(before.open_descriptors, 0);
  EXPECT_GT(before.max_descriptors, before.open_descriptors);
  const int descriptor = open("/dev/null", O_RDONLY);
  EXPECT_EQ(ReadProcessStats().open_descriptors, before.open_descriptors + 1);
  close(descriptor);
  EXPECT_EQ(ReadProcessStats().open_descriptors, before.open_descriptors);
  int threads = 0;
  std::thread([&] { threads = ReadProcessStats().threads; }).join();
  EXPECT_EQ(threads, before.threads + 1);
}

TEST(ProcessStats, TellsWhenItBeganAndWhatItUsed) {
  const ProcessStats before = ReadProcessStats();
  EXPECT_NEAR(before.start_time_s, static_cast<double>(std::time(nullptr)), 120);
  const std::clock_t begun = std::clock();
  while (std::clock() - begun < CLOCKS_PER_SEC / 5) {
  }
  EXPECT_GT(ReadProcessStats().cpu_s, before.cpu_s + 0.1);
}

}  // namespace
}  // namespace antiphon::server
