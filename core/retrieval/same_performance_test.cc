#include "core/retrieval/same_performance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "core/music/score.h"
#include "core/testing/test_collection.h"

namespace antiphon::retrieval {
namespace {

using matching::Performance;

constexpr int kRate = 22050;

// A piece as somebody plays it, now ahead of the beat and now behind it.
audio::Waveform PlayedBy(uint64_t seed, double unevenness_s) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> off_s(0, unevenness_s);
  music::Score score = testing::RandomPiece(3, 30);
  double last_s = 0, moved_s = 0;
  for (music::Note& note : score.notes) {
    if (note.onset_s != last_s) moved_s = 0.9 * moved_s + off_s(random);
    last_s = note.onset_s;
    note.onset_s = std::max(0.0, note.onset_s + moved_s);
    note.offset_s = std::max(note.offset_s, note.onset_s + 0.05);
    note.sounding_offset_s = std::max(note.sounding_offset_s, note.offset_s);
  }
  return testing::Play(score);
}

audio::Waveform Part(const audio::Waveform& sound, double start_s, double length_s) {
  audio::Waveform part;
  part.sample_rate = sound.sample_rate;
  part.samples.assign(
      sound.samples.begin() + std::lround(start_s * sound.sample_rate),
      sound.samples.begin() + std::lround((start_s + length_s) * sound.sample_rate));
  return part;
}

matching::Match MatchOf(double length_s, double there_s, double slope = 1) {
  return {{0, length_s}, {there_s, there_s + length_s * slope}, slope};
}

Performance Compare(const audio::Waveform& query, const audio::Waveform& other,
                    const matching::Match& match) {
  const auto performance = ComparePerformances(query, other, match);
  EXPECT_TRUE(performance.ok()) << performance.status();
  return performance.value_or(Performance::kUnknown);
}

TEST(SamePerformanceTest, AnExcerptIsOfItsRecording) {
  const audio::Waveform recording = PlayedBy(1, 0.03);
  EXPECT_EQ(Compare(Part(recording, 8, 10), recording, MatchOf(10, 8)), Performance::kSame);
  // A match is known to a fraction of a second.
  EXPECT_EQ(Compare(Part(recording, 8, 10), recording, MatchOf(10, 8.4)), Performance::kSame);
  EXPECT_EQ(Compare(Part(recording, 8, 10), recording, MatchOf(10, 7.7)), Performance::kSame);
}

TEST(SamePerformanceTest, NoiseDoesNotMakeAnother) {
  const audio::Waveform recording = PlayedBy(1, 0.03);
  audio::Waveform noisy = Part(recording, 8, 10);
  double square = 0;
  for (const float sample : noisy.samples) square += static_cast<double>(sample) * sample;
  std::mt19937_64 random(4);
  std::normal_distribution<float> noise(
      0, static_cast<float>(0.5 * std::sqrt(square / static_cast<double>(noisy.samples.size()))));
  for (float& sample : noisy.samples) sample += noise(random);
  EXPECT_EQ(Compare(noisy, recording, MatchOf(10, 8)), Performance::kSame);
}

TEST(SamePerformanceTest, WhatIsPlayedFasterByAMachineIsTheSame) {
  const audio::Waveform recording = PlayedBy(1, 0.03);
  audio::Waveform faster;
  faster.sample_rate = kRate;
  for (double at = 8.0 * kRate; at < 18.5 * kRate; at += 1.05) {
    const auto index = static_cast<size_t>(at);
    const auto share = static_cast<float>(at - static_cast<double>(index));
    faster.samples.push_back((1 - share) * recording.samples[index] +
                             share * recording.samples[index + 1]);
  }
  EXPECT_EQ(Compare(faster, recording, MatchOf(10, 8, 1.05)), Performance::kSame);
}

TEST(SamePerformanceTest, AnotherPlayerIsAnother) {
  const audio::Waveform recording = PlayedBy(1, 0.03);
  for (const uint64_t player : {2, 3, 4}) {
    EXPECT_EQ(Compare(Part(PlayedBy(player, 0.03), 8, 10), recording, MatchOf(10, 8)),
              Performance::kOther);
  }
}

TEST(SamePerformanceTest, OtherMusicIsAnother) {
  const audio::Waveform recording = PlayedBy(1, 0.03);
  EXPECT_EQ(Compare(testing::Play(testing::RandomPiece(9, 12)), recording, MatchOf(10, 8)),
            Performance::kOther);
}

TEST(SamePerformanceTest, TooLittleIsUnknown) {
  const audio::Waveform recording = PlayedBy(1, 0.03);
  EXPECT_EQ(Compare(Part(recording, 8, 6), recording, MatchOf(6, 8)), Performance::kUnknown);
  EXPECT_EQ(Compare(Part(recording, 8, 10), recording, MatchOf(10, 28)), Performance::kUnknown)
      << "it ends before";
  audio::Waveform silence;
  silence.sample_rate = kRate;
  silence.samples.assign(size_t{10} * kRate, 0.0f);
  EXPECT_EQ(Compare(silence, recording, MatchOf(10, 8)), Performance::kUnknown);
  EXPECT_EQ(Compare({}, {}, {}), Performance::kUnknown);
}

TEST(SamePerformanceTest, SoundOfLowRatesIsCompared) {
  audio::Waveform recording = PlayedBy(1, 0.03);
  audio::Waveform low;
  low.sample_rate = 11025;
  for (size_t i = 0; i + 1 < recording.samples.size(); i += 2)
    low.samples.push_back((recording.samples[i] + recording.samples[i + 1]) / 2);
  EXPECT_EQ(Compare(Part(low, 8, 10), low, MatchOf(10, 8)), Performance::kSame);
}

}  // namespace
}  // namespace antiphon::retrieval
