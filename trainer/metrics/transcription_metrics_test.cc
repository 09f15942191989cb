#include "trainer/metrics/transcription_metrics.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace antiphon::trainer::metrics {
namespace {

using Notes = std::vector<HeardNote>;

const Notes kTruth = {{0, 1, 60}, {1, 2, 60}, {1, 2, 64}, {2.5, 2.6, 67}};

TEST(MatchNotesTest, TheSameNotesMatchInAnyOrder) {
  Notes found = kTruth;
  std::reverse(found.begin(), found.end());
  for (const bool offsets : {false, true}) {
    const MatchCounts counts = MatchNotes(kTruth, found, offsets);
    EXPECT_EQ(counts.hits, 4);
    EXPECT_EQ(counts.f1(), 1);
  }
}

TEST(MatchNotesTest, AnOnsetMayBeFiftyMillisecondsOff) {
  EXPECT_EQ(MatchNotes(kTruth, Notes{{0.05, 1, 60}}, false).hits, 1);
  EXPECT_EQ(MatchNotes(kTruth, Notes{{0.0502, 1, 60}}, false).hits, 0);
  EXPECT_EQ(MatchNotes(kTruth, Notes{{0, 1, 61}}, false).hits, 0);
}

TEST(MatchNotesTest, AnEndMayBeAFifthOfTheNoteOff) {
  EXPECT_EQ(MatchNotes(kTruth, Notes{{0, 1.2, 60}}, true).hits, 1);
  EXPECT_EQ(MatchNotes(kTruth, Notes{{0, 1.21, 60}}, true).hits, 0);
  EXPECT_EQ(MatchNotes(kTruth, Notes{{2.5, 2.65, 67}}, true).hits, 1) << "but no less than 50 ms";
}

TEST(MatchNotesTest, ANoteHasOnePartner) {
  const MatchCounts counts = MatchNotes(kTruth, Notes(5, {0, 1, 60}), false);
  EXPECT_EQ(counts.hits, 1);
  EXPECT_EQ(counts.extra, 4);
  EXPECT_EQ(counts.missed, 3);
}

TEST(MatchNotesTest, AsManyPairsAsCanBeAreMade) {
  // The first true note fits both that were found, the second only the first of them.
  const Notes truth = {{1.00, 2.0, 60}, {0.96, 1.1, 60}};
  const Notes found = {{1.00, 1.14, 60}, {1.02, 2.1, 60}};
  EXPECT_EQ(MatchNotes(truth, found, true).hits, 2);
  const Notes chain = {{0.00, 1, 60}, {0.04, 1, 60}, {0.08, 1, 60}};
  const Notes shifted = {{0.045, 1, 60}, {0.085, 1, 60}, {-0.005, 1, 60}};
  EXPECT_EQ(MatchNotes(chain, shifted, false).hits, 3);
}

TEST(MatchFramesTest, CountsHundredthsOfSecondsByPitch) {
  const MatchCounts counts = MatchFrames(Notes{{0, 1, 60}, {0, 1, 64}}, Notes{{0.5, 1.5, 60}});
  EXPECT_EQ(counts.hits, 50);
  EXPECT_EQ(counts.extra, 50);
  EXPECT_EQ(counts.missed, 150);
}

TEST(MatchFramesTest, APitchThatTwoNotesHoldSoundsOnce) {
  const MatchCounts counts =
      MatchFrames(Notes{{0, 1, 60}, {0.2, 0.8, 60}}, Notes{{0, 1, 60}, {0.5, 1, 60}});
  EXPECT_EQ(counts.hits, 100);
  EXPECT_EQ(counts.f1(), 1);
}

TEST(HeardNotesTest, EndWithThePedalOrWithTheKey) {
  music::Note note;
  note.onset_s = 1, note.offset_s = 2, note.sounding_offset_s = 3;
  EXPECT_EQ(HeardNotes({{note}}, true)[0].end_s, 3);
  EXPECT_EQ(HeardNotes({{note}}, false)[0].end_s, 2);
}

}  // namespace
}  // namespace antiphon::trainer::metrics
