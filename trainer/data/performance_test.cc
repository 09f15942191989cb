#include "trainer/data/performance.h"

#include <gtest/gtest.h>

#include <cmath>

namespace antiphon::trainer {
namespace {

music::Score ScaleScore() {
  music::Score score;
  for (int i = 0; i < 32; ++i) {
    music::Note note;
    note.onset_s = 0.5 * i;
    note.offset_s = note.onset_s + 0.4;
    note.sounding_offset_s = note.onset_s + 0.8;
    note.pitch = 60 + i % 12;
    score.notes.push_back(note);
  }
  score.duration_s = 17;
  return score;
}

TEST(PerformanceTest, APlainVariationPlaysWhatIsWritten) {
  const music::Score score = ScaleScore();
  const auto notes = Perform(score, VariationOptions(), PlainVariation("a.sf2"));
  ASSERT_EQ(notes.size(), score.notes.size());
  for (size_t i = 0; i < notes.size(); ++i) {
    EXPECT_DOUBLE_EQ(notes[i].onset_s, score.notes[i].onset_s);
    EXPECT_DOUBLE_EQ(notes[i].sounding_offset_s, score.notes[i].sounding_offset_s);
    EXPECT_EQ(notes[i].velocity, score.notes[i].velocity);
  }
}

TEST(PerformanceTest, EqualSeedsGiveEqualVariationsAndOthersDiffer) {
  const std::vector<std::string> soundfonts = {"a.sf2", "b.sf2", "c.sf2"};
  const Variation one = DrawVariation(VariationOptions(), soundfonts, 7);
  const Variation same = DrawVariation(VariationOptions(), soundfonts, 7);
  const Variation other = DrawVariation(VariationOptions(), soundfonts, 8);
  EXPECT_EQ(one.soundfont, same.soundfont);
  EXPECT_EQ(one.tempo_ratio, same.tempo_ratio);
  EXPECT_EQ(one.note_seed, same.note_seed);
  EXPECT_NE(one.tempo_ratio, other.tempo_ratio);
}

TEST(PerformanceTest, TempiFillTheirRangeEvenlyOnALogarithmicScale) {
  const VariationOptions options;
  double sum = 0;
  constexpr int kDraws = 2000;
  for (int seed = 0; seed < kDraws; ++seed) {
    const double ratio = DrawVariation(options, {"a.sf2"}, seed).tempo_ratio;
    EXPECT_GE(ratio, options.min_tempo_ratio);
    EXPECT_LE(ratio, options.max_tempo_ratio);
    sum += std::log(ratio);
  }
  EXPECT_NEAR(sum / kDraws, 0.5 * std::log(options.min_tempo_ratio * options.max_tempo_ratio), 0.03);
}

TEST(PerformanceTest, TempoScalesAllTimesAndNotesStayWithinTheirDeviation) {
  const music::Score score = ScaleScore();
  VariationOptions options;
  options.onset_deviation_s = 0.008;
  Variation variation = DrawVariation(options, {"a.sf2"}, 3);
  variation.tempo_ratio = 2;
  const auto notes = Perform(score, options, variation);
  double largest = 0;
  for (size_t i = 0; i < notes.size(); ++i) {  // half a second apart, so that their order is the same
    largest = std::max(largest, std::abs(notes[i].onset_s - score.notes[i].onset_s / 2));
    EXPECT_NEAR(notes[i].offset_s - notes[i].onset_s, 0.2, 1e-9);
    EXPECT_NEAR(notes[i].sounding_offset_s - notes[i].onset_s, 0.4, 1e-9);
    EXPECT_GE(notes[i].velocity, 1);
    EXPECT_LE(notes[i].velocity, 127);
  }
  EXPECT_GT(largest, 0.001);
  EXPECT_LT(largest, 5 * options.onset_deviation_s);
}

}  // namespace
}  // namespace antiphon::trainer
