#include "trainer/evaluation/following/follow_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace antiphon::trainer::evaluation {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

FollowRun AnswersEvery(double step_s, double to_s, double (*score)(double)) {
  FollowRun run;
  for (int i = 1; i * step_s <= to_s; ++i) {
    following::FollowAnswer answer;
    answer.at_s = i * step_s;
    answer.score_s = score(answer.at_s);
    run.answers.push_back(answer);
    run.there_s.push_back(answer.at_s + 0.01);
  }
  return run;
}

TEST(PassagesOf, PutsOneAfterTheOtherWithoutAClick) {
  audio::Waveform performance;
  performance.sample_rate = 1000;
  for (int i = 0; i < 10'000; ++i) performance.samples.push_back(static_cast<float>(i) / 10'000.0f);
  const audio::Waveform audio = PassagesOf(performance, {{0, 0, 2}, {2, 8, 1}});
  ASSERT_EQ(audio.samples.size(), 3000u);
  EXPECT_EQ(audio.samples[1000], performance.samples[1000]);
  EXPECT_EQ(audio.samples[2500], performance.samples[8500]);
  EXPECT_EQ(audio.samples[1999], 0);
  EXPECT_EQ(audio.samples[2000], 0);
}

TEST(RecoveryTimes, CountsFromTheJumpUntilAnswersStayRight) {
  // Back from 10 to 2; the answers go on until 11.2, then know.
  const FollowedSound sound = {music::TimeMap(), {1, 9}, {{0, 0, 10}, {10, 2, 5}}};
  const FollowRun run =
      AnswersEvery(0.1, 15, [](double at_s) { return at_s < 11.15 ? at_s : at_s - 8; });
  EXPECT_THAT(RecoveryTimes(sound, run), ElementsAre(DoubleNear(1.2, 1e-6)));
}

TEST(RecoveryTimes, IsInfiniteWhereAnswersAreRightForAMomentOnly) {
  const FollowedSound sound = {music::TimeMap(), {1, 9}, {{0, 0, 10}, {10, 2, 5}}};
  const FollowRun run =
      AnswersEvery(0.1, 15, [](double at_s) { return at_s > 12 && at_s < 12.5 ? at_s - 8 : 0; });
  ASSERT_EQ(RecoveryTimes(sound, run).size(), 1u);
  EXPECT_TRUE(std::isinf(RecoveryTimes(sound, run)[0]));
}

TEST(Latencies, CountUntilTheAnswerThatHasTheNoteIsThere) {
  music::Score score;
  for (int i = 0; i < 3; ++i) {
    music::Note note;
    note.onset_s = i;
    note.offset_s = note.sounding_offset_s = i + 0.5;
    score.notes.push_back(note);
  }
  const FollowedSound sound = {music::TimeMap(), {1.0}, {{0, 0, 3}}};
  FollowRun run = AnswersEvery(0.1, 3, [](double at_s) { return at_s; });
  for (following::FollowAnswer& answer : run.answers) answer.onset = answer.at_s < 1.15 ? 0 : 1;
  EXPECT_THAT(Latencies(sound, run, score), ElementsAre(DoubleNear(0.21, 1e-6)));
}

}  // namespace
}  // namespace antiphon::trainer::evaluation
