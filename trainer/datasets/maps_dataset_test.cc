#include "trainer/datasets/maps_dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace antiphon::trainer::datasets {
namespace {

TEST(MapsTest, ThePieceIsTheNameWithoutTheRoom) {
  EXPECT_EQ(PieceOfMapsName("mz_311_1_ENSTDkCl"), "mz_311_1");
  EXPECT_EQ(PieceOfMapsName("chpn-e01_ENSTDkCl"), "chpn-e01");
}

TEST(MapsTest, ReadsNotesInOrder) {
  const auto notes = ParseNoteList(
      "# onset,offset,note,velocity\n1.5,2.5,62.000000,74\n0.25,0.5,50,60\r\n0.25,0.5,40,61\n");
  ASSERT_TRUE(notes.ok()) << notes.status();
  ASSERT_EQ(notes->size(), 3u);
  EXPECT_EQ((*notes)[0].pitch, 40);
  EXPECT_EQ((*notes)[1].velocity, 60);
  EXPECT_EQ((*notes)[2].onset_s, 1.5);
  EXPECT_EQ((*notes)[2].pitch, 62);
}

TEST(MapsTest, ALineThatIsNoNoteIsNamed) {
  for (const char* line : {"1,2,3\n", "1,2,3,4,5\n", "1,2,x,4\n"}) {
    EXPECT_THAT(std::string(ParseNoteList(std::string("#\n") + line).status().message()),
                ::testing::HasSubstr("line 2"))
        << line;
  }
}

std::vector<music::Note> Tune(double tempo, double start_s, int first_pitch) {
  std::vector<music::Note> notes;
  for (int i = 0; i < 50; ++i) {
    music::Note note;
    note.onset_s = start_s + i * 0.5 / tempo;
    note.pitch = first_pitch + (i * i) % 7;
    notes.push_back(note);
  }
  return notes;
}

TEST(MapsTest, LikenessIgnoresStartAndTempo) {
  EXPECT_DOUBLE_EQ(NoteLikeness(Tune(1, 0, 60), Tune(1.3, 5, 60)), 1);
  EXPECT_LT(NoteLikeness(Tune(1, 0, 60), Tune(1, 0, 80)), 0.1);
  EXPECT_EQ(NoteLikeness({}, Tune(1, 0, 60)), 0);
}

}  // namespace
}  // namespace antiphon::trainer::datasets
