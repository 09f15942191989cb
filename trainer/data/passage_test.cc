#include "trainer/data/passage.h"

#include <vector>

#include "gtest/gtest.h"

namespace antiphon::trainer::data {
namespace {

music::Note At(double onset_s, int pitch) {
  music::Note note;
  note.onset_s = onset_s;
  note.offset_s = note.sounding_offset_s = onset_s + 0.5;
  note.pitch = pitch;
  return note;
}

// A passage at 10 s and again at 20 s, with a stray note between.
const std::vector<music::Note> kNotes = {At(9.5, 60),  At(10, 64),     At(10.5, 67), At(15, 72),
                                         At(19.5, 60), At(20.001, 64), At(20.5, 67)};

TEST(HashPassage, RepeatsAreEqualUpToTheGrid) {
  EXPECT_EQ(HashPassage(kNotes, 10, 1, 0.02), HashPassage(kNotes, 20, 1, 0.02));
  EXPECT_NE(HashPassage(kNotes, 10, 1, 0.0005), HashPassage(kNotes, 20, 1, 0.0005));
}

TEST(HashPassage, OnlyWhatIsWithinReachCounts) {
  EXPECT_NE(HashPassage(kNotes, 10, 1, 0.02), HashPassage(kNotes, 10, 0.4, 0.02));
  EXPECT_NE(HashPassage(kNotes, 10, 6, 0.02), HashPassage(kNotes, 20, 6, 0.02))
      << "the stray note tells them apart";
  EXPECT_EQ(HashPassage(kNotes, 12, 0.5, 0.02), HashPassage({}, 0, 1, 0.02))
      << "nothing is nothing everywhere";
}

TEST(HashPassage, PitchCounts) {
  std::vector<music::Note> other = kNotes;
  other[1].pitch = 65;
  EXPECT_NE(HashPassage(kNotes, 10, 1, 0.02), HashPassage(other, 10, 1, 0.02));
}

}  // namespace
}  // namespace antiphon::trainer::data
