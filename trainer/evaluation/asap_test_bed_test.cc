#include "trainer/evaluation/asap_test_bed.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/music/midi_file.h"

namespace antiphon::trainer::evaluation {
namespace {

// A score with ten seconds of a tune, ten of something else and the tune again, played exactly as
// written.
AsapTestBed TuneOtherTune() {
  music::Score score;
  for (int i = 0; i < 60; ++i) {
    music::Note note;
    note.onset_s = 0.5 * i;
    note.offset_s = note.sounding_offset_s = note.onset_s + 0.4;
    const int in_part = i % 20, part = i / 20;
    note.pitch = part == 1 ? 80 - in_part : 50 + (in_part * 7) % 20;
    score.notes.push_back(note);
  }
  score.duration_s = 30;
  AsapTestBed bed;
  bed.asap.performances.resize(1);
  bed.sample = {0};
  std::vector<datasets::Beat> beats;
  for (int i = 0; i <= 60; ++i) beats.push_back({0.5 * i, false});
  bed.beats = {*datasets::BeatMap::Create(beats, beats)};
  bed.entries = {{"tune", "Tune", "Nobody", *music::WriteMidi(score)}};
  return bed;
}

// Four seconds from the second on, found at this place of the score.
datasets::Outcome FoundAt(double reference_s) {
  datasets::Outcome outcome;
  outcome.excerpt = {0, 4, 2, 4};
  matching::Candidate candidate;
  candidate.place.query_s = 2;
  candidate.place.reference_s = reference_s;
  outcome.answer.candidates = {candidate};
  return outcome;
}

TEST(AsapTestBedTest, AWrongPlaceIsARepeatWhereTheNotesAreTheSame) {
  const AsapTestBed bed = TuneOtherTune();
  const auto judge = [&bed](double reference_s) {
    return JudgePlace(bed, FoundAt(reference_s)).value().value();
  };
  EXPECT_NEAR(judge(4.1).error_s, 0.1, 1e-9);
  EXPECT_TRUE(judge(4.1).right());
  EXPECT_FALSE(judge(4.1).at_repeat);
  EXPECT_EQ(judge(4.1).repeats, 1);
  EXPECT_NEAR(judge(24).error_s, 20, 1e-9);
  EXPECT_FALSE(judge(24).right());
  EXPECT_TRUE(judge(24).at_repeat);
  EXPECT_TRUE(judge(24.3).at_repeat);
  EXPECT_NEAR(judge(14).error_s, 10, 1e-9);
  EXPECT_FALSE(judge(14).at_repeat);
}

TEST(AsapTestBedTest, WithoutTheScoreAmongTheCandidatesOrBeatsNothingIsKnown) {
  AsapTestBed bed = TuneOtherTune();
  datasets::Outcome outcome = FoundAt(4);
  outcome.answer.candidates.clear();
  const PlaceVerdict verdict = JudgePlace(bed, outcome).value().value();
  EXPECT_TRUE(std::isinf(verdict.error_s));
  EXPECT_FALSE(verdict.right());
  EXPECT_FALSE(verdict.at_repeat);
  bed.beats = {std::nullopt};
  EXPECT_EQ(JudgePlace(bed, FoundAt(4)).value(), std::nullopt);
}

}  // namespace
}  // namespace antiphon::trainer::evaluation
