#include "core/matching/stage_timer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <utility>
#include <vector>

namespace antiphon::matching {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(StageTimer, ReportsWhatWasBegunOnceWithTheSumOfItsTimes) {
  std::vector<std::pair<Stage, double>> reported;
  const RequestContext context{.keep_going = {},
                               .on_stage = [&](Stage s, double t) { reported.emplace_back(s, t); }};
  {
    StageTimer timer(context);
    const auto wait = [] {
      return std::this_thread::sleep_for(std::chrono::milliseconds(5)), absl::OkStatus();
    };
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(timer.Run(Stage::kEncode, wait).ok());
    EXPECT_FALSE(timer.Run(Stage::kSearch, [] { return absl::InternalError("no"); }).ok());
    EXPECT_TRUE(reported.empty());
  }
  EXPECT_THAT(reported, ElementsAre(Pair(Stage::kEncode, ::testing::Ge(0.015)),
                                    Pair(Stage::kSearch, ::testing::Ge(0))));
}

TEST(StageTimer, ARefusalToGoOnTakesThePlaceOfTheWork) {
  bool worked = false;
  const RequestContext context{.keep_going = [] { return absl::DeadlineExceededError("late"); },
                               .on_stage = [](Stage, double) { FAIL() << "nothing was begun"; }};
  StageTimer timer(context);
  EXPECT_EQ(timer.Run(Stage::kVote, [&] { return worked = true, absl::OkStatus(); }).code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(worked);
}

TEST(StageTimer, AnEmptyContextIsFine) {
  const RequestContext context;
  StageTimer timer(context);
  EXPECT_TRUE(timer.KeepGoing().ok());
  EXPECT_TRUE(timer.Run(Stage::kVote, [] { return absl::OkStatus(); }).ok());
}

}  // namespace
}  // namespace antiphon::matching
