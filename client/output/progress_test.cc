#include "client/output/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace antiphon::client {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(ProgressTest, ShowsHowFarItIs) {
  std::ostringstream out;
  Progress progress(out, true);
  progress.Show(500, 1000, "a.mid");
  EXPECT_THAT(out.str(), HasSubstr("\r[###############...............] 500 of 1,000  a.mid"));
}

TEST(ProgressTest, DrawsSeldomButAlwaysTheEnd) {
  std::ostringstream out;
  Progress progress(out, true);
  for (int i = 0; i <= 1000; ++i) progress.Show(i, 1000, "");
  EXPECT_THAT(out.str(), HasSubstr("1,000 of 1,000"));
  EXPECT_LT(out.str().size(), 2000u);
}

TEST(ProgressTest, LeavesNothingBehind) {
  std::ostringstream out;
  {
    Progress progress(out, true);
    progress.Show(1, 1, std::string(500, 'x') + "\x1B[2J");
  }
  EXPECT_THAT(out.str(), Not(HasSubstr("\x1B")));
  EXPECT_EQ(out.str().substr(out.str().size() - 1), "\r");
  EXPECT_LT(out.str().size(), 300u) << "one line of a terminal";
}

TEST(ProgressTest, IsSilentWhereNobodyLooks) {
  std::ostringstream out;
  {
    Progress progress(out, false);
    progress.Show(1, 1, "done");
  }
  EXPECT_THAT(out.str(), IsEmpty());
}

}  // namespace
}  // namespace antiphon::client
