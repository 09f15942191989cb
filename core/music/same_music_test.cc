#include "core/music/same_music.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace antiphon::music {
namespace {

// Chords of one to four notes, an onset every 0.2 to 0.6 s.
Score RandomMusic(unsigned seed, double length_s = 30) {
  std::mt19937 random(seed);
  Score score;
  for (double onset_s = 0; onset_s < length_s;) {
    const int notes = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < notes; ++i) {
      const int pitch = 48 + static_cast<int>(random() % 36);
      score.notes.push_back({onset_s, onset_s + 0.3, onset_s + 0.3, pitch});
    }
    onset_s += 0.2 + 0.1 * static_cast<double>(random() % 5);
  }
  score.duration_s = length_s;
  return score;
}

// Heard from 10 s of the query on, at `ratio` times its tempo, from `start_s` to `end_s` of it.
HeardPassage Heard(double start_s, double end_s, double ratio = 1, double at_s = 10) {
  return {{at_s, start_s}, {at_s + (end_s - start_s) / ratio, end_s}};
}

Agreement Compare(const Score& first, const HeardPassage& in_first, const Score& second,
                  const HeardPassage& in_second) {
  const auto a = OnsetsHeard(first, std::vector<HeardPassage>{in_first});
  const auto b = OnsetsHeard(second, std::vector<HeardPassage>{in_second});
  return CompareOnsets(a, b);
}

TEST(OnsetsHeard, AreWhatIsStruckTogetherInOrderOfTheQuery) {
  Score score;
  score.notes = {{1.0, 2, 2, 60}, {1.02, 2, 2, 76}, {1.5, 2, 2, 67}, {3.0, 4, 4, 61}};
  // The query hears 2.5 to 3.5 s first, then the beginning, at half the tempo.
  const std::vector<HeardPassage> passages = {{{0, 2.5}, {2, 3.5}}, {{2, 0}, {6, 2}}};
  const std::vector<Onset> onsets = OnsetsHeard(score, passages);
  ASSERT_EQ(onsets.size(), 3u);
  EXPECT_EQ(onsets[0].pitch_classes, 1u << 1);
  EXPECT_DOUBLE_EQ(onsets[0].heard_s, 1);
  EXPECT_EQ(onsets[1].pitch_classes, 1u << 0 | 1u << 4);
  EXPECT_DOUBLE_EQ(onsets[1].heard_s, 4);
  EXPECT_EQ(onsets[2].passage, 1);
}

TEST(SameMusic, ACopyAgreesWhollyAtAnyTempo) {
  const Score score = RandomMusic(1);
  const Score slower = AtTempoRatio(score, 0.6);
  const Agreement agreement =
      Compare(score, Heard(5, 15), slower, Heard(5 / 0.6, 15 / 0.6, 1 / 0.6));
  EXPECT_GT(agreement.first, 0.95);
  EXPECT_GT(agreement.second, 0.95);
  EXPECT_LT(agreement.first_by_chance, 0.6);
  EXPECT_TRUE(IsSameMusic(agreement));
}

TEST(SameMusic, PlacesMayBeOffByHalfASecond) {
  const Score score = RandomMusic(2);
  EXPECT_TRUE(IsSameMusic(Compare(score, Heard(5, 15), score, Heard(5.5, 15.5))));
}

TEST(SameMusic, OctavesAndOrnamentsAreTheSameMusic) {
  const Score score = RandomMusic(3);
  Score other = score;
  std::mt19937 random(4);
  for (const Note& note : score.notes) {
    Note octave = note;
    octave.pitch -= 12;
    other.notes.push_back(octave);
    if (random() % 4 != 0) continue;
    for (int i = 1; i <= 2; ++i) {  // a mordent, after the note
      Note ornament = note;
      ornament.onset_s += 0.07 * i;
      ornament.pitch += 2 * (i % 2);
      other.notes.push_back(ornament);
    }
  }
  std::sort(other.notes.begin(), other.notes.end(),
            [](const Note& a, const Note& b) { return a.onset_s < b.onset_s; });
  EXPECT_TRUE(IsSameMusic(Compare(score, Heard(5, 15), other, Heard(5, 15))));
}

TEST(SameMusic, OneHandIsPartOfTheWhole) {
  Score score = RandomMusic(5);
  Score hand = score;
  std::erase_if(hand.notes, [](const Note& note) { return note.pitch < 66; });
  const Agreement agreement = Compare(score, Heard(5, 15), hand, Heard(5, 15));
  EXPECT_GT(agreement.second, 0.95);
  EXPECT_LT(agreement.first, 0.75);
  EXPECT_TRUE(IsSameMusic(agreement));
}

TEST(SameMusic, OtherMusicOfTheSameTextureIsNot) {
  for (unsigned seed = 10; seed < 40; ++seed) {
    EXPECT_FALSE(IsSameMusic(
        Compare(RandomMusic(seed), Heard(5, 15), RandomMusic(seed + 100), Heard(5, 15))))
        << seed;
  }
}

TEST(SameMusic, AnotherKeyIsNot) {
  const Score score = RandomMusic(6);
  EXPECT_FALSE(IsSameMusic(Compare(score, Heard(5, 15), Transposed(score, 7), Heard(5, 15))));
}

TEST(SameMusic, AFewNotesProveNothing) {
  const Score score = RandomMusic(7);
  EXPECT_FALSE(IsSameMusic(Compare(score, Heard(5, 6.5), score, Heard(5, 6.5))));
  EXPECT_FALSE(IsSameMusic(CompareOnsets({}, {})));
}

TEST(SameMusic, OnlyWhereBothAreHeardCounts) {
  // The second is heard in the last five seconds of the query only.
  const Score score = RandomMusic(8);
  const Agreement agreement = Compare(score, Heard(5, 15), score, Heard(10, 20, 1, 15));
  EXPECT_NEAR(agreement.heard_s, 5, 1.5);
  EXPECT_TRUE(IsSameMusic(agreement));
}

}  // namespace
}  // namespace antiphon::music
