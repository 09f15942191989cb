#include "trainer/data/overlap.h"

#include <gtest/gtest.h>

#include <random>

namespace antiphon::trainer::data {
namespace {

music::Score RandomMelody(uint64_t seed, int notes, int transposition = 0, double tempo = 1.0,
                          bool bass = false) {
  std::mt19937_64 random(seed);
  music::Score score;
  for (int i = 0; i < notes; ++i) {
    music::Note note;
    note.onset_s = 0.4 * i / tempo;
    note.offset_s = note.sounding_offset_s = note.onset_s + 0.3 / tempo;
    note.pitch = 60 + transposition + static_cast<int>(random() % 20);
    if (bass) {
      music::Note below = note;
      below.pitch = 40;
      score.notes.push_back(below);
    }
    score.notes.push_back(note);
  }
  return score;
}

TEST(OverlapTest, FindsAPieceInAnotherKeyTempoAndSetting) {
  const std::vector<OverlapPiece> measured = {{"original", MelodyShingles(RandomMelody(1, 200))},
                                              {"unlike", MelodyShingles(RandomMelody(2, 200))}};
  const std::vector<OverlapPiece> trained = {
      {"edition", MelodyShingles(RandomMelody(1, 150, 5, 1.3, true))},
      {"stranger", MelodyShingles(RandomMelody(3, 200))}};
  const auto overlaps = FindOverlaps(trained, measured, 8, 0.15);
  ASSERT_EQ(overlaps.size(), 1u);
  EXPECT_EQ(overlaps[0].trained, "edition");
  EXPECT_EQ(overlaps[0].measured, "original");
  EXPECT_DOUBLE_EQ(overlaps[0].share, 1.0);
}

TEST(OverlapTest, ScalesAndRepeatedNotesTellNothing) {
  music::Score scale;
  for (int i = 0; i < 60; ++i) {
    music::Note note;
    note.onset_s = 0.2 * i;
    note.offset_s = note.sounding_offset_s = note.onset_s + 0.2;
    note.pitch = 30 + i;
    scale.notes.push_back(note);
  }
  EXPECT_TRUE(MelodyShingles(scale).empty());
  EXPECT_TRUE(MelodyShingles(music::Score()).empty());
}

}  // namespace
}  // namespace antiphon::trainer::data
