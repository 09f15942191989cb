#include "trainer/evaluation/rendered_passages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "trainer/data/split.h"

namespace antiphon::trainer::evaluation {
namespace {

std::vector<std::string> Ids() {
  std::vector<std::string> ids;
  for (int i = 0; i < 200; ++i) ids.push_back(absl::StrCat("songs/a.b/song ", i, ".mxl"));
  return ids;
}

bool Holds(const std::vector<int>& places, int place) {
  return std::find(places.begin(), places.end(), place) != places.end();
}

TEST(DrawWorksTest, PlaysTheTestPartAndListsEverything) {
  const std::vector<std::string> ids = Ids();
  const DrawnWorks drawn = DrawWorks(ids, 0, 0, 1);
  EXPECT_EQ(drawn.listed.size(), ids.size());
  for (int i = 0; i < std::ssize(ids); ++i) {
    EXPECT_EQ(Holds(drawn.played, i),
              data::Split::ByHash().PartOf(absl::StrCat("song ", i)) == data::Part::kTest)
        << "by the name of the file, which may hold a full stop";
  }
}

TEST(DrawWorksTest, ALimitedCatalogueHoldsWhatIsPlayed) {
  const std::vector<std::string> ids = Ids();
  const DrawnWorks drawn = DrawWorks(ids, 5, 20, 1);
  EXPECT_EQ(drawn.played.size(), 5u);
  EXPECT_EQ(drawn.listed.size(), 20u);
  for (const int place : drawn.played) EXPECT_TRUE(Holds(drawn.listed, place));
  EXPECT_TRUE(std::is_sorted(drawn.listed.begin(), drawn.listed.end()));
  EXPECT_EQ(DrawWorks(ids, 5, 20, 1).listed, drawn.listed);
  EXPECT_NE(DrawWorks(ids, 5, 20, 2).listed, drawn.listed);
  EXPECT_EQ(DrawWorks(ids, 5, 2, 1).listed, drawn.played) << "never less than what is played";
  EXPECT_TRUE(DrawWorks({}, 5, 2, 1).played.empty());
}

music::Score Scale(int notes) {
  music::Score score;
  for (int i = 0; i < notes; ++i) {
    music::Note note;
    note.onset_s = 2.0 * i;
    note.offset_s = note.sounding_offset_s = note.onset_s + 1;
    score.notes.push_back(note);
  }
  return score;
}

TEST(DrawPassagesTest, EvenlyFromANoteOnAtTemposOfTheirOwn) {
  const auto passages = DrawPassages(Scale(300), 4, "a");
  ASSERT_EQ(passages.size(), 4u);
  EXPECT_EQ(passages[0].start_s, 0);
  std::set<double> tempi;
  for (const Passage& passage : passages) {
    EXPECT_GE(passage.tempo_ratio, 0.8);
    EXPECT_LE(passage.tempo_ratio, 1.25);
    EXPECT_NEAR((passage.end_s - passage.start_s) / passage.tempo_ratio, kPassage_s, 1e-6);
    EXPECT_EQ(std::fmod(passage.start_s, 2.0), 0) << "a note is struck";
    tempi.insert(passage.tempo_ratio);
  }
  EXPECT_EQ(tempi.size(), 4u);
  EXPECT_NEAR(passages[1].start_s, passages[3].start_s / 3, 3);
  EXPECT_EQ(DrawPassages(Scale(300), 4, "a")[2].tempo_ratio, passages[2].tempo_ratio);
  EXPECT_NE(DrawPassages(Scale(300), 4, "b")[2].tempo_ratio, passages[2].tempo_ratio);
}

TEST(DrawPassagesTest, AShortPieceHasOne) {
  EXPECT_EQ(DrawPassages(Scale(10), 4, "a").size(), 1u);
  EXPECT_TRUE(DrawPassages({}, 4, "a").empty());
}

TEST(MiddleOfTest, IsAllOfAShorterSound) {
  EXPECT_DOUBLE_EQ(MiddleOf(31, 5).start_s, 13);
  EXPECT_DOUBLE_EQ(MiddleOf(31, 5).end_s, 18);
  EXPECT_DOUBLE_EQ(MiddleOf(3, 5).start_s, 0);
  EXPECT_DOUBLE_EQ(MiddleOf(3, 5).end_s, 3);
}

}  // namespace
}  // namespace antiphon::trainer::evaluation
