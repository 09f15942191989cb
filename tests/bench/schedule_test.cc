#include "tests/bench/schedule.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace antiphon::bench {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Lt;

TEST(ScheduleTest, EvenRequestsAreAsFarApartAsTheRateSays) {
  EXPECT_THAT(DueTimes(Arrivals::kEven, 4, 1, 1), ElementsAre(0, 0.25, 0.5, 0.75));
}

TEST(ScheduleTest, PoissonRequestsComeAtTheRateOnAverage) {
  const std::vector<double> due = DueTimes(Arrivals::kPoisson, 50, 200, 1);
  EXPECT_NEAR(static_cast<double>(due.size()), 10'000, 4 * 100);  // four standard deviations
  EXPECT_TRUE(std::is_sorted(due.begin(), due.end()));
  EXPECT_THAT(due, Each(AllOf(Ge(0), Lt(200))));
}

// The gaps of a Poisson process are exponential: a share of 1 - 1/e is shorter than the mean.
TEST(ScheduleTest, PoissonGapsAreExponential) {
  const std::vector<double> due = DueTimes(Arrivals::kPoisson, 50, 200, 2);
  int64_t shorter = 0;
  for (size_t i = 1; i < due.size(); ++i) shorter += due[i] - due[i - 1] < 1.0 / 50 ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(shorter) / static_cast<double>(due.size()), 0.632, 0.02);
}

TEST(ScheduleTest, TheSeedDecides) {
  EXPECT_EQ(DueTimes(Arrivals::kPoisson, 5, 10, 7), DueTimes(Arrivals::kPoisson, 5, 10, 7));
  EXPECT_NE(DueTimes(Arrivals::kPoisson, 5, 10, 7), DueTimes(Arrivals::kPoisson, 5, 10, 8));
}

}  // namespace
}  // namespace antiphon::bench
