#include "server/runtime/descriptor_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace antiphon::server {
namespace {

TEST(DescriptorLimit, IsRaisedAsFarAsItMay) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit low = {64, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  const int64_t raised = RaiseDescriptorLimit();
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(raised, static_cast<int64_t>(limit.rlim_cur));
  EXPECT_GT(raised, 64);
  EXPECT_EQ(RaiseDescriptorLimit(), raised) << "there is nothing more to raise";
}

TEST(DescriptorLimit, LeavesRoom) {
  EXPECT_EQ(ReservedDescriptors(128), 32);
  EXPECT_EQ(ReservedDescriptors(1024), 128);
  EXPECT_EQ(ReservedDescriptors(1 << 20), 512);
  EXPECT_EQ(ReservedDescriptors(10), 10);
}

}  // namespace
}  // namespace antiphon::server
