#include "core/matching/stage_timer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <utility>
#include <vector>

namespace antiphon::retrieval {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(Stages, ReportsWhatWasBegunOnceWithTheSumOfItsTimes) {
  std::vector<std::pair<Stage, double>> reported;
  const RequestContext context{.keep_going = {},
                               .on_stage = [&](Stage s, double t) { reported.emplace_back(s, t); }};
  {
    Stages stages(context);
    const auto wait = [] {
      return std::this_thread::sleep_for(std::chrono::milliseconds(5)), absl::OkStatus();
    };
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(stages.Run(Stage::kEncode, wait).ok());
    EXPECT_FALSE(stages.Run(Stage::kSearch, [] { return absl::InternalError("no"); }).ok());
    EXPECT_TRUE(reported.empty());
  }
  EXPECT_THAT(reported, ElementsAre(Pair(Stage::kEncode, ::testing::Ge(0.015)),
                                    Pair(Stage::kSearch, ::testing::Ge(0))));
}

TEST(Stages, ARefusalToGoOnTakesThePlaceOfTheWork) {
  bool worked = false;
  const RequestContext context{.keep_going = [] { return absl::DeadlineExceededError("late"); },
                               .on_stage = [](Stage, double) { FAIL() << "nothing was begun"; }};
  Stages stages(context);
  EXPECT_EQ(stages.Run(Stage::kVote, [&] { return worked = true, absl::OkStatus(); }).code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(worked);
}

TEST(Stages, AnEmptyContextIsFine) {
  const RequestContext context;
  Stages stages(context);
  EXPECT_TRUE(stages.KeepGoing().ok());
  EXPECT_TRUE(stages.Run(Stage::kVote, [] { return absl::OkStatus(); }).ok());
}

}  // namespace
}  // namespace antiphon::retrieval
