#include "trainer/data/performance.h"

#include <gtest/gtest.h>

#include <cmath>

namespace antiphon::trainer::data {
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
  const auto notes = Perform(score, VariationOptions(), PlainVariation("a.sf2")).notes;
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
  EXPECT_NEAR(sum / kDraws, 0.5 * std::log(options.min_tempo_ratio * options.max_tempo_ratio),
              0.03);
}

TEST(PerformanceTest, AMechanicalPerformanceKeepsStrictlyToItsTempo) {
  const music::Score score = ScaleScore();
  Variation variation = DrawVariation(VariationOptions(), {"a.sf2"}, 3);
  variation.expressive = false;
  variation.tempo_ratio = 2;
  const Performance performance = Perform(score, VariationOptions(), variation);
  ASSERT_EQ(performance.notes.size(), score.notes.size());
  EXPECT_DOUBLE_EQ(performance.time.To(8), 4);
  bool other_velocity = false;
  for (size_t i = 0; i < score.notes.size(); ++i) {
    EXPECT_DOUBLE_EQ(performance.notes[i].onset_s, score.notes[i].onset_s / 2);
    EXPECT_NEAR(performance.notes[i].offset_s - performance.notes[i].onset_s, 0.2, 1e-9);
    EXPECT_NEAR(performance.notes[i].sounding_offset_s - performance.notes[i].onset_s, 0.4, 1e-9);
    EXPECT_GE(performance.notes[i].velocity, 1);
    EXPECT_LE(performance.notes[i].velocity, 127);
    other_velocity |= performance.notes[i].velocity != score.notes[i].velocity;
  }
  EXPECT_TRUE(other_velocity);
}

Performance Expressive(const music::Score& score, const VariationOptions& options, uint64_t seed) {
  Variation variation = DrawVariation(options, {"a.sf2"}, seed);
  variation.expressive = true;
  return Perform(score, options, variation);
}

// What is written sounds near where the time map says, whatever the tempo does there.
TEST(PerformanceTest, AnExpressivePerformanceStaysNearItsTimeMap) {
  const music::Score score = ScaleScore();
  VariationOptions options;
  options.max_slip_share = 0;
  bool bent = false;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Performance performance = Expressive(score, options, seed);
    ASSERT_EQ(performance.notes.size(), score.notes.size());
    const double tempo = 16 / performance.time.To(16);
    for (size_t i = 0; i < score.notes.size(); ++i) {
      const double written_s = score.notes[i].onset_s;
      EXPECT_NEAR(performance.notes[i].onset_s, performance.time.To(written_s),
                  5 * options.max_onset_deviation_s);
      EXPECT_GT(performance.notes[i].offset_s, performance.notes[i].onset_s);
      EXPECT_GE(performance.notes[i].sounding_offset_s, performance.notes[i].offset_s);
      bent |= std::abs(performance.time.To(written_s) - written_s / tempo) > 0.3;
    }
  }
  EXPECT_TRUE(bent);
}

TEST(PerformanceTest, SlipsLeaveOutAndAddAsManyNotesAsTheirShareSays) {
  music::Score score = ScaleScore();
  for (int copy = 1; copy < 40; ++copy) {
    for (int i = 0; i < 32; ++i) {
      score.notes.push_back(score.notes[i]);
      for (double* time_s : {&score.notes.back().onset_s, &score.notes.back().offset_s,
                             &score.notes.back().sounding_offset_s}) {
        *time_s += 16.0 * copy;
      }
    }
  }
  VariationOptions options;
  options.max_slip_share = 0.3;
  double played = 0, written = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    played += static_cast<double>(Expressive(score, options, seed).notes.size());
    written += static_cast<double>(score.notes.size());
  }
  // A share of 0.15 on average is left out, a sixth as many are graced.
  EXPECT_NEAR(played / written, 1 - 0.15 * 5 / 6, 0.05);
}

TEST(PerformanceTest, AChordIsStruckTogetherUnlessBroken) {
  music::Score score;
  for (int i = 0; i < 4; ++i) {
    score.notes.push_back(
        {.onset_s = 1, .offset_s = 2, .sounding_offset_s = 2, .pitch = 48 + 5 * i});
  }
  VariationOptions options;
  options.max_onset_deviation_s = options.hand_deviation_s = options.max_slip_share = 0;
  int together = 0, ascending = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    options.max_arpeggio_share = 1;
    const auto notes = Expressive(score, options, seed).notes;
    const double spread_s = notes.back().onset_s - notes.front().onset_s;
    together += spread_s == 0;
    ascending += spread_s > 0 && notes.front().pitch == 48 && notes.back().pitch == 63;
  }
  EXPECT_EQ(together + ascending, 200);
  EXPECT_NEAR(ascending, 100, 35);
}

}  // namespace
}  // namespace antiphon::trainer::data
