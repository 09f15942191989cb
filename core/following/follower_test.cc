#include "core/following/follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "core/testing/played_score.h"

namespace antiphon::following {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::Field;
using ::testing::Not;

constexpr int kRate = 22050;

std::vector<FollowAnswer> Follow(const music::Score& score, const audio::Waveform& audio,
                                 size_t piece = 441, const FollowOptions& options = {}) {
  auto follower = ScoreFollower::Create(score, audio.sample_rate, options);
  EXPECT_TRUE(follower.ok()) << follower.status();
  std::vector<FollowAnswer> answers;
  for (size_t at = 0; at < audio.samples.size(); at += piece) {
    const auto got = (*follower)->Push(
        std::span(audio.samples).subspan(at, std::min(piece, audio.samples.size() - at)));
    answers.insert(answers.end(), got.begin(), got.end());
  }
  return answers;
}

// Of the answers from `from_s` to `to_s`: the share within `within_s` of `truth`.
template <typename Truth>
double ShareRight(const std::vector<FollowAnswer>& answers, double from_s, double to_s,
                  double within_s, const Truth& truth) {
  int right = 0, all = 0;
  for (const FollowAnswer& answer : answers) {
    if (answer.at_s < from_s || answer.at_s > to_s) continue;
    ++all;
    if (std::abs(answer.score_s - truth(answer.at_s)) <= within_s) ++right;
  }
  return all > 0 ? static_cast<double>(right) / all : 0;
}

TEST(ScoreFollower, FollowsAtAnotherTempoThanWritten) {
  const music::Score score = music::WanderingMelody(60, 0.25);
  const music::Score played = music::AtTempoRatio(score, 0.8);
  const auto answers = Follow(score, music::Play(played.notes, kRate, 1));
  EXPECT_GE(ShareRight(answers, 2, 18, 0.08, [](double at_s) { return 0.8 * (at_s - 1); }), 0.95);
  const auto late = std::find_if(answers.begin(), answers.end(),
                                 [](const FollowAnswer& answer) { return answer.at_s > 15; });
  EXPECT_NEAR(late->tempo_ratio, 0.8, 0.1);
  EXPECT_GT(late->probability, 0.7);
  EXPECT_NEAR(late->onset, 0.8 * (late->at_s - 1) / 0.25, 1.01);
}

TEST(ScoreFollower, AnswersAsOftenAsAsked) {
  const music::Score score = music::WanderingMelody(8, 0.25);
  const audio::Waveform audio = music::Play(score.notes, kRate);
  const auto answers = Follow(score, audio, 441, {.update_s = 0.05});
  EXPECT_NEAR(static_cast<double>(answers.size()), audio.duration_s() / 0.05, 1);
  EXPECT_NEAR(answers[9].at_s, 0.5, 1e-9);
}

TEST(ScoreFollower, AnswersDoNotDependOnHowTheSoundIsCut) {
  const music::Score score = music::WanderingMelody(20, 0.25);
  const audio::Waveform audio = music::Play(score.notes, kRate);
  const auto once = Follow(score, audio, audio.samples.size());
  const auto pieces = Follow(score, audio, 37);
  ASSERT_EQ(once.size(), pieces.size());
  for (size_t i = 0; i < once.size(); ++i) {
    EXPECT_EQ(once[i].score_s, pieces[i].score_s);
    EXPECT_EQ(once[i].probability, pieces[i].probability);
    EXPECT_EQ(once[i].event, pieces[i].event);
  }
}

TEST(ScoreFollower, TellsStartAndEndOnce) {
  const music::Score score = music::WanderingMelody(24, 0.25);
  const auto answers = Follow(score, music::Play(score.notes, kRate, 1.5));
  const auto count = [&](FollowEvent event) {
    return std::count_if(answers.begin(), answers.end(),
                         [&](const FollowAnswer& answer) { return answer.event == event; });
  };
  EXPECT_EQ(count(FollowEvent::kStarted), 1);
  EXPECT_EQ(count(FollowEvent::kEnded), 1);
  EXPECT_EQ(count(FollowEvent::kJumped), 0);
  for (const FollowAnswer& answer : answers) {
    if (answer.at_s < 1.4) EXPECT_EQ(answer.onset, -1) << answer.at_s;
    if (answer.event == FollowEvent::kStarted) EXPECT_NEAR(answer.at_s, 1.6, 0.21);
    if (answer.event == FollowEvent::kEnded) EXPECT_GT(answer.at_s, 7);
  }
}

TEST(ScoreFollower, WaitsWhereSomebodyPauses) {
  const music::Score score = music::WanderingMelody(40, 0.25);
  std::vector<music::Note> played = score.notes;
  for (music::Note& note : played) {
    if (note.onset_s < 4.9) continue;
    note.onset_s += 3;
    note.offset_s += 3;
  }
  const auto answers = Follow(score, music::Play(played, kRate));
  EXPECT_THAT(answers, Contains(Field(&FollowAnswer::event, FollowEvent::kWaiting)));
  EXPECT_GE(ShareRight(answers, 5.5, 7.8, 0.3, [](double) { return 4.9; }), 0.9);
  EXPECT_GE(ShareRight(answers, 9, 12, 0.1, [](double at_s) { return at_s - 3; }), 0.9);
}

TEST(ScoreFollower, FindsItsWayAfterAJumpBackToABar) {
  const music::Score score = music::WanderingMelody(120, 0.25);
  // Bars of two seconds: from second 20 back to second 6.
  std::vector<music::Note> played;
  for (const music::Note& note : score.notes) {
    if (note.onset_s < 19.9) played.push_back(note);
  }
  for (music::Note note : score.notes) {
    if (note.onset_s < 5.9) continue;
    note.onset_s += 14;
    note.offset_s += 14;
    played.push_back(note);
  }
  const auto answers = Follow(score, music::Play(played, kRate));
  EXPECT_THAT(answers, Contains(Field(&FollowAnswer::event, FollowEvent::kJumped)));
  EXPECT_GE(ShareRight(answers, 23, 40, 0.1, [](double at_s) { return at_s - 14; }), 0.9);
}

TEST(ScoreFollower, StartsWhereItIsTold) {
  const music::Score score = music::WanderingMelody(80, 0.25);
  const music::Score played = music::Excerpt(score, 10, 20);
  const auto answers = Follow(score, music::Play(played.notes, kRate, 1), 441, {.start_s = 10});
  EXPECT_NEAR(answers.front().score_s, 10, 0.01);
  EXPECT_GE(ShareRight(answers, 1.5, 9, 0.1, [](double at_s) { return at_s + 9; }), 0.9);
}

TEST(ScoreFollower, DoubtsWhatIsNotTheScore) {
  const music::Score score = music::WanderingMelody(80, 0.25);
  // Another melody, lower, at another pace.
  std::vector<music::Note> other;
  for (int i = 0; i < 60; ++i) {
    music::Note note;
    note.onset_s = i * 0.31;
    note.offset_s = note.onset_s + 0.25;
    note.pitch = 48 + i * 5 % 11;
    other.push_back(note);
  }
  double wrong = 0, right = 0;
  for (const FollowAnswer& answer : Follow(score, music::Play(other, kRate)))
    wrong += answer.at_s > 5 && answer.at_s < 15 ? answer.probability / 100 : 0;
  for (const FollowAnswer& answer : Follow(score, music::Play(score.notes, kRate)))
    right += answer.at_s > 5 && answer.at_s < 15 ? answer.probability / 100 : 0;
  EXPECT_LT(wrong, right - 0.2);
}

TEST(ScoreFollower, StaysAtTheBeginningInSilence) {
  const music::Score score = music::WanderingMelody(20, 0.25);
  audio::Waveform silence;
  silence.sample_rate = kRate;
  silence.samples.resize(10 * kRate);
  const auto answers = Follow(score, silence);
  EXPECT_EQ(answers.size(), 100u);
  EXPECT_THAT(answers, Each(Field(&FollowAnswer::onset, -1)));
  EXPECT_THAT(answers, Not(Contains(Field(&FollowAnswer::event, FollowEvent::kStarted))));
}

TEST(ScoreFollower, SurvivesAnySound) {
  const music::Score score = music::WanderingMelody(20, 0.25);
  std::mt19937 random(1);
  audio::Waveform audio;
  audio.sample_rate = kRate;
  const float infinity = std::numeric_limits<float>::infinity();
  for (int i = 0; i < 6 * kRate; ++i) {
    const float noise = std::uniform_real_distribution<float>(-1, 1)(random);
    audio.samples.push_back(i % 1000 == 0   ? std::nanf("")
                            : i % 1003 == 0 ? infinity
                            : i % 1007 == 0 ? std::numeric_limits<float>::max()
                                            : noise);
  }
  for (const FollowAnswer& answer : Follow(score, audio)) {
    EXPECT_TRUE(std::isfinite(answer.score_s));
    EXPECT_TRUE(answer.score_s >= 0 && answer.score_s <= 5);
    EXPECT_TRUE(answer.probability >= 0 && answer.probability <= 1);
    EXPECT_GT(answer.tempo_ratio, 0);
    EXPECT_TRUE(answer.onset >= -1 && answer.onset < 20);
  }
}

TEST(ScoreFollower, HearsAtEverySampleRate) {
  const music::Score score = music::WanderingMelody(24, 0.25);
  for (const int rate : {8000, 11025, 44100, 48000, 192'000}) {
    const auto answers = Follow(score, music::Play(score.notes, rate));
    EXPECT_GE(ShareRight(answers, 1, 5.5, 0.1, [](double at_s) { return at_s; }), 0.85) << rate;
  }
}

TEST(ScoreFollower, TakesTheSmallestScoreAndExtremeNotes) {
  music::Score score = music::Melody({0, 127}, 0.5);
  score.notes[0].sounding_offset_s = score.notes[0].offset_s = 10'000;
  const auto answers = Follow(score, music::Play(music::Melody({60, 62}, 0.5).notes, kRate));
  EXPECT_FALSE(answers.empty());
}

TEST(ScoreFollower, EmptyPushesAnswerNothing) {
  auto follower = ScoreFollower::Create(music::WanderingMelody(8, 0.25), kRate);
  ASSERT_TRUE(follower.ok());
  EXPECT_TRUE((*follower)->Push({}).empty());
  const auto last = (*follower)->Finish();
  ASSERT_EQ(last.size(), 1u);
  EXPECT_EQ(last[0].onset, -1);
}

TEST(ScoreFollower, RefusesWhatItCannotFollow) {
  const music::Score score = music::WanderingMelody(8, 0.25);
  EXPECT_EQ(ScoreFollower::Create(music::Score(), kRate).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ScoreFollower::Create(music::Melody({60}, 1), kRate).status().code(),
            absl::StatusCode::kInvalidArgument);
  for (const int rate : {0, 7999, 192'001}) {
    EXPECT_EQ(ScoreFollower::Create(score, rate).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  for (const double update_s : {0.0, 0.01, 1.1, std::nan("")}) {
    EXPECT_EQ(ScoreFollower::Create(score, kRate, {.update_s = update_s}).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(ScoreFollower::Create(score, kRate, {.start_s = -1}).status().code(),
            absl::StatusCode::kInvalidArgument);
  music::Score far = score;
  far.notes.back().onset_s = far.notes.back().offset_s = 1e9;
  EXPECT_EQ(ScoreFollower::Create(far, kRate).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace antiphon::following
