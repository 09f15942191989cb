// Files as people have them (tests/cases/midi): damaged, wrapped, mislabelled. Each stands for a
// kind; what is right is beside it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <set>

#include "core/music/midi_file.h"
#include "tests/support/midi_bytes.h"
#include "tests/support/scores.h"

namespace antiphon::music {
namespace {

namespace fs = std::filesystem;
using ::antiphon::testing::BigEndianBytes;
using ::antiphon::testing::Bytes;
using ::antiphon::testing::IsSane;
using ::antiphon::testing::MidiFile;
using ::antiphon::testing::MidiTrack;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const fs::path& Folder() {
  static const auto* folder = new fs::path(fs::path(ANTIPHON_SOURCE_DIR) / "tests/cases/midi");
  return *folder;
}

std::string Contents(const std::string& file) {
  std::ifstream in(Folder() / file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

constexpr char kMenuet[] = "Menuet in G major, BWV Anh. 114";

struct Case {
  const char* file;
  size_t notes;
  int drum_notes;
  const char* title;
  const char* warning;  // part of the only one; null: none
};

void PrintTo(const Case& one, std::ostream* os) { *os << one.file; }

const Case kCases[] = {
    {"clock_byte_f8_inside.mid", 402, 0, kMenuet, "1 clock byte (F8 to FE) inside the tracks"},
    {"empty_track_not_counted.mid", 402, 0, kMenuet, "counts 3 tracks, the file has 4"},
    {"gs_drum_part_on_channel_11.mid", 402, 300, kMenuet, nullptr},
    {"header_says_2_tracks_has_3.mid", 402, 0, kMenuet, "counts 2 tracks, the file has 3"},
    {"header_says_5_tracks_has_3.mid", 402, 0, kMenuet, "counts 5 tracks, the file has 3"},
    {"last_byte_missing.mid", 402, 0, kMenuet, "track 3 ends in the middle of an event"},
    {"last_track_length_4_too_long.mid", 402, 0, kMenuet, "track 3 has 1330 bytes, and not 1334"},
    {"newline_before_mthd.mid", 402, 0, kMenuet, "1 byte before the MIDI header"},
    {"piano_on_channel_10.mid", 0, 402, kMenuet, "all 402 notes are on the drum channel (10)"},
    {"riff_wrapped_rmid.rmi", 402, 0, kMenuet, nullptr},
    {"soft_karaoke.kar", 402, 0, "Menuet in G", nullptr},
    {"title_cp1251.mid", 402, 0, "Менуэт соль мажор", nullptr},
    {"title_piano_as_musescore_writes.mid", 402, 0, "", nullptr},
    {"title_utf8_bom.mid", 402, 0, "Menuet in G", nullptr},
    {"track_length_4_too_long.mid", 402, 0, kMenuet, "track 2 has 2356 bytes, and not 2360"},
    {"verovio_order_joy_to_the_world.mid", 256, 0, "Joy to the World (Antioch)", nullptr},
    {"verovio_order_repeated_notes.mid", 32, 0, "", nullptr},
};

class MidiCase : public ::testing::TestWithParam<Case> {};

TEST_P(MidiCase, IsReadWithWhatIsRight) {
  const Case& expected = GetParam();
  const absl::StatusOr<Score> score = ReadMidiFile(Folder() / expected.file);
  ASSERT_TRUE(score.ok()) << score.status();
  EXPECT_TRUE(IsSane(*score));
  EXPECT_EQ(score->notes.size(), expected.notes);
  EXPECT_EQ(score->drum_notes, expected.drum_notes);
  EXPECT_EQ(score->title, expected.title);
  if (expected.warning == nullptr) {
    EXPECT_THAT(score->warnings, IsEmpty());
  } else {
    EXPECT_THAT(score->warnings, ElementsAre(HasSubstr(expected.warning)));
  }
  EXPECT_TRUE(LooksLikeMidi(Contents(expected.file).substr(0, 2048)));
  if (expected.notes != 402) return;
  // The same menuet in all of them: both hands, each note as long as it is written.
  double length_s = 0;
  for (const Note& note : score->notes) length_s += note.offset_s - note.onset_s;
  EXPECT_NEAR(length_s, 191.03, 0.01);
  EXPECT_LT(score->notes.front().pitch, 60);
  EXPECT_NEAR(score->duration_s, 91.4, 0.1);
}

INSTANTIATE_TEST_SUITE_P(All, MidiCase, ::testing::ValuesIn(kCases),
                         [](const ::testing::TestParamInfo<Case>& info) {
                           return fs::path(info.param.file).stem().string();
                         });

TEST(MidiCases, EveryFileHasItsRow) {
  std::set<std::string> files, rows;
  for (const auto& entry : fs::directory_iterator(Folder())) {
    if (entry.path().extension() != ".md") files.insert(entry.path().filename());
  }
  for (const Case& one : kCases) rows.insert(one.file);
  EXPECT_EQ(files, rows);
}

// Written as Verovio does: the new note before the end of the old one.
TEST(MidiCases, ARepeatedNoteLastsUntilItsOwnEnd) {
  const auto repeated = ReadMidiFile(Folder() / "verovio_order_repeated_notes.mid");
  ASSERT_TRUE(repeated.ok());
  for (const Note& note : repeated->notes) EXPECT_NEAR(note.offset_s - note.onset_s, 0.5, 1e-9);
  const auto joy = ReadMidiFile(Folder() / "verovio_order_joy_to_the_world.mid");
  ASSERT_TRUE(joy.ok());
  for (const Note& note : joy->notes) EXPECT_GT(note.offset_s - note.onset_s, 0.1);
}

std::string Plain() {
  return MidiFile(
      1, 96, {MidiTrack().On(0, 60).Off(96, 60).End(), MidiTrack().On(0, 48).Off(96, 48).End()});
}

void ExpectPlain(const std::string& bytes, bool warned) {
  const absl::StatusOr<Score> score = ReadMidi(bytes);
  ASSERT_TRUE(score.ok()) << score.status();
  EXPECT_EQ(score->notes.size(), 2u);
  EXPECT_EQ(!score->warnings.empty(), warned);
  EXPECT_TRUE(LooksLikeMidi(bytes));
}

std::string LittleEndian32(uint32_t value) {
  const std::string big = BigEndianBytes(value, 4);
  return {big.rbegin(), big.rend()};
}

TEST(MidiWrappers, RmidMayHoldOtherChunksAndAWrongLength) {
  const std::string midi = Plain();
  const auto size = static_cast<uint32_t>(midi.size());
  const std::string info = "LIST" + LittleEndian32(5) + "INFO?" + std::string(1, '\0');
  ExpectPlain("RIFF" + LittleEndian32(size) + "RMID" + info + "data" + LittleEndian32(size) + midi,
              false);
  ExpectPlain("RIFF" + LittleEndian32(0) + "RMID" + "data" + LittleEndian32(size + 99) + midi,
              false);
  EXPECT_FALSE(LooksLikeMidi("RIFF" + LittleEndian32(4) + "RMID"));
  EXPECT_FALSE(LooksLikeMidi("RIFF" + LittleEndian32(4) + "RMIDdata" + LittleEndian32(4) + "none"));
}

TEST(MidiWrappers, MacBinaryHasItsLengthAtByte83) {
  const std::string midi = Plain();
  std::string header(128, '\0');
  header[1] = 5;
  header.replace(2, 5, "a.mid");
  header.replace(65, 4, "Midi");
  header.replace(83, 4, BigEndianBytes(midi.size(), 4));
  ExpectPlain(header + midi + std::string(128 - midi.size() % 128, '\0'), false);
}

TEST(MidiWrappers, AFewOtherBytesMayComeFirst) {
  ExpectPlain("\r\n\r\n" + Plain(), true);
  ExpectPlain("\xef\xbb\xbf" + Plain(), true);
  ExpectPlain("HTTP/1.1 200 OK\r\nContent-Type: audio/midi\r\n\r\n" + Plain(), true);
  ExpectPlain(std::string(1024, ' ') + Plain(), true);
  EXPECT_FALSE(LooksLikeMidi(std::string(1025, ' ') + Plain()));
  EXPECT_FALSE(LooksLikeMidi("MIDI files begin with MThd and a length."));
  EXPECT_FALSE(LooksLikeMidi(""));
}

TEST(MidiTracks, AWrongLengthIsCorrectedByWhatIsThere) {
  const std::string midi = Plain();
  const size_t first = midi.find("MTrk") + 4, second = midi.rfind("MTrk") + 4;
  const uint32_t right = static_cast<uint8_t>(midi[first + 3]);
  for (const size_t at : {first, second}) {
    for (const uint32_t wrong : {uint32_t{0}, right - 1, right - 4, right + 1, right + 4,
                                 right + 1000, uint32_t{0xffffffff}}) {
      std::string changed = midi;
      changed.replace(at, 4, BigEndianBytes(wrong, 4));
      SCOPED_TRACE(::testing::Message() << "length " << wrong << " at " << at);
      ExpectPlain(changed, true);
    }
  }
}

TEST(MidiTracks, WithoutEndOfTrackTheLengthCounts) {
  const std::string open = MidiTrack().On(0, 60).Off(96, 60).Open();
  ExpectPlain(MidiFile(1, 96, {open, open}), false);
  // Padding, as modems and file systems left it.
  ExpectPlain(MidiFile(1, 96, {open, open}) + std::string(100, '\0'), false);
  ExpectPlain(Plain() + std::string(100, '\x1a'), false);
}

TEST(MidiTracks, ASecondFileBehindTheFirstIsNotMixedIn) {
  const absl::StatusOr<Score> score = ReadMidi(Plain() + Plain());
  ASSERT_TRUE(score.ok());
  EXPECT_EQ(score->notes.size(), 2u);
  EXPECT_THAT(score->warnings, ElementsAre(HasSubstr("a second MIDI file")));
}

TEST(MidiTracks, ABodyLongerThanItsTrackIsNotTakenForTheEndOfTheFile) {
  const std::string track = MidiTrack().On(0, 60).Raw(0, Bytes({0xf0, 0x7f})).Open();
  EXPECT_FALSE(ReadMidi(MidiFile(1, 96, {track, MidiTrack().On(0, 60).End()})).ok());
}

}  // namespace
}  // namespace antiphon::music
