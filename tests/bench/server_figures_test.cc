#include "tests/bench/server_figures.h"

#include <gmock/gmock.h>
#include <unistd.h>

namespace antiphon::bench {
namespace {

using ::testing::Optional;

constexpr char kText[] =
    "# TYPE process_cpu_seconds_total counter\n"
    "process_cpu_seconds_total 12.5\n"
    "process_cpu_seconds_total_more 1\n"
    "antiphon_stage_seconds_sum{stage=\"encode\"} 3\n";

TEST(ServerFiguresTest, AMetricIsFoundByItsWholeName) {
  EXPECT_THAT(MetricOf(kText, "process_cpu_seconds_total"), Optional(12.5));
  EXPECT_EQ(MetricOf(kText, "process_cpu_seconds"), std::nullopt);
  EXPECT_EQ(MetricOf(kText, "antiphon_stage_seconds_sum"), std::nullopt);
}

TEST(ServerFiguresTest, AProcessOfThisMachineIsLookedAt) {
  const auto figures = LookAt({.metrics = "", .pid = getpid()});
  ASSERT_TRUE(figures.ok()) << figures.status();
  EXPECT_GE(figures->cpu_s.value(), 0);
  EXPECT_GT(figures->anonymous_bytes.value(), 0);
  EXPECT_GT(figures->resident_bytes.value(), figures->anonymous_bytes.value());
}

TEST(ServerFiguresTest, NothingIsKnownOfAPlaceThatIsNotNamed) {
  const auto figures = LookAt({});
  ASSERT_TRUE(figures.ok());
  EXPECT_EQ(figures->cpu_s, std::nullopt);
}

TEST(ServerFiguresTest, AServerThatIsNotThereIsAFailure) {
  EXPECT_TRUE(absl::IsUnavailable(LookAt({.metrics = "127.0.0.1:1", .pid = 0}).status()));
}

}  // namespace
}  // namespace antiphon::bench
