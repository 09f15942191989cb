#include "core/alignment/performance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/status/status.h"
#include "core/alignment/alignment_test_util.h"

namespace antiphon::alignment {
namespace {

constexpr double kRight_s = 0.08;
constexpr double kBar_s = 2;  // four beats of half a second, as written

// Forty bars and a bit. `repeated`: bars 8 to 15 are those of 0 to 7.
music::Score MakeScore(uint64_t seed, bool repeated = false) {
  music::Score score;
  score.notes = RandomScore(40 * kBar_s, seed);
  if (repeated) {
    std::erase_if(score.notes, [](const music::Note& note) {
      return note.onset_s >= 8 * kBar_s && note.onset_s < 16 * kBar_s;
    });
    const std::vector<music::Note> notes = score.notes;
    for (music::Note note : notes) {
      if (note.onset_s >= 8 * kBar_s) continue;
      note.onset_s += 8 * kBar_s;
      note.offset_s += 8 * kBar_s;
      score.notes.push_back(note);
    }
  }
  std::sort(score.notes.begin(), score.notes.end(), [](const auto& a, const auto& b) {
    return a.onset_s != b.onset_s ? a.onset_s < b.onset_s : a.pitch < b.pitch;
  });
  for (music::Note& note : score.notes) {
    note.sounding_offset_s = note.offset_s;
    score.duration_s = std::max(score.duration_s, note.offset_s);
  }
  return score;
}

struct Stretch {
  double from_s = 0, to_s = 0;  // of the score
};

struct Played {
  features::FeatureSequence sound;
  // Where each note is in the score, and when it is heard.
  std::vector<music::TimePoint> truth;
};

// Stretches of a score one after the other, at changing tempi.
Played PlayStretches(const music::Score& score, const std::vector<Stretch>& stretches) {
  std::vector<music::Note> notes;
  Played played;
  double at_s = 0;
  for (const Stretch& stretch : stretches) {
    for (music::Note note : score.notes) {
      if (note.onset_s < stretch.from_s || note.onset_s >= stretch.to_s) continue;
      played.truth.push_back({note.onset_s - stretch.from_s + at_s, note.onset_s});
      note.onset_s += at_s - stretch.from_s;
      note.offset_s = std::min(note.offset_s, stretch.to_s) + at_s - stretch.from_s;
      notes.push_back(note);
    }
    at_s += stretch.to_s - stretch.from_s;
  }
  const music::TimeMap tempo = RandomTempo(at_s, 0.8, 3);
  for (music::TimePoint& point : played.truth) point.from_s = tempo.To(point.from_s);
  played.sound = Play(notes, tempo);
  return played;
}

double ShareRight(const Performance& performance, const Played& played) {
  int right = 0;
  for (const music::TimePoint& note : played.truth) {
    right += std::any_of(performance.passages.begin(), performance.passages.end(),
                         [&](const PlayedPassage& passage) {
                           return std::abs(passage.map.From(note.to_s) - note.from_s) < kRight_s;
                         });
  }
  return static_cast<double>(right) / static_cast<double>(played.truth.size());
}

TEST(AlignPerformanceTest, WhatIsPlayedAsWrittenIsOnePassage) {
  const music::Score score = MakeScore(1);
  const Played played = PlayStretches(score, {{0, 41 * kBar_s}});
  for (const bool jumps : {true, false}) {
    PerformanceOptions options;
    options.jumps = jumps;
    const auto performance = AlignPerformance(played.sound, kSettings, score, options);
    ASSERT_TRUE(performance.ok()) << performance.status();
    EXPECT_GT(performance->agreement, 0.9);
    ASSERT_EQ(performance->passages.size(), 1u);
    EXPECT_EQ(performance->passages[0].entry, Entry::kBegins);
    EXPECT_GT(ShareRight(*performance, played), 0.97);
    EXPECT_EQ(performance->notes.size(), score.notes.size());
  }
}

TEST(AlignPerformanceTest, NotesAndBeatsAreInOrderAndWithinTheSound) {
  const music::Score score = MakeScore(2);
  const Played played = PlayStretches(score, {{0, 20 * kBar_s}, {10 * kBar_s, 41 * kBar_s}});
  const auto performance = AlignPerformance(played.sound, kSettings, score);
  ASSERT_TRUE(performance.ok()) << performance.status();
  ASSERT_FALSE(performance->beats.empty());
  const double end_s = static_cast<double>(played.sound.frames()) / kSettings.frame_rate();
  for (size_t i = 1; i < performance->notes.size(); ++i)
    EXPECT_GE(performance->notes[i].onset_s, performance->notes[i - 1].onset_s);
  for (const PlayedNote& note : performance->notes) {
    EXPECT_GT(note.offset_s, note.onset_s);
    EXPECT_GE(note.onset_s, -kRight_s);
    EXPECT_LE(note.onset_s, end_s);
    EXPECT_TRUE(note.doubt >= 0 && note.doubt <= 1);
  }
  for (size_t i = 1; i < performance->beats.size(); ++i)
    EXPECT_GE(performance->beats[i].at_s, performance->beats[i - 1].at_s);
  for (const PlayedBeat& beat : performance->beats) EXPECT_GT(beat.beats_per_minute, 0);
  // Played at 0.8 to 1.6 times the 120 written.
  double mean = 0;
  for (const PlayedBeat& beat : performance->beats) mean += beat.beats_per_minute;
  mean /= static_cast<double>(performance->beats.size());
  EXPECT_GT(mean, 90);
  EXPECT_LT(mean, 200);
}

TEST(AlignPerformanceTest, TheBeatInWhichTheFirstNoteBeginsIsOne) {
  for (const double rest_s : {0.001, 0.2}) {
    music::Score score = MakeScore(5);
    for (music::Note& note : score.notes) {
      note.onset_s += rest_s;
      note.offset_s += rest_s;
      note.sounding_offset_s += rest_s;
    }
    const Played played = PlayStretches(score, {{0, 41 * kBar_s}});
    const auto performance = AlignPerformance(played.sound, kSettings, score);
    ASSERT_TRUE(performance.ok()) << performance.status();
    ASSERT_FALSE(performance->beats.empty());
    EXPECT_EQ(performance->beats[0].score_s, 0);
    EXPECT_NEAR(performance->beats[0].at_s, 0, kRight_s);
    EXPECT_GE(performance->beats[0].at_s, 0);
    EXPECT_GT(performance->beats[1].at_s, performance->beats[0].at_s);
  }
}

void ExpectJump(const Performance& performance, Entry entry, double from_s, double to_s) {
  ASSERT_EQ(performance.passages.size(), 2u);
  EXPECT_EQ(performance.passages[1].entry, entry);
  EXPECT_NEAR(performance.passages[0].score_end_s, from_s, 1e-6);
  EXPECT_NEAR(performance.passages[1].score_start_s, to_s, 1e-6);
  EXPECT_NEAR(performance.passages[0].end_s, performance.passages[1].start_s, 1e-6);
}

TEST(AlignPerformanceTest, FindsACut) {
  const music::Score score = MakeScore(3);
  const Played played = PlayStretches(score, {{0, 12 * kBar_s}, {25 * kBar_s, 41 * kBar_s}});
  const auto performance = AlignPerformance(played.sound, kSettings, score);
  ASSERT_TRUE(performance.ok()) << performance.status();
  ExpectJump(*performance, Entry::kCut, 12 * kBar_s, 25 * kBar_s);
  EXPECT_GT(ShareRight(*performance, played), 0.97);
  for (const PlayedNote& note : performance->notes) {
    const double onset_s = score.notes[note.note].onset_s;
    EXPECT_TRUE(onset_s < 12 * kBar_s || onset_s >= 25 * kBar_s);
  }
}

TEST(AlignPerformanceTest, FindsARepeatThatIsAdded) {
  const music::Score score = MakeScore(4);
  const Played played = PlayStretches(score, {{0, 20 * kBar_s}, {8 * kBar_s, 41 * kBar_s}});
  const auto performance = AlignPerformance(played.sound, kSettings, score);
  ASSERT_TRUE(performance.ok()) << performance.status();
  ExpectJump(*performance, Entry::kRepeatAdded, 20 * kBar_s, 8 * kBar_s);
  EXPECT_GT(ShareRight(*performance, played), 0.97);
}

TEST(AlignPerformanceTest, FindsARepeatThatIsLeftOut) {
  const music::Score score = MakeScore(5, true);
  const Played played = PlayStretches(score, {{0, 8 * kBar_s}, {16 * kBar_s, 41 * kBar_s}});
  const auto performance = AlignPerformance(played.sound, kSettings, score);
  ASSERT_TRUE(performance.ok()) << performance.status();
  ExpectJump(*performance, Entry::kRepeatLeftOut, 8 * kBar_s, 16 * kBar_s);
  EXPECT_GT(ShareRight(*performance, played), 0.97);
}

TEST(AlignPerformanceTest, FindsAnExcerptAnywhere) {
  const music::Score score = MakeScore(6);
  const Played played = PlayStretches(score, {{20.5 * kBar_s, 28 * kBar_s}});
  const auto performance = AlignPerformance(played.sound, kSettings, score);
  ASSERT_TRUE(performance.ok()) << performance.status();
  ASSERT_EQ(performance->passages.size(), 1u);
  EXPECT_NEAR(performance->passages[0].score_start_s, 20.5 * kBar_s, 0.5);
  EXPECT_NEAR(performance->passages[0].score_end_s, 28 * kBar_s, 2);
  EXPECT_GT(ShareRight(*performance, played), 0.9);
}

TEST(AlignPerformanceTest, OtherMusicIsRefused) {
  for (uint64_t seed = 10; seed < 14; ++seed) {
    const Played played = PlayStretches(MakeScore(seed), {{0, 30 * kBar_s}});
    const auto performance = AlignPerformance(played.sound, kSettings, MakeScore(seed + 100));
    ASSERT_TRUE(performance.ok()) << performance.status();
    EXPECT_LT(performance->agreement, kBelongTogether);
    EXPECT_TRUE(performance->passages.empty());
    EXPECT_TRUE(performance->notes.empty());
    EXPECT_TRUE(performance->beats.empty());
  }
}

TEST(AlignPerformanceTest, DoubtIsLargerWhereOtherMusicIsPlayed) {
  const music::Score score = MakeScore(7);
  music::Score other = score;
  // Eight bars in the middle are those of another score.
  const auto inside = [](const music::Note& note) {
    return note.onset_s >= 16 * kBar_s && note.onset_s < 24 * kBar_s;
  };
  std::erase_if(other.notes, inside);
  for (const music::Note& note : MakeScore(8).notes) {
    if (inside(note)) other.notes.push_back(note);
  }
  std::sort(other.notes.begin(), other.notes.end(),
            [](const auto& a, const auto& b) { return a.onset_s < b.onset_s; });
  const Played played = PlayStretches(other, {{0, 41 * kBar_s}});
  const auto performance = AlignPerformance(played.sound, kSettings, score);
  ASSERT_TRUE(performance.ok()) << performance.status();
  double doubt[2] = {}, count[2] = {};
  for (const PlayedBeat& beat : performance->beats) {
    const bool wrong = beat.score_s >= 17 * kBar_s && beat.score_s < 23 * kBar_s;
    doubt[wrong] += beat.doubt;
    ++count[wrong];
  }
  ASSERT_GT(count[0], 0);
  EXPECT_LT(doubt[0] / count[0], 0.3);
  if (count[1] > 0) EXPECT_GT(doubt[1] / count[1], 2 * doubt[0] / count[0]);
}

TEST(AlignPerformanceTest, LongSoundsAreRightWhereTheirSegmentsMeet) {
  music::Score score;
  score.notes = RandomScore(420, 23);
  score.duration_s = score.notes.back().offset_s;
  const Played played = PlayStretches(score, {{0, 420}});
  ASSERT_GT(played.truth.back().from_s, 250);  // two segments at least
  const auto performance = AlignPerformance(played.sound, kSettings, score);
  ASSERT_TRUE(performance.ok()) << performance.status();
  EXPECT_GT(ShareRight(*performance, played), 0.97);
}

TEST(AlignPerformanceTest, WhatIsPlayedMuchFasterIsNotLeftOut) {
  const music::Score score = MakeScore(24);
  const double from_s = 28 * kBar_s, end_s = 42 * kBar_s;
  const auto tempo = music::TimeMap::Create(
      {{0, 0}, {from_s, 1.2 * from_s}, {end_s, 1.2 * from_s + 0.6 * (end_s - from_s)}});
  ASSERT_TRUE(tempo.ok());
  Played played{Play(score.notes, *tempo), {}};
  for (const music::Note& note : score.notes)
    played.truth.push_back({tempo->To(note.onset_s), note.onset_s});
  const auto performance = AlignPerformance(played.sound, kSettings, score);
  ASSERT_TRUE(performance.ok()) << performance.status();
  EXPECT_EQ(performance->passages.size(), 1u);
  EXPECT_GT(ShareRight(*performance, played), 0.95);
}

TEST(AlignPerformanceTest, ScoresFarLongerThanTheSoundAskOften) {
  const Played played = PlayStretches(MakeScore(25), {{0, 6 * kBar_s}});
  music::Score score;
  score.notes = RandomScore(2000, 26);
  score.duration_s = score.notes.back().offset_s;
  int asked = 0, most = 1 << 20;
  PerformanceOptions options;
  options.check = [&]() -> absl::Status {
    return ++asked >= most ? absl::CancelledError("enough") : absl::OkStatus();
  };
  ASSERT_TRUE(AlignPerformance(played.sound, kSettings, score, options).ok());
  EXPECT_GT(asked, 60);
  for (const int last : {2, 30, asked}) {
    asked = 0;
    most = last;
    EXPECT_EQ(AlignPerformance(played.sound, kSettings, score, options).status().code(),
              absl::StatusCode::kCancelled);
    EXPECT_EQ(asked, last);
  }
}

TEST(AlignPerformanceTest, OnlyAPartMayBePlayed) {
  const music::Score score = MakeScore(9);
  const Played played = PlayStretches(score, {{10 * kBar_s, 30 * kBar_s}});
  PerformanceOptions options;
  options.score_start_s = 10 * kBar_s;
  options.score_end_s = 30 * kBar_s;
  const auto performance = AlignPerformance(played.sound, kSettings, score, options);
  ASSERT_TRUE(performance.ok()) << performance.status();
  EXPECT_GT(ShareRight(*performance, played), 0.97);
  for (const PlayedNote& note : performance->notes) {
    EXPECT_GE(score.notes[note.note].onset_s, options.score_start_s);
    EXPECT_LT(score.notes[note.note].onset_s, options.score_end_s);
  }
}

TEST(AlignPerformanceTest, WhatCannotBeAlignedIsRefusedByName) {
  const music::Score score = MakeScore(20);
  const Played played = PlayStretches(score, {{0, 10 * kBar_s}});
  const auto code = [&](const features::FeatureSequence& sound, const music::Score& other,
                        const PerformanceOptions& options = {}) {
    return AlignPerformance(sound, kSettings, other, options).status().code();
  };
  features::FeatureSequence silent = played.sound;
  std::fill(silent.cells.begin(), silent.cells.end(), 0);
  EXPECT_EQ(code(silent, score), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(code(played.sound, {}), absl::StatusCode::kFailedPrecondition);
  PerformanceOptions options;
  options.score_start_s = options.score_end_s = 5;
  EXPECT_EQ(code(played.sound, score, options), absl::StatusCode::kInvalidArgument);
  options = {};
  options.check = [] { return absl::DeadlineExceededError("late"); };
  EXPECT_EQ(code(played.sound, score, options), absl::StatusCode::kDeadlineExceeded);
  features::FeatureSequence empty = played.sound;
  empty.cells.clear();
  EXPECT_EQ(code(empty, score), absl::StatusCode::kInvalidArgument);
}

TEST(AlignPerformanceTest, LimitsAreEnforced) {
  music::Score score = MakeScore(21);
  const Played played = PlayStretches(score, {{0, 10 * kBar_s}});
  score.duration_s = kMaxScore_s + 1;
  EXPECT_EQ(AlignPerformance(played.sound, kSettings, score).status().code(),
            absl::StatusCode::kResourceExhausted);
  // Seven hours of a frame that sounds.
  features::FeatureSequence hours = played.sound;
  const auto frames = static_cast<int64_t>(7 * 3600 * kSettings.frame_rate());
  hours.cells.assign(frames * kSettings.bands, 100);
  EXPECT_EQ(AlignPerformance(hours, kSettings, MakeScore(21)).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(AlignPerformanceTest, ShortSoundsAreNoHarm) {
  const music::Score score = MakeScore(22);
  const Played played = PlayStretches(score, {{0, 10 * kBar_s}});
  for (const int frames : {2, 3, 5, 10, 40}) {
    features::FeatureSequence cut = played.sound;
    cut.cells.resize(frames * kSettings.bands);
    const auto performance = AlignPerformance(cut, kSettings, score);
    EXPECT_TRUE(performance.ok() || absl::IsFailedPrecondition(performance.status()))
        << performance.status();
  }
}

}  // namespace
}  // namespace antiphon::alignment
