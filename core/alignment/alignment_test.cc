#include "core/alignment/alignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/alignment/alignment_test_util.h"

namespace antiphon::alignment {
namespace {

using music::Note;
using music::TimeMap;

constexpr double kRight_s = 0.08;  // frames are 48 ms apart

// Share of the onsets within [from_s, to_s] of the performance that the map puts right, in both
// directions.
double ShareRight(const TimeMap& map, const std::vector<Note>& notes, const TimeMap& time,
                  double shift_s, double from_s, double to_s) {
  int right = 0;
  int all = 0;
  for (const Note& note : notes) {
    const double played_s = time.To(note.onset_s) + shift_s;
    if (played_s < from_s || played_s > to_s) continue;
    ++all;
    right += std::abs(map.From(note.onset_s) - played_s) < kRight_s &&
             std::abs(time.To(map.To(played_s)) + shift_s - played_s) < kRight_s;
  }
  EXPECT_GT(all, 5);
  return static_cast<double>(right) / all;
}

TEST(AlignToScoreTest, FollowsTempoChangesAtAnyMeanTempo) {
  for (const double slowest : {0.35, 0.6, 1.2}) {
    const std::vector<Note> notes = RandomScore(40, 1);
    const TimeMap time = RandomTempo(40, slowest, 2);
    const auto map = AlignToScore(Play(notes, time), kSettings, notes);
    ASSERT_TRUE(map.ok()) << map.status();
    EXPECT_GT(ShareRight(*map, notes, time, 0, 0, 1e9), 0.95) << slowest;
  }
}

TEST(AlignToScoreTest, PassesOverSilenceAtTheEnds) {
  const std::vector<Note> notes = RandomScore(30, 3);
  const TimeMap time = RandomTempo(30, 0.6, 4);
  features::FeatureSequence audio = Play(notes, time, 5);
  audio.cells.resize(audio.cells.size() + size_t{100} * kSettings.bands);
  const auto map = AlignToScore(audio, kSettings, notes);
  ASSERT_TRUE(map.ok()) << map.status();
  EXPECT_GT(ShareRight(*map, notes, time, 5, 0, 1e9), 0.95);
}

// Over several parts, so that no single chord decides.
TEST(AlignToScoreTest, AlignsPartsOfTheScoreWhoseEndsAreUncertain) {
  const std::vector<Note> notes = RandomScore(60, 5);
  const TimeMap time = RandomTempo(60, 0.7, 6);
  const features::FeatureSequence whole = Play(notes, time);
  double shares = 0;
  int parts = 0;
  for (const int from_s : {5, 12, 20, 30, 40}) {
    features::FeatureSequence audio = whole;
    const ptrdiff_t second = ptrdiff_t{21} * kSettings.bands;
    audio.cells.assign(whole.cells.begin() + from_s * second,
                       whole.cells.begin() + (from_s + 10) * second);
    for (const double wrong_s : {-0.8, 0.0, 0.8}) {
      AlignmentOptions options;
      options.score_start_s = time.From(from_s) + wrong_s;
      options.score_end_s = time.From(from_s + 10) + wrong_s;
      options.margin_s = 2;
      const auto map = AlignToScore(audio, kSettings, notes, options);
      ASSERT_TRUE(map.ok()) << map.status();
      shares += ShareRight(*map, notes, time, -from_s, 0.3, 9.7);
      ++parts;
    }
  }
  EXPECT_GT(shares / parts, 0.95);
}

TEST(AlignToScoreTest, TheScoresTempoAndOrderDoNotMatter) {
  const std::vector<Note> notes = RandomScore(30, 7);
  const TimeMap time = RandomTempo(30, 0.7, 8);
  const features::FeatureSequence audio = Play(notes, time);
  std::vector<Note> other = notes;
  for (Note& note : other) {
    note.onset_s *= 3;
    note.offset_s *= 3;
  }
  std::reverse(other.begin(), other.end());
  const auto map = AlignToScore(audio, kSettings, notes);
  const auto slow = AlignToScore(audio, kSettings, other);
  ASSERT_TRUE(map.ok() && slow.ok());
  for (double at = 0.5; at < 30; at += 0.5) EXPECT_NEAR(map->From(at), slow->From(3 * at), 0.03);
}

TEST(AlignToScoreTest, MapsAscendEvenWhereTheMusicIsAnother) {
  for (uint64_t seed = 10; seed < 15; ++seed) {
    const features::FeatureSequence audio = Play(RandomScore(20, seed), RandomTempo(20, 0.6, seed));
    const std::vector<Note> other = RandomScore(15, seed + 100);
    EXPECT_TRUE(AlignToScore(audio, kSettings, other).ok());
    AlignmentOptions options{5, 10, 2};
    const auto part = AlignToScore(audio, kSettings, other, options);
    EXPECT_TRUE(part.ok() || part.status().code() == absl::StatusCode::kFailedPrecondition)
        << part.status();
  }
}

TEST(AlignToScoreTest, ShortSoundsAreNoHarm) {
  const std::vector<Note> notes = RandomScore(10, 16);
  const features::FeatureSequence audio = Play(notes, TimeMap());
  for (const size_t frames : {2, 3, 5, 10}) {
    features::FeatureSequence cut = audio;
    cut.cells.resize(frames * kSettings.bands);
    for (const double margin_s : {0.0, 1.0}) {
      const auto map = AlignToScore(cut, kSettings, notes, {0, 1, margin_s});
      EXPECT_TRUE(map.ok() || map.status().code() == absl::StatusCode::kFailedPrecondition)
          << map.status();
    }
  }
}

TEST(AlignToScoreTest, WhatCannotBeAlignedIsRefused) {
  const std::vector<Note> notes = RandomScore(10, 20);
  const features::FeatureSequence audio = Play(notes, TimeMap());
  const auto code = [&](const features::FeatureSequence& s, std::span<const Note> n,
                        const AlignmentOptions& o,
                        const features::FeatureSettings& settings = kSettings) {
    return AlignToScore(s, settings, n, o).status().code();
  };
  features::FeatureSequence silent = audio;
  std::fill(silent.cells.begin(), silent.cells.end(), 0);
  features::FeatureSequence empty = audio;
  empty.cells.clear();
  EXPECT_EQ(code(silent, notes, {}), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(code(empty, notes, {}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(audio, {}, {}), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(code(audio, std::span(notes).first(1), {}), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(code(audio, notes, {5, 5, 0}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(audio, notes, {0, 5, -1}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(audio, notes, {100, 105, 1}), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(code(audio, notes, {}, features::DorferSettings()), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace antiphon::alignment
