#include "trainer/metrics/error_kinds.h"

#include <gtest/gtest.h>

#include <set>

namespace antiphon::trainer::metrics {
namespace {

std::vector<Onset> Melody(int from_pitch, int seed = 0, size_t count = 20) {
  std::vector<Onset> onsets;
  for (size_t i = 0; i < count; ++i) {
    onsets.push_back({0.5 * static_cast<double>(i),
                      from_pitch + static_cast<int>((i * (7 + seed) + i * i) % 11)});
  }
  return onsets;
}

ErrorEvidence Plain() {
  ErrorEvidence evidence;
  evidence.played = Melody(60);
  evidence.named = Melody(20);
  evidence.written = Melody(60);
  evidence.tempo_ratio = 1.0;
  return evidence;
}

TEST(ErrorKindsTest, NothingSpecialIsTheNetworks) {
  EXPECT_EQ(KindOf(Plain()), ErrorKind::kNetwork);
}

TEST(ErrorKindsTest, SameNotesOctavesAndTranspositionsAreTold) {
  ErrorEvidence evidence = Plain();
  evidence.named = Melody(60);
  EXPECT_EQ(KindOf(evidence), ErrorKind::kSameNotes);
  evidence.named = Melody(72);
  EXPECT_EQ(KindOf(evidence), ErrorKind::kOctave);
  evidence.named = Melody(36);
  EXPECT_EQ(KindOf(evidence), ErrorKind::kOctave);
  evidence.named = Melody(65);
  EXPECT_EQ(KindOf(evidence), ErrorKind::kTransposed);
}

TEST(ErrorKindsTest, WhatIsNotItsScoreIsAnOrnamentOrAWrongLabel) {
  ErrorEvidence evidence = Plain();
  evidence.written = Melody(100);
  EXPECT_EQ(KindOf(evidence), ErrorKind::kOrnament);
  evidence.named = Melody(60);
  EXPECT_EQ(KindOf(evidence), ErrorKind::kWrongLabel);
}

TEST(ErrorKindsTest, TempoAndRoomAndFewNotes) {
  ErrorEvidence evidence = Plain();
  evidence.tempo_ratio = 2.5;
  EXPECT_EQ(KindOf(evidence), ErrorKind::kTempo);
  evidence.tempo_ratio = 1;
  evidence.right_when_plain = true;
  EXPECT_EQ(KindOf(evidence), ErrorKind::kRoom);
  evidence.played.resize(3);
  EXPECT_EQ(KindOf(evidence), ErrorKind::kFewNotes);
}

TEST(ErrorKindsTest, AnAnswerThatNamesNothingIsJudgedToo) {
  ErrorEvidence evidence = Plain();
  evidence.named.clear();
  EXPECT_EQ(KindOf(evidence), ErrorKind::kNetwork);
}

TEST(ErrorKindsTest, EveryKindHasANameOfItsOwn) {
  std::set<std::string> names;
  for (const ErrorKind kind : AllKinds()) names.insert(KindName(kind));
  EXPECT_EQ(names.size(), AllKinds().size());
  EXPECT_FALSE(names.contains(""));
}

}  // namespace
}  // namespace antiphon::trainer::metrics
