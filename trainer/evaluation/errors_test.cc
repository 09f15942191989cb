#include "trainer/evaluation/errors.h"

#include <gtest/gtest.h>

namespace antiphon::trainer::evaluation {
namespace {

TEST(NotesWithinTest, KeepsWhatBeginsThereFromItsBeginningCutAtItsEnd) {
  std::vector<music::Note> notes;
  for (const double onset_s : {0.0, 2.0, 3.5, 5.0}) {
    music::Note note;
    note.onset_s = onset_s;
    note.offset_s = onset_s + 2;
    note.sounding_offset_s = onset_s + 4;
    notes.push_back(note);
  }
  const auto within = NotesWithin(notes, 2, 3);
  ASSERT_EQ(within.size(), 2u);
  EXPECT_DOUBLE_EQ(within[0].onset_s, 0);
  EXPECT_DOUBLE_EQ(within[0].offset_s, 2);
  EXPECT_DOUBLE_EQ(within[0].sounding_offset_s, 3);
  EXPECT_DOUBLE_EQ(within[1].onset_s, 1.5);
  EXPECT_DOUBLE_EQ(within[1].offset_s, 3);
}

}  // namespace
}  // namespace antiphon::trainer::evaluation
