#include "trainer/evaluation/alignment/structural_variants.h"

#include <gtest/gtest.h>

#include <cmath>

namespace antiphon::trainer::evaluation {
namespace {

constexpr int kRate = 1000;

// 48 bars of four beats, a second each; bars 12 to 23 are like bars 0 to 11.
music::Score Score() {
  music::Score score;
  score.tempo_map = *music::TempoMap::Create({{0, 0.25}}, {});
  for (int bar = 0; bar < 48; ++bar) {
    for (int beat = 0; beat < 4; ++beat) {
      music::Note note;
      note.pitch = 40 + (bar >= 12 && bar < 24 ? bar - 12 : bar) + (beat * 7) % 5;
      note.onset_s = bar + 0.25 * beat;
      note.offset_s = note.sounding_offset_s = note.onset_s + 0.2;
      score.notes.push_back(note);
    }
  }
  score.duration_s = 48;
  return score;
}

// Played at half the tempo; each sample is its own second.
audio::Waveform Sound() {
  audio::Waveform sound{{}, kRate};
  for (int i = 0; i < 96 * kRate; ++i) sound.samples.push_back(static_cast<float>(i) / kRate);
  return sound;
}

std::vector<music::TimePoint> Truth() {
  std::vector<music::TimePoint> truth;
  for (int i = 0; i <= 190; ++i) truth.push_back({0.5 * i, 0.25 * i});
  return truth;
}

std::optional<Variant> Make(VariantKind kind) {
  return MakeVariant(kind, Sound(), Score(), *music::TimeMap::Create(Truth()), Truth());
}

// The sound at a place of the truth is that of the place in the recording that it was made from.
void ExpectTrue(const Variant& variant) {
  for (const music::TimePoint& point : variant.truth) {
    const auto sample = static_cast<size_t>(std::lround((point.from_s + 0.05) * kRate));
    if (sample >= variant.sound.samples.size()) continue;
    EXPECT_NEAR(variant.sound.samples[sample], 2 * point.to_s + 0.05, 0.02);
  }
}

TEST(MakeVariantTest, ARepeatIsLeftOut) {
  const auto variant = Make(VariantKind::kRepeatLeftOut);
  ASSERT_TRUE(variant.has_value());
  EXPECT_EQ(variant->jump.from_s, 12);
  EXPECT_EQ(variant->jump.to_s, 24);
  EXPECT_NEAR(variant->sound.duration_s(), 96 - 24, 0.01);
  ExpectTrue(*variant);
}

TEST(MakeVariantTest, BarsAreCut) {
  const auto variant = Make(VariantKind::kCut);
  ASSERT_TRUE(variant.has_value());
  EXPECT_NEAR(variant->jump.to_s - variant->jump.from_s, 15, 1.01);
  EXPECT_LT(variant->sound.duration_s(), 70);
  ExpectTrue(*variant);
}

TEST(MakeVariantTest, BarsArePlayedTwice) {
  const auto variant = Make(VariantKind::kRepeatAdded);
  ASSERT_TRUE(variant.has_value());
  EXPECT_LT(variant->jump.to_s, variant->jump.from_s);
  EXPECT_GT(variant->sound.duration_s(), 120);
  EXPECT_GT(variant->truth.size(), Truth().size());
  ExpectTrue(*variant);
}

TEST(MakeVariantTest, WithoutARepeatNoneIsLeftOut) {
  music::Score score = Score();
  for (size_t i = 0; i < score.notes.size(); ++i) score.notes[i].pitch = 30 + (i * i) % 61;
  EXPECT_FALSE(MakeVariant(VariantKind::kRepeatLeftOut, Sound(), score,
                           *music::TimeMap::Create(Truth()), Truth())
                   .has_value());
}

alignment::Performance Performed(double from_s, double to_s) {
  alignment::Performance performance;
  performance.passages.resize(2);
  performance.passages[0].score_end_s = from_s;
  performance.passages[1].score_start_s = to_s;
  return performance;
}

TEST(TallyJumpsTest, RightIsTheBarOrOneThatIsLikeIt) {
  EXPECT_TRUE(TallyJumps(Performed(12, 24), Score(), {12, 24}).found);
  EXPECT_TRUE(TallyJumps(Performed(12.25, 24.25), Score(), {12, 24}).found);
  EXPECT_TRUE(TallyJumps(Performed(5, 17), Score(), {12, 24}).found);    // the bars are alike
  EXPECT_FALSE(TallyJumps(Performed(13, 25), Score(), {12, 24}).found);  // those are not
  EXPECT_FALSE(TallyJumps(Performed(12, 25), Score(), {12, 24}).found);
  EXPECT_EQ(TallyJumps(Performed(12, 25), Score(), {12, 24}).others, 1);
  EXPECT_EQ(TallyJumps(Performed(12, 24), Score(), {12, 24}).others, 0);
  EXPECT_FALSE(TallyJumps({}, Score(), {12, 24}).found);
}

}  // namespace
}  // namespace antiphon::trainer::evaluation
