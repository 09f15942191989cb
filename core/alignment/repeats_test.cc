#include "core/alignment/repeats.h"

#include <gtest/gtest.h>

namespace antiphon::alignment {
namespace {

// One note for each beat, of half a second.
std::vector<music::Note> Notes(const std::vector<int>& pitches) {
  std::vector<music::Note> notes;
  for (size_t i = 0; i < pitches.size(); ++i) {
    music::Note note;
    note.onset_s = 0.5 * static_cast<double>(i);
    note.offset_s = note.sounding_offset_s = note.onset_s + 0.4;
    note.pitch = pitches[i];
    if (pitches[i] > 0) notes.push_back(note);
  }
  return notes;
}

std::vector<uint64_t> Contents(const std::vector<int>& pitches) {
  std::vector<GridBeat> grid;
  for (size_t i = 0; i < pitches.size(); ++i)
    grid.push_back({0.5 * static_cast<double>(i), 1, true});
  return BeatContents(Notes(pitches), grid);
}

TEST(BeatContentsTest, LikeBeatsHaveLikeNumbers) {
  const std::vector<uint64_t> contents = Contents({60, 62, 60, 0, 64, 62});
  ASSERT_EQ(contents.size(), 6u);
  EXPECT_EQ(contents[0], contents[2]);
  EXPECT_EQ(contents[1], contents[5]);
  EXPECT_NE(contents[0], contents[1]);
  EXPECT_NE(contents[0], contents[4]);
  EXPECT_EQ(contents[3], 0u);
}

TEST(LatestTest, AJumpIsAtTheEndOfWhatIsAlike) {
  // 60 61 62 63, again, and then something else.
  const std::vector<uint64_t> contents = Contents({60, 61, 62, 63, 60, 61, 62, 63, 70, 71, 72});
  for (const int beat : {0, 1, 2, 3, 4}) {
    const Jump jump = Latest({beat, beat + 4}, 11, contents);
    EXPECT_EQ(jump.from, 4);
    EXPECT_EQ(jump.to, 8);
  }
  EXPECT_EQ(Latest({0, 4}, 7, contents).to, 6);  // not beyond the passage
}

TEST(EntryOfTest, SaysWhatAJumpIs) {
  const std::vector<uint64_t> contents = Contents({60, 61, 62, 63, 60, 61, 62, 63, 70, 71, 72});
  EXPECT_EQ(EntryOf({4, 8}, contents), Entry::kRepeatLeftOut);
  EXPECT_EQ(EntryOf({8, 4}, contents), Entry::kRepeatAdded);
  EXPECT_EQ(EntryOf({2, 5}, contents), Entry::kCut);
  EXPECT_EQ(EntryOf({8, 10}, contents), Entry::kCut);
}

}  // namespace
}  // namespace antiphon::alignment
