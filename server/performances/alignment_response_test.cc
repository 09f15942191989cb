#include "server/performances/alignment_response.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace antiphon::server {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

// Two bars of 3/4 at 120 to the minute, a part for the upper note and none for the lower.
music::Score Waltz() {
  music::Score score;
  score.tempo_map = *music::TempoMap::Create({{0, 0.5}}, {{0, 3, 4}});
  score.parts = {{.name = "Flute", .track = 1, .channel = 2}};
  for (int i = 0; i < 6; ++i) {
    music::Note note;
    note.onset_s = 0.5 * i;
    note.offset_s = note.sounding_offset_s = 0.5 * (i + 1);
    note.pitch = 60 + i;
    if (i == 1) note.track = 1, note.channel = 2;
    score.notes.push_back(note);
  }
  score.duration_s = 3;
  return score;
}

alignment::Performance Played() {
  alignment::Performance played;
  played.agreement = 0.75;
  played.passages.resize(2);
  played.passages[0].start_s = 1;
  played.passages[0].end_s = 2;
  played.passages[0].score_end_s = 1.25;
  played.passages[1].entry = alignment::Entry::kRepeatAdded;
  played.passages[1].start_s = 2;
  played.passages[1].end_s = 5;
  played.passages[1].score_end_s = 99;  // beyond the score
  played.beats = {{.score_s = 0, .passage = 0, .at_s = 1, .beats_per_minute = 150, .doubt = 0.5},
                  {.score_s = 0.5, .passage = 0, .at_s = 1.4, .beats_per_minute = 150, .doubt = 0},
                  {.score_s = 1.5, .passage = 1, .at_s = 3, .beats_per_minute = 60, .doubt = 0.25}};
  played.notes = {{.note = 1, .passage = 0, .onset_s = 1.4, .offset_s = 1.9, .doubt = 0.125},
                  {.note = 3, .passage = 1, .onset_s = 3, .offset_s = 3.5, .doubt = 0}};
  return played;
}

TEST(AlignmentResponse, SaysWhenAndWhatIsPlayed) {
  v1::AlignResponse response;
  FillAlignment(Waltz(), Played(), 10, true, &response);
  EXPECT_EQ(response.agreement(), 0.75);
  ASSERT_THAT(response.passages(), SizeIs(2));
  const v1::AlignedPassage& first = response.passages(0);
  EXPECT_EQ(first.entry(), v1::PASSAGE_ENTRY_BEGINS);
  EXPECT_EQ(first.start_seconds(), 11);
  EXPECT_EQ(first.end_seconds(), 12);
  EXPECT_EQ(first.tempo_ratio(), 1.25);
  EXPECT_EQ(first.doubt(), 0.25) << "the mean of its beats'";
  const v1::AlignedPassage& second = response.passages(1);
  EXPECT_EQ(second.entry(), v1::PASSAGE_ENTRY_REPEAT_ADDED);
  EXPECT_EQ(second.doubt(), 0.25);
  EXPECT_EQ(second.reference_end().seconds(), 3) << "no place beyond the end";

  ASSERT_THAT(response.beats(), SizeIs(3));
  const v1::AlignedBeat& beat = response.beats(2);
  EXPECT_EQ(beat.seconds(), 13);
  EXPECT_EQ(beat.position().bar(), 2);
  EXPECT_EQ(beat.position().beat_in_bar(), 1);
  EXPECT_EQ(beat.beats_per_minute(), 60);
  EXPECT_EQ(beat.passage(), 1);

  ASSERT_THAT(response.notes(), SizeIs(2));
  const v1::AlignedNote& note = response.notes(0);
  EXPECT_EQ(note.onset_seconds(), 11.4);
  EXPECT_EQ(note.offset_seconds(), 11.9);
  EXPECT_EQ(note.pitch(), 61);
  EXPECT_EQ(note.part(), 0);
  EXPECT_EQ(note.score_seconds(), 0.5);
  EXPECT_EQ(note.score_beats(), 1);
  EXPECT_EQ(note.doubt(), 0.125);
  EXPECT_EQ(response.notes(1).part(), -1) << "of no part that has a name";
}

TEST(AlignmentResponse, NotesCanBeLeftOut) {
  v1::AlignResponse response;
  FillAlignment(Waltz(), Played(), 0, false, &response);
  EXPECT_THAT(response.notes(), IsEmpty());
  EXPECT_THAT(response.beats(), SizeIs(3));
}

TEST(AlignmentResponse, EveryEntryHasAName) {
  alignment::Performance played;
  for (const auto entry : {alignment::Entry::kBegins, alignment::Entry::kRepeatLeftOut,
                           alignment::Entry::kRepeatAdded, alignment::Entry::kCut})
    played.passages.push_back({.entry = entry, .map = {}});
  v1::AlignResponse response;
  FillAlignment(Waltz(), played, 0, true, &response);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(response.passages(i).entry(), i + 1);
}

}  // namespace
}  // namespace antiphon::server
