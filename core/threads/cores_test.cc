#include "core/threads/cores.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace antiphon::threads {
namespace {

// Control groups /a and /a/b below a folder of its own.
class CoresTest : public ::testing::Test {
 protected:
  CoresTest() { std::filesystem::create_directories(mount_ + "/a/b"); }
  ~CoresTest() override { std::filesystem::remove_all(mount_); }

  void Limit(const std::string& group, const std::string& cpu_max) {
    std::ofstream(mount_ + group + "/cpu.max") << cpu_max << "\n";
  }

  const std::string mount_ = testing::TempDir() + "/cores_test." + std::to_string(getpid());
};

TEST_F(CoresTest, WithoutAQuotaAllThatAreAllowedCount) {
  EXPECT_EQ(CoresWithin(6, mount_, "0::/a/b\n"), 6);
  Limit("/a/b", "max 100000");
  EXPECT_EQ(CoresWithin(6, mount_, "0::/a/b\n"), 6);
  EXPECT_EQ(CoresWithin(6, mount_ + "/nowhere", ""), 6);
}

TEST_F(CoresTest, AQuotaIsRoundedUp) {
  Limit("/a/b", "200000 100000");
  EXPECT_EQ(CoresWithin(6, mount_, "0::/a/b\n"), 2);
  Limit("/a/b", "210000 100000");
  EXPECT_EQ(CoresWithin(6, mount_, "0::/a/b\n"), 3);
  Limit("/a/b", "5000 100000");
  EXPECT_EQ(CoresWithin(6, mount_, "0::/a/b\n"), 1);
  Limit("/a/b", "100000000 1");
  EXPECT_EQ(CoresWithin(6, mount_, "0::/a/b\n"), 6);
}

TEST_F(CoresTest, TheQuotasOfGroupsAboveHoldToo) {
  Limit("/a/b", "400000 100000");
  Limit("/a", "300000 100000");
  EXPECT_EQ(CoresWithin(6, mount_, "0::/a/b\n"), 3);
  Limit("", "100000 100000");
  EXPECT_EQ(CoresWithin(6, mount_, "0::/a/b\n"), 1);
}

// As a container has it, and as a machine with both versions says it.
TEST_F(CoresTest, TheGroupIsFoundInWhatTheKernelSays) {
  Limit("", "200000 100000");
  EXPECT_EQ(CoresWithin(6, mount_, "0::/\n"), 2);
  Limit("/a", "100000 100000");
  EXPECT_EQ(CoresWithin(6, mount_, "4:cpu,cpuacct:/\n1:name=systemd:/b\n0::/a\n"), 1);
}

TEST_F(CoresTest, ControlGroupsOfVersion1AreRead) {
  const auto limit = [this](const std::string& group, int quota) {
    std::filesystem::create_directories(mount_ + "/cpu" + group);
    std::ofstream(mount_ + "/cpu" + group + "/cpu.cfs_quota_us") << quota << "\n";
    std::ofstream(mount_ + "/cpu" + group + "/cpu.cfs_period_us") << 100000 << "\n";
  };
  limit("", -1);
  limit("/docker", 250000);
  const std::string membership = "5:cpuset:/x\n4:cpu,cpuacct:/docker/abc\n3:cpuacct:/y\n";
  EXPECT_EQ(CoresWithin(6, mount_, membership), 3);
  limit("/docker/abc", 100000);
  EXPECT_EQ(CoresWithin(6, mount_, membership), 1);
  limit("", 400000);  // as a container sees its own
  EXPECT_EQ(CoresWithin(6, mount_, "4:cpuacct,cpu:/docker/elsewhere\n"), 3);
  EXPECT_EQ(CoresWithin(6, mount_, "4:cpu:/elsewhere\n"), 4);
}

TEST_F(CoresTest, NonsenseLimitsNothing) {
  for (const char* nonsense : {"", "-1 100000", "100000", "100000 0", "many few", "0 0"}) {
    Limit("", nonsense);
    EXPECT_EQ(CoresWithin(6, mount_, "0::/\n"), 6) << nonsense;
  }
  EXPECT_EQ(CoresWithin(6, mount_, "0::no/slash\n\n0::"), 6);
  EXPECT_EQ(CoresWithin(0, mount_, ""), 1);
}

TEST(CoresOfTheProcessTest, AreNoMoreThanItMayRunOn) {
  cpu_set_t one;
  CPU_ZERO(&one);
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(Cores(), 1);
}

}  // namespace
}  // namespace antiphon::threads
