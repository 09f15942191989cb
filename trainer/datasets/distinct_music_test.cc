#include "trainer/datasets/distinct_music.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/music/midi_file.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::trainer::datasets {
namespace {

using ::testing::HasSubstr;

// A scale in quarter notes at so many a minute.
music::Score Scale(int first_pitch, double per_minute = 120, int velocity = 64) {
  music::Score score;
  score.tempo_map =
      music::TempoMap::Create({{0, 60 / per_minute}}, {}, {}).value_or(music::TempoMap());
  for (int i = 0; i < 8; ++i) {
    music::Note note;
    note.onset_s = i * 60 / per_minute;
    note.offset_s = note.sounding_offset_s = note.onset_s + 30 / per_minute;
    note.pitch = first_pitch + i;
    note.velocity = velocity;
    score.notes.push_back(note);
  }
  score.duration_s = 8 * 60 / per_minute;
  return score;
}

TEST(NotesFingerprintTest, TellsNotesNotTempoOrDynamics) {
  const uint64_t scale = NotesFingerprint(Scale(60));
  EXPECT_EQ(NotesFingerprint(Scale(60, 90, 100)), scale);
  EXPECT_NE(NotesFingerprint(Scale(61)), scale);
  music::Score doubled = Scale(60);
  for (const music::Note& note : Scale(60).notes) doubled.notes.push_back(note);
  std::stable_sort(doubled.notes.begin(), doubled.notes.end(),
                   [](const auto& a, const auto& b) { return a.onset_s < b.onset_s; });
  EXPECT_EQ(NotesFingerprint(doubled), scale) << "a second part in unison strikes the same notes";
  music::Score shorter = Scale(60);
  shorter.notes.pop_back();
  EXPECT_NE(NotesFingerprint(shorter), scale);
  music::Score later = Scale(60);
  later.notes.back().onset_s += 0.25;
  EXPECT_NE(NotesFingerprint(later), scale);
}

TEST(ReadDistinctTest, CountsFilesAndMusic) {
  const testing::TemporaryFolder folder;
  const auto write = [&folder](const std::string& name, const std::string& bytes) {
    std::filesystem::create_directories(
        std::filesystem::path(folder.path() + "/" + name).parent_path());
    std::ofstream(folder.path() + "/" + name, std::ios::binary) << bytes;
  };
  const std::string scale = music::WriteMidi(Scale(60)).value();
  write("a/scale.mid", scale);
  write("a/sub/copy.mid", scale);
  write("a/broken.mid", "MThd");
  write("b/scale.mid", scale);
  write("b/other.mid", music::WriteMidi(Scale(48)).value());
  write("b/silent.mid", music::WriteMidi(music::Score()).value());
  Progress progress;
  const auto catalogue = ReadDistinct({folder.path() + "/a", folder.path() + "/b/"}, progress);
  ASSERT_TRUE(catalogue.ok()) << catalogue.status();
  std::vector<std::string> ids;
  for (const CollectionEntry& entry : catalogue->entries) ids.push_back(entry.id);
  EXPECT_THAT(ids, ::testing::ElementsAre("a/scale.mid", "b/other.mid"));
  EXPECT_THAT(catalogue->folders, ::testing::ElementsAre(0, 1));
  EXPECT_EQ(catalogue->fingerprints.size(), 2u);
  EXPECT_EQ(ToText(catalogue->count), "6 files, 2 distinct, 2 unreadable");
  EXPECT_THAT(std::string(ReadDistinct({folder.path() + "/none"}, progress).status().message()),
              HasSubstr("none is not a folder"));
}

}  // namespace
}  // namespace antiphon::trainer::datasets
