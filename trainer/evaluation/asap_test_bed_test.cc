#include "trainer/evaluation/asap_test_bed.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/music/midi_file.h"

namespace antiphon::trainer {
namespace {

// A score with ten seconds of a tune, ten of something else and the tune again, played exactly as written.
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
  std::vector<Beat> beats;
  for (int i = 0; i <= 60; ++i) beats.push_back({0.5 * i, false});
  bed.beats = {*BeatMap::Create(beats, beats)};
  bed.entries = {{"tune", "Tune", "Nobody", *music::WriteMidi(score)}};
  return bed;
}

// Four seconds from the second on, found at this place of the score.
Outcome FoundAt(double reference_s) {
  Outcome outcome;
  outcome.excerpt = {0, 4, 2, 4};
  retrieval::Candidate candidate;
  candidate.query_s = 2;
  candidate.reference_s = reference_s;
  outcome.answer.candidates = {candidate};
  return outcome;
}

TEST(AsapTestBedTest, AWrongPlaceIsARepeatWhereTheNotesAreTheSame) {
  const AsapTestBed bed = TuneOtherTune();
  EXPECT_NEAR(PositionError(bed, FoundAt(4.1)).value(), 0.1, 1e-9);
  EXPECT_NEAR(PositionError(bed, FoundAt(24)).value(), 20, 1e-9);
  EXPECT_EQ(IsAtRepeat(bed, FoundAt(24)).value(), true);
  EXPECT_EQ(IsAtRepeat(bed, FoundAt(24.3)).value(), true);
  EXPECT_NEAR(PositionError(bed, FoundAt(14)).value(), 10, 1e-9);
  EXPECT_EQ(IsAtRepeat(bed, FoundAt(14)).value(), false);
}

TEST(AsapTestBedTest, WithoutTheScoreAmongTheCandidatesOrBeatsNothingIsKnown) {
  AsapTestBed bed = TuneOtherTune();
  Outcome outcome = FoundAt(4);
  outcome.answer.candidates.clear();
  EXPECT_TRUE(std::isinf(PositionError(bed, outcome).value()));
  EXPECT_EQ(IsAtRepeat(bed, outcome).value(), std::nullopt);
  bed.beats = {std::nullopt};
  EXPECT_EQ(PositionError(bed, FoundAt(4)), std::nullopt);
  EXPECT_EQ(IsAtRepeat(bed, FoundAt(4)).value(), std::nullopt);
}

}  // namespace
}  // namespace antiphon::trainer
