#include "trainer/datasets/lines.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace antiphon::trainer::datasets {
namespace {

using Melody = std::vector<std::pair<double, int>>;  // beat and pitch

std::vector<music::Note> Notes(const Melody& melody, double start_s = 0, double beat_s = 0.5) {
  std::vector<music::Note> notes;
  for (const auto& [beat, pitch] : melody) {
    music::Note note;
    note.onset_s = start_s + beat * beat_s;
    note.offset_s = note.sounding_offset_s = note.onset_s + beat_s;
    note.pitch = pitch;
    notes.push_back(note);
  }
  std::stable_sort(notes.begin(), notes.end(),
                   [](const auto& a, const auto& b) { return a.onset_s < b.onset_s; });
  return notes;
}

std::vector<music::Note> operator+(std::vector<music::Note> a, const std::vector<music::Note>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const Melody kLine = {{0, 67}, {1, 70}, {2, 67}, {3, 65}, {4, 67},
                      {5, 69}, {6, 70}, {8, 69}, {9, 67}};
const Melody kOther = {{0, 60}, {1, 62}, {2, 64}, {3, 60}, {4, 59}, {5, 57}, {6, 55}, {7, 60}};

TEST(FindLineTest, FindsEveryTimeAtItsPlace) {
  const auto part = Notes(kOther) + Notes(kLine, 10) + Notes(kOther, 20) + Notes(kLine, 30);
  const auto found = FindLine(Notes(kLine), part);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_DOUBLE_EQ(found[0].start_s, 10);
  EXPECT_DOUBLE_EQ(found[0].end_s, 14.5);
  EXPECT_DOUBLE_EQ(found[1].start_s, 30);
  EXPECT_EQ(FindLine(Notes(kLine), part, 1).size(), 1u);
}

TEST(FindLineTest, AtAnotherTempoButInItsKey) {
  EXPECT_EQ(FindLine(Notes(kLine), Notes(kLine, 3, 0.8)).size(), 1u);
  EXPECT_EQ(FindLine(Notes(kLine), Notes(kLine, 3, 1.1)).size(), 0u) << "less than half as fast";
  EXPECT_EQ(FindLine(Notes(kLine), Notes(kLine, 3, 0.2)).size(), 0u);
  Melody higher = kLine;
  for (auto& [beat, pitch] : higher) pitch += 2;
  EXPECT_TRUE(FindLine(Notes(kLine), Notes(higher)).empty());
}

TEST(FindLineTest, APassingNoteDoesNotMatterAnotherMelodyDoes) {
  Melody ornamented = kLine;
  ornamented.insert(ornamented.begin() + 3, {2.5, 66});
  EXPECT_EQ(FindLine(Notes(kLine), Notes(ornamented)).size(), 1u);
  EXPECT_TRUE(FindLine(Notes(kLine), Notes(kOther)).empty());
  Melody backwards = kLine;
  for (size_t i = 0; i < kLine.size(); ++i)
    backwards[i].second = kLine[kLine.size() - 1 - i].second;
  EXPECT_TRUE(FindLine(Notes(kLine), Notes(backwards)).empty());
}

TEST(FindLineTest, AShortLineMustBeThereNoteForNote) {
  const Melody three = {{0, 67}, {1, 70}, {2, 65}};
  EXPECT_EQ(FindLine(Notes(three), Notes(kOther) + Notes(three, 10)).size(), 1u);
  EXPECT_TRUE(FindLine(Notes(three), Notes({{0, 67}, {1, 70}, {1.5, 71}, {2, 65}})).empty());
  EXPECT_TRUE(FindLine(Notes(three), Notes({{0, 67}, {1, 69}, {2, 65}})).empty());
  EXPECT_TRUE(FindLine(Notes({{0, 67}}), Notes(kLine)).empty()) << "one note is no line";
  EXPECT_TRUE(FindLine({}, Notes(kLine)).empty());
  EXPECT_TRUE(FindLine(Notes(kLine), {}).empty());
}

TEST(NotesOfPartsTest, ByTrackAndChannel) {
  music::Score score;
  score.notes = Notes({{0, 60}, {1, 62}, {2, 64}, {3, 65}});
  score.notes[1].track = score.notes[3].track = 1;
  score.notes[2].channel = 2;
  const auto parts = NotesOfParts(score);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].size(), 1u);
  EXPECT_EQ(parts[1][0].pitch, 64);
  ASSERT_EQ(parts[2].size(), 2u);
  EXPECT_EQ(parts[2][1].pitch, 65);
}

}  // namespace
}  // namespace antiphon::trainer::datasets
