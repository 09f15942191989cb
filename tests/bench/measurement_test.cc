#include "tests/bench/measurement.h"

#include <gmock/gmock.h>

#include <numeric>

namespace antiphon::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

std::vector<double> OneTo(int last) {
  std::vector<double> values(last);
  std::iota(values.begin(), values.end(), 1);
  return values;
}

TEST(MeasurementTest, APercentileIsTheNearestRank) {
  EXPECT_EQ(Percentile(OneTo(10), 0.5), 5);
  EXPECT_EQ(Percentile(OneTo(10), 0.9), 9);
  EXPECT_EQ(Percentile(OneTo(10), 0.91), 10);
  EXPECT_EQ(Percentile(OneTo(1000), 0.99), 990);
  EXPECT_EQ(Percentile(OneTo(1000), 0.999), 999);
  EXPECT_EQ(Percentile(OneTo(10), 0), 1);
  EXPECT_EQ(Percentile(OneTo(1), 0.5), 1);
}

TEST(MeasurementTest, AHighPercentileOfFewIsTheLargest) {
  EXPECT_EQ(Percentile(OneTo(999), 0.999), 999);
}

TEST(MeasurementTest, TimesNeedNoOrder) {
  const Times times = Summarize({0.004, 0.001, 0.003, 0.002});
  EXPECT_EQ(times.count, 4);
  EXPECT_DOUBLE_EQ(times.mean_ms, 2.5);
  EXPECT_DOUBLE_EQ(times.p50_ms, 2);
  EXPECT_DOUBLE_EQ(times.max_ms, 4);
}

TEST(MeasurementTest, NoTimesAreZeros) { EXPECT_EQ(Summarize({}).max_ms, 0); }

Call CallOf(Outcome outcome, double due_s, double sent_s, double ended_s, std::string error = "") {
  Call call;
  call.due_s = due_s;
  call.sent_s = sent_s;
  call.ended_s = ended_s;
  call.answer.outcome = outcome;
  call.answer.error = std::move(error);
  return call;
}

// One of five seconds.
std::vector<Excerpt> Excerpts() {
  std::vector<Excerpt> excerpts(1);
  excerpts[0].length_s = 5;
  return excerpts;
}

TEST(MeasurementTest, ACallTakesFromWhenItWasDue) {
  const Load load{.calls = {CallOf(Outcome::kAnswered, 1, 3, 4)}, .seconds = 10};
  const Measurement measured = Measure(load, Excerpts());
  EXPECT_EQ(measured.answered.p50_ms, 3000);
  EXPECT_EQ(measured.send_delay.p50_ms, 2000);
}

TEST(MeasurementTest, RefusedAndFailedCallsAreCountedApart) {
  const Load load{
      .calls = {CallOf(Outcome::kAnswered, 0, 0, 2), CallOf(Outcome::kRefused, 0, 0, 0.5, "full"),
                CallOf(Outcome::kFailed, 0, 0, 9, "gone"),
                CallOf(Outcome::kFailed, 0, 0, 7, "gone")},
      .seconds = 10};
  const Measurement measured = Measure(load, Excerpts());
  EXPECT_EQ(measured.answered.count, 1);
  EXPECT_EQ(measured.answered.max_ms, 2000);
  EXPECT_EQ(measured.refused.count, 1);
  EXPECT_EQ(measured.refused.max_ms, 500);
  EXPECT_EQ(measured.failed.count, 2);
  EXPECT_EQ(measured.failed.p50_ms, 7000);
  EXPECT_EQ(measured.failed.max_ms, 9000);
  EXPECT_THAT(measured.errors, ElementsAre(Pair("full", 1), Pair("gone", 2)));
  EXPECT_DOUBLE_EQ(measured.calls_per_s, 0.1);
  EXPECT_DOUBLE_EQ(measured.sound_s_per_s, 0.5);
}

TEST(MeasurementTest, StagesAreThoseThatTheServerTells) {
  Call call = CallOf(Outcome::kAnswered, 0, 0, 1);
  v1::ResponseInfo* info = call.answer.response.mutable_info();
  info->set_total_seconds(0.5);
  v1::StageTiming* timing = info->add_stages();
  timing->set_stage(v1::STAGE_ENCODE);
  timing->set_seconds(0.25);
  const Measurement measured = Measure({.calls = {call}, .seconds = 1}, Excerpts());
  EXPECT_EQ(measured.server.p50_ms, 500);
  ASSERT_EQ(measured.stages.count("encode"), 1);
  EXPECT_EQ(measured.stages.at("encode").mean_ms, 250);
}

}  // namespace
}  // namespace antiphon::bench
