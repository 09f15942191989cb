#include "trainer/evaluation/following/followed_sound.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace antiphon::trainer::evaluation {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Field;

music::Note NoteAt(double onset_s, int pitch) {
  music::Note note;
  note.onset_s = onset_s;
  note.offset_s = note.sounding_offset_s = onset_s + 0.1;
  note.pitch = pitch;
  return note;
}

TEST(MatchNotes, TakesTheNearestOfThePitchOnce) {
  const std::vector<music::Note> written = {NoteAt(0, 60), NoteAt(1, 60), NoteAt(2, 64)};
  const std::vector<music::Note> played = {NoteAt(0.1, 60), NoteAt(0.15, 60), NoteAt(1.9, 65),
                                           NoteAt(2.5, 64)};
  EXPECT_THAT(MatchNotes(played, written, music::TimeMap(), 0.2),
              ElementsAre(testing::AllOf(Field(&HeardNote::sound_s, 0.1),
                                         Field(&HeardNote::score_s, 0.0))));
}

TEST(MatchNotes, MeasuresTheToleranceInThePerformance) {
  // Played at half the tempo: second 4 of the performance is second 2 of the score.
  const std::vector<music::Note> written = {NoteAt(2, 60)};
  const std::vector<music::Note> played = {NoteAt(4.19, 60)};
  EXPECT_EQ(MatchNotes(played, written, music::TimeMap(0.5), 0.2).size(), 1u);
  EXPECT_EQ(MatchNotes(played, written, music::TimeMap(0.5), 0.18).size(), 0u);
}

TEST(MapThroughNotes, PutsAChordWhereItsMiddleNoteIs) {
  const std::vector<HeardNote> notes = {{1.00, 0}, {1.02, 0}, {1.30, 0}, {2, 1}};
  const absl::StatusOr<music::TimeMap> map = MapThroughNotes(notes);
  ASSERT_TRUE(map.ok());
  EXPECT_DOUBLE_EQ(map->From(0), 1.02);
  EXPECT_DOUBLE_EQ(map->To(2), 1);
}

TEST(MapThroughNotes, RefusesASinglePlace) {
  const std::vector<HeardNote> notes = {{1.00, 0}, {1.02, 0}};
  EXPECT_FALSE(MapThroughNotes(notes).ok());
}

following::FollowAnswer Answer(double at_s, double score_s) {
  following::FollowAnswer answer;
  answer.at_s = at_s;
  answer.score_s = score_s;
  return answer;
}

TEST(MeasureNotes, TakesTheFirstAnswerAfterEachOnsetInSecondsOfThePerformance) {
  // The score runs twice as fast as the performance.
  const FollowedSound sound = {music::TimeMap(2.0), {0.5, 1.0, 3.0}, {{0, 0, 10}}};
  const std::vector<following::FollowAnswer> answers = {Answer(0.4, 0), Answer(0.6, 1.4),
                                                        Answer(1.0, 1.8)};
  const std::vector<NoteError> errors = MeasureNotes(sound, answers);
  EXPECT_THAT(errors, ElementsAre(Field(&NoteError::error_s, DoubleNear(0.1, 1e-9)),
                                  Field(&NoteError::error_s, DoubleNear(-0.1, 1e-9))));
}

TEST(MeasureNotes, KnowsWhichPassageIsPlayed) {
  // Five seconds, then the second from 2 on again.
  const FollowedSound sound = {music::TimeMap(), {2.0, 4.95}, {{0, 0, 5}, {5, 2, 1}}};
  const std::vector<following::FollowAnswer> answers = {Answer(2.1, 2.1), Answer(5.05, 2.25)};
  const std::vector<NoteError> errors = MeasureNotes(sound, answers);
  EXPECT_THAT(errors, ElementsAre(Field(&NoteError::error_s, DoubleNear(0, 1e-9)),
                                  Field(&NoteError::error_s, DoubleNear(0.2, 1e-9)),
                                  Field(&NoteError::error_s, DoubleNear(0.2, 1e-9))));
}

}  // namespace
}  // namespace antiphon::trainer::evaluation
