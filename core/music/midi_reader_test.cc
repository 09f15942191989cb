// What the reader makes of well-formed files. Hostile input is in midi_reader_robustness_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/music/midi_file.h"
#include "core/testing/temporary_folder.h"
#include "tests/support/corpora.h"
#include "tests/support/midi_bytes.h"
#include "tests/support/scores.h"

namespace antiphon::music {
namespace {

using ::antiphon::testing::Bytes;
using ::antiphon::testing::Chunk;
using ::antiphon::testing::IsSane;
using ::antiphon::testing::MidiFile;
using ::antiphon::testing::MidiTrack;
using ::testing::HasSubstr;

// 100 ticks per quarter note and no tempo: a tick lasts 5 ms.
constexpr int kDivision = 100;

Score Read(const std::string& bytes) {
  absl::StatusOr<Score> score = ReadMidi(bytes);
  EXPECT_TRUE(score.ok()) << score.status();
  if (!score.ok()) return {};
  EXPECT_TRUE(IsSane(*score));
  return *std::move(score);
}

Score ReadTrack(const MidiTrack& track) { return Read(MidiFile(0, kDivision, {track.End()})); }

// Times in ticks of 5 ms.
void ExpectNote(const Score& score, size_t index, int pitch, double onset, double offset,
                double sounding_offset) {
  SCOPED_TRACE(::testing::Message() << "note " << index);
  ASSERT_LT(index, score.notes.size());
  const Note& note = score.notes[index];
  EXPECT_EQ(note.pitch, pitch);
  EXPECT_NEAR(note.onset_s, onset * 0.005, 1e-9);
  EXPECT_NEAR(note.offset_s, offset * 0.005, 1e-9);
  EXPECT_NEAR(note.sounding_offset_s, sounding_offset * 0.005, 1e-9);
}

TEST(ReadMidiTest, ReadsFormat0) {
  const Score score = Read(MidiFile(0, kDivision,
                                    {MidiTrack()
                                         .Name("Sonata")
                                         .On(0, 60, 100)
                                         .Off(100, 60)
                                         .On(50, 64, 1, 3)
                                         .Off(50, 64, 3)
                                         .End(100)}));
  EXPECT_EQ(score.title, "Sonata");
  ASSERT_EQ(score.notes.size(), 2u);
  ExpectNote(score, 0, 60, 0, 100, 100);
  ExpectNote(score, 1, 64, 150, 200, 200);
  EXPECT_EQ(score.notes[0].velocity, 100);
  EXPECT_EQ(score.notes[1].channel, 3);
  EXPECT_EQ(score.notes[1].velocity, 1);
  EXPECT_DOUBLE_EQ(score.duration_s, 1.5);
}

TEST(ReadMidiTest, TracksOfFormat1SoundTogetherAndShareTheTempo) {
  const Score score =
      Read(MidiFile(1, kDivision,
                    {MidiTrack().Name("Duo").Tempo(0, 1'000'000).Tempo(100, 250'000).End(),
                     MidiTrack().Name("right").On(0, 72).Off(200, 72).End(),
                     MidiTrack().Name("left").On(100, 48).Off(100, 48).End()}));
  EXPECT_EQ(score.title, "Duo");
  ASSERT_EQ(score.notes.size(), 2u);
  EXPECT_EQ(score.notes[0].track, 1);
  EXPECT_DOUBLE_EQ(score.notes[0].offset_s, 1.25);
  EXPECT_EQ(score.notes[1].track, 2);
  EXPECT_DOUBLE_EQ(score.notes[1].onset_s, 1.0);
  EXPECT_DOUBLE_EQ(score.notes[1].offset_s, 1.25);
}

TEST(ReadMidiTest, PatternsOfFormat2FollowEachOther) {
  const Score score =
      Read(MidiFile(2, kDivision,
                    {MidiTrack().Tempo(0, 1'000'000).Metre(0, 3, 2).On(0, 60).Off(600, 60).End(),
                     MidiTrack().On(100, 62).Off(100, 62).End(200)}));
  ASSERT_EQ(score.notes.size(), 2u);
  EXPECT_DOUBLE_EQ(score.notes[0].offset_s, 6.0);
  EXPECT_DOUBLE_EQ(score.notes[1].onset_s, 6.5);  // the second pattern has the default tempo again
  EXPECT_DOUBLE_EQ(score.duration_s, 8.0);
  EXPECT_EQ(score.tempo_map.BarAt(6).bar, 3);
  EXPECT_EQ(score.tempo_map.BarAt(10).bar, 4);  // and the default metre
}

TEST(ReadMidiTest, APatternOfFormat2StartsWithThePedalUp) {
  const Score score = Read(MidiFile(2, kDivision,
                                    {MidiTrack().Pedal(0, 127).On(0, 60).Off(50, 60).End(50),
                                     MidiTrack().On(0, 62).Off(50, 62).End(50)}));
  ExpectNote(score, 0, 60, 0, 50, 100);
  ExpectNote(score, 1, 62, 100, 150, 150);
}

TEST(ReadMidiTest, UnderstandsRunningStatusAlsoAfterMetaAndSysexEvents) {
  const Score score = ReadTrack(MidiTrack()
                                    .On(0, 60)
                                    .Raw(0, Bytes({64, 90}))
                                    .Meta(0, 0x01, "text")
                                    .Raw(100, Bytes({60, 0}))
                                    .Raw(0, Bytes({0xf0, 2, 1, 0xf7}))
                                    .Raw(100, Bytes({64, 0})));
  ASSERT_EQ(score.notes.size(), 2u);
  ExpectNote(score, 0, 60, 0, 100, 100);
  ExpectNote(score, 1, 64, 0, 200, 200);
}

TEST(ReadMidiTest, ReadsSmpteDivisionInSeconds) {
  // 25 frames of 40 ticks: a tick lasts 1 ms whatever the tempo, which only counts the beats.
  const std::string track = MidiTrack()
                                .Tempo(0, 250'000)
                                .On(1000, 60)
                                .Tempo(0, 1'000'000)
                                .Off(1000, 60)
                                .Metre(0, 3, 2)
                                .End();
  const Score score = Read(MidiFile(0, 0xe728, {track}));
  ASSERT_EQ(score.notes.size(), 1u);
  EXPECT_DOUBLE_EQ(score.notes[0].onset_s, 1.0);
  EXPECT_DOUBLE_EQ(score.notes[0].offset_s, 2.0);
  EXPECT_DOUBLE_EQ(score.tempo_map.BeatsAt(1.0), 4.0);
  EXPECT_DOUBLE_EQ(score.tempo_map.BeatsAt(2.0), 5.0);
  EXPECT_DOUBLE_EQ(score.tempo_map.time_signatures().back().beat, 5.0);
}

TEST(ReadMidiTest, SmpteFrameRatesAreThoseOfTheStandard) {
  const auto second = [](int frames, int ticks) {
    const int division = (256 - frames) << 8 | ticks;
    return Read(MidiFile(
                    0, division,
                    {MidiTrack().On(0, 60).Off(static_cast<uint32_t>(frames * ticks), 60).End()}))
        .duration_s;
  };
  EXPECT_DOUBLE_EQ(second(24, 80), 1.0);
  EXPECT_DOUBLE_EQ(second(25, 40), 1.0);
  EXPECT_DOUBLE_EQ(second(30, 4), 1.0);
  EXPECT_NEAR(second(29, 100), 29 * 1.001 / 30, 1e-12);
}

TEST(ReadMidiTest, ReadsTempoMetreAndKey) {
  const Score score = ReadTrack(
      MidiTrack().Tempo(0, 600'000).Metre(0, 6, 3).Key(0, -3, 1).Key(300, 2, 0).Metre(300, 2, 1));
  ASSERT_EQ(score.tempo_map.tempi().size(), 1u);
  EXPECT_DOUBLE_EQ(score.tempo_map.tempi()[0].seconds_per_beat, 0.6);
  ASSERT_EQ(score.tempo_map.time_signatures().size(), 2u);
  EXPECT_EQ(score.tempo_map.time_signatures()[0].numerator, 6);
  EXPECT_EQ(score.tempo_map.time_signatures()[0].denominator, 8);
  EXPECT_EQ(score.tempo_map.time_signatures()[1].denominator, 2);
  EXPECT_DOUBLE_EQ(score.tempo_map.time_signatures()[1].beat, 6);
  ASSERT_EQ(score.tempo_map.key_signatures().size(), 2u);
  EXPECT_EQ(score.tempo_map.key_signatures()[0].fifths, -3);
  EXPECT_TRUE(score.tempo_map.key_signatures()[0].minor);
  EXPECT_DOUBLE_EQ(score.tempo_map.key_signatures()[1].beat, 3);
}

TEST(ReadMidiTest, PassesOverTemposAndSignaturesWithoutMeaning) {
  const Score score = ReadTrack(MidiTrack()
                                    .Tempo(0, 0)
                                    .Meta(0, 0x51, "x")
                                    .Metre(0, 0, 2)
                                    .Metre(0, 4, 7)
                                    .Meta(0, 0x58, "")
                                    .Key(0, 9, 0)
                                    .Meta(0, 0x59, "x")
                                    .On(0, 60)
                                    .Off(100, 60));
  ExpectNote(score, 0, 60, 0, 100, 100);
  EXPECT_EQ(score.tempo_map.time_signatures().size(), 1u);
  EXPECT_TRUE(score.tempo_map.key_signatures().empty());
}

TEST(ReadMidiTest, LeavesOutDrums) {
  const Score score = ReadTrack(MidiTrack().On(0, 36, 100, 9).On(0, 60).Off(100, 36, 9).Off(0, 60));
  ASSERT_EQ(score.notes.size(), 1u);
  EXPECT_EQ(score.notes[0].pitch, 60);
}

TEST(ReadMidiTest, ANoteOnWithoutVelocityIsANoteOff) {
  ExpectNote(ReadTrack(MidiTrack().On(0, 60).On(100, 60, 0).On(50, 60, 0)), 0, 60, 0, 100, 100);
}

TEST(ReadMidiTest, ANoteStruckAgainEndsTheEarlierOne) {
  const Score score =
      ReadTrack(MidiTrack().On(0, 60, 10).On(100, 60, 20).Off(100, 60).Off(100, 60));
  ASSERT_EQ(score.notes.size(), 2u);
  ExpectNote(score, 0, 60, 0, 100, 100);
  ExpectNote(score, 1, 60, 100, 200, 200);
}

TEST(ReadMidiTest, ANoteOffAtTheTickOfTheNextStrikeEndsTheEarlierNote) {
  const Score score =
      ReadTrack(MidiTrack().On(0, 60).On(100, 60).Off(0, 60).On(100, 60).On(0, 60, 0).Off(100, 60));
  ASSERT_EQ(score.notes.size(), 3u);
  ExpectNote(score, 0, 60, 0, 100, 100);
  ExpectNote(score, 1, 60, 100, 200, 200);
  ExpectNote(score, 2, 60, 200, 300, 300);
  // Two voices strike one key together: two ends of old notes may follow.
  const Score unison = ReadTrack(
      MidiTrack().On(0, 60).On(0, 60).On(100, 60).On(0, 60).Off(0, 60).Off(0, 60).Off(50, 60));
  ASSERT_EQ(unison.notes.size(), 4u);
  ExpectNote(unison, 3, 60, 100, 150, 150);
  // A later note-off is the new note's own.
  const Score later = ReadTrack(MidiTrack().On(0, 60).On(100, 60).Off(1, 60).Off(99, 60));
  ExpectNote(later, 1, 60, 100, 101, 101);
}

TEST(ReadMidiTest, OneKeyOnTwoChannelsOrTracksIsTwoNotes) {
  const Score channels =
      ReadTrack(MidiTrack().On(0, 60, 10, 0).On(50, 60, 10, 1).Off(50, 60, 1).Off(100, 60, 0));
  ExpectNote(channels, 0, 60, 0, 200, 200);
  ExpectNote(channels, 1, 60, 50, 100, 100);
  const Score tracks = Read(MidiFile(
      1, kDivision,
      {MidiTrack().On(0, 60).Off(200, 60).End(), MidiTrack().On(50, 60).Off(50, 60).End()}));
  ExpectNote(tracks, 0, 60, 0, 200, 200);
  ExpectNote(tracks, 1, 60, 50, 100, 100);
}

TEST(ReadMidiTest, ANoteWithoutEndEndsWithItsTrack) {
  const Score score = Read(MidiFile(1, kDivision,
                                    {MidiTrack().On(0, 60).End(70), MidiTrack().On(10, 62).End(190),
                                     MidiTrack().On(20, 64).Open()}));
  ASSERT_EQ(score.notes.size(), 3u);
  ExpectNote(score, 0, 60, 0, 70, 70);
  ExpectNote(score, 1, 62, 10, 200, 200);
  ExpectNote(score, 2, 64, 20, 21, 21);
}

TEST(ReadMidiTest, ANoteWithoutLengthLastsOneTick) {
  const Score score = ReadTrack(MidiTrack().On(10, 60).Off(0, 60).On(10, 62));
  ExpectNote(score, 0, 60, 10, 11, 11);
  ExpectNote(score, 1, 62, 20, 21, 21);
}

TEST(ReadMidiTest, SortsNotesByOnsetThenPitch) {
  const Score score = ReadTrack(MidiTrack().On(0, 70).On(0, 50).On(10, 40).On(0, 60));
  ASSERT_EQ(score.notes.size(), 4u);
  EXPECT_EQ(score.notes[0].pitch, 50);
  EXPECT_EQ(score.notes[1].pitch, 70);
  EXPECT_EQ(score.notes[2].pitch, 40);
  EXPECT_EQ(score.notes[3].pitch, 60);
}

TEST(ReadMidiPedalTest, ANoteSoundsUntilTheRelease) {
  const Score score =
      ReadTrack(MidiTrack().Pedal(0, 127).On(0, 60).Off(50, 60).Pedal(50, 0).On(0, 62).Off(50, 62));
  ExpectNote(score, 0, 60, 0, 50, 100);
  ExpectNote(score, 1, 62, 100, 150, 150);
}

TEST(ReadMidiPedalTest, HalfAPedalHoldsFrom64On) {
  const auto pedal = [](int value) {
    return ReadTrack(MidiTrack().Pedal(0, value).On(0, 60).Off(50, 60).Pedal(50, 63)).notes.at(0);
  };
  EXPECT_DOUBLE_EQ(pedal(64).sounding_offset_s, 0.5);
  EXPECT_DOUBLE_EQ(pedal(63).sounding_offset_s, 0.25);
}

TEST(ReadMidiPedalTest, MovingTheHeldPedalIsNoRelease) {
  const Score score = ReadTrack(MidiTrack()
                                    .Pedal(0, 127)
                                    .On(0, 60)
                                    .Off(50, 60)
                                    .Pedal(10, 90)
                                    .Pedal(10, 64)
                                    .Pedal(30, 20)
                                    .Pedal(9, 0));
  ExpectNote(score, 0, 60, 0, 50, 100);
}

TEST(ReadMidiPedalTest, TheNextStrikeOfThePitchEndsTheSound) {
  const Score score = ReadTrack(MidiTrack()
                                    .Pedal(0, 127)
                                    .On(0, 60)
                                    .Off(50, 60)
                                    .On(20, 61)
                                    .On(10, 60, 9, 1)
                                    .On(20, 60)
                                    .Off(50, 60)
                                    .Pedal(50, 0));
  ExpectNote(score, 0, 60, 0, 50, 100);  // neither another pitch nor another channel ends it
  ExpectNote(score, 3, 60, 100, 150, 200);
}

TEST(ReadMidiPedalTest, ANoteEndedByTheNextStrikeIsNotHeld) {
  const Score score =
      ReadTrack(MidiTrack().Pedal(0, 127).On(0, 60).On(50, 60).Off(50, 60).Pedal(50, 0));
  ExpectNote(score, 0, 60, 0, 50, 50);
  ExpectNote(score, 1, 60, 50, 100, 150);
}

TEST(ReadMidiPedalTest, PressedAfterTheKeyIsDownItHolds) {
  ExpectNote(ReadTrack(MidiTrack().On(0, 60).Pedal(20, 127).Off(30, 60).Pedal(50, 0)), 0, 60, 0, 50,
             100);
}

TEST(ReadMidiPedalTest, PressedOnceTheKeyIsUpItDoesNotHold) {
  ExpectNote(ReadTrack(MidiTrack().On(0, 60).Off(50, 60).Pedal(0, 127).Pedal(50, 0)), 0, 60, 0, 50,
             50);
  ExpectNote(ReadTrack(MidiTrack().On(0, 60).Pedal(50, 127).Off(0, 60).Pedal(50, 0)), 0, 60, 0, 50,
             100);
}

TEST(ReadMidiPedalTest, ReleasedWhileTheKeyIsDownItDoesNotHold) {
  ExpectNote(ReadTrack(MidiTrack().Pedal(0, 127).On(0, 60).Pedal(20, 0).Off(30, 60).Pedal(9, 127)),
             0, 60, 0, 50, 50);
}

TEST(ReadMidiPedalTest, NeverReleasedItHoldsToTheEnd) {
  const Score score =
      Read(MidiFile(0, kDivision, {MidiTrack().Pedal(0, 127).On(0, 60).Off(50, 60).End(150)}));
  ExpectNote(score, 0, 60, 0, 50, 200);
}

TEST(ReadMidiPedalTest, HoldsItsChannelOnAllTracksAndNoOther) {
  const Score score = Read(MidiFile(
      1, kDivision,
      {MidiTrack().Pedal(0, 127).Pedal(100, 0).End(), MidiTrack().On(0, 60).Off(50, 60).End(),
       MidiTrack().On(0, 61, 9, 1).Off(50, 61, 1).End()}));
  ExpectNote(score, 0, 60, 0, 50, 100);
  ExpectNote(score, 1, 61, 0, 50, 50);
}

TEST(ReadMidiTest, SkipsWhatHasNoNotesInIt) {
  const Score score = ReadTrack(MidiTrack()
                                    .Raw(0, Bytes({0xf0, 3, 0x43, 0x90, 0xf7}))
                                    .Raw(0, Bytes({0xf7, 2, 0x90, 60}))
                                    .Meta(0, 0x7f, Bytes({0, 0x90, 60, 64}))
                                    .Meta(0, 0x05, "la")
                                    .Raw(0, Bytes({0xc0, 5}))
                                    .Raw(0, Bytes({0xd0, 5}))
                                    .Raw(0, Bytes({0xe0, 0, 64}))
                                    .Raw(0, Bytes({0xa0, 60, 64}))
                                    .Raw(0, Bytes({0xb0, 7, 100}))
                                    .On(100, 60)
                                    .Off(100, 60));
  ASSERT_EQ(score.notes.size(), 1u);
  ExpectNote(score, 0, 60, 100, 200, 200);
}

TEST(ReadMidiTest, SkipsAlienChunksALongHeaderAndTrailingBytes) {
  const std::string track = MidiTrack().On(0, 60).Off(100, 60).End();
  const std::string header = Chunk("MThd", Bytes({0, 0, 0, 1, 0, kDivision, 1, 2, 3}));
  const Score score = Read(header + Chunk("XFIH", "alien") + track + "trailing");
  ExpectNote(score, 0, 60, 0, 100, 100);
}

TEST(ReadMidiTest, StopsAtEndOfTrack) {
  MidiTrack track =
      MidiTrack().On(0, 60).Off(100, 60).Meta(0, 0x2f, "").On(100, 62).Raw(0, "rubbish");
  EXPECT_EQ(Read(MidiFile(0, kDivision, {track.Open()})).notes.size(), 1u);
}

TEST(ReadMidiTest, AFileWithoutNotesIsAScoreWithoutNotes) {
  EXPECT_TRUE(Read(MidiFile(1, kDivision, {})).notes.empty());
  const Score score = Read(MidiFile(0, kDivision, {MidiTrack().End(200)}));
  EXPECT_TRUE(score.notes.empty());
  EXPECT_DOUBLE_EQ(score.duration_s, 1.0);
}

TEST(ReadMidiTest, TheTitleIsTheFirstTracksFirstNameThatNamesAPiece) {
  const auto title = [](const MidiTrack& first) {
    return Read(MidiFile(1, kDivision, {first.End(), MidiTrack().Name("Sonata").End()})).title;
  };
  EXPECT_EQ(title(MidiTrack().Name(" ").Name("Pr\xe9lude").Name("second")), "Pr\xc3\xa9lude");
  EXPECT_EQ(title(MidiTrack().Name("Pr\xc3\xa9lude")), "Pr\xc3\xa9lude");
  EXPECT_EQ(title(MidiTrack().Name("Piano")), "");
  EXPECT_EQ(title(MidiTrack().Meta(0, 0x01, "@TValse")), "Valse");
  EXPECT_EQ(title(MidiTrack()), "");
}

TEST(ReadMidiFileTest, ReadsFromDiskAndNamesThePathInErrors) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/a.mid";
  const std::string bytes = MidiFile(0, kDivision, {MidiTrack().On(0, 60).Off(100, 60).End()});
  const auto write = [&path](const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
  };
  write(bytes);
  const absl::StatusOr<Score> score = ReadMidiFile(path);
  ASSERT_TRUE(score.ok()) << score.status();
  EXPECT_EQ(score->notes.size(), 1u);

  MidiLimits limits;
  limits.max_bytes = static_cast<int64_t>(bytes.size()) - 1;
  EXPECT_EQ(ReadMidiFile(path, limits).status().code(), absl::StatusCode::kResourceExhausted);

  for (const std::string& broken : {std::string(), bytes.substr(0, 13)}) {
    write(broken);
    const absl::Status status = ReadMidiFile(path).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  }
  std::filesystem::remove(path);
  const absl::Status status = ReadMidiFile(path).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  EXPECT_EQ(ReadMidiFile(folder.path()).status().code(), absl::StatusCode::kNotFound);
}

// Every file of three corpora and every tenth of ASAP's.
TEST(ReadMidiCorpusTest, ReadsTheMusicPeopleHave) {
  const auto corpora = testing::CorporaDir();
  if (!corpora) GTEST_SKIP() << "no corpora: set ANTIPHON_CORPORA to the folder that holds corpus/";
  int files = 0;
  for (const auto& [corpus, step] :
       {std::pair("msmd", 1), {"piano-midi.de", 1}, {"nottingham", 1}, {"asap", 10}}) {
    const auto paths = testing::FilesBelow(*corpora / "corpus" / corpus, ".mid");
    for (size_t i = 0; i < paths.size(); i += static_cast<size_t>(step)) {
      SCOPED_TRACE(paths[i].string());
      const absl::StatusOr<Score> score = ReadMidiFile(paths[i].string());
      ASSERT_TRUE(score.ok()) << score.status();
      EXPECT_TRUE(IsSane(*score));
      EXPECT_FALSE(score->notes.empty());
      EXPECT_GT(score->duration_s, 1.0);
      EXPECT_LT(score->duration_s, 3600.0);
      const double beats = score->tempo_map.BeatsAt(score->duration_s);
      EXPECT_NEAR(score->tempo_map.SecondsAt(beats), score->duration_s, 1e-6);
      EXPECT_LT(score->tempo_map.BarAt(beats).bar, 10'000);
      ++files;
    }
  }
  EXPECT_GT(files, 0);
}

TEST(ReadMidiPartsTest, APartIsATrackAndAChannelWithItsNameAndProgram) {
  const auto program = [](int number, int channel) {
    return testing::Bytes({0xc0 | channel, number});
  };
  const std::string conductor = MidiTrack().Name("Trio in D").End();
  const std::string violin = MidiTrack()
                                 .Name("Violin")
                                 .Name("late")
                                 .Raw(0, program(40, 0))
                                 .On(0, 60)
                                 .Off(9, 60)
                                 .Raw(0, program(41, 0))
                                 .On(0, 62)
                                 .Off(9, 62)
                                 .End();
  const std::string two = MidiTrack()
                              .On(5, 50, 64, 1)
                              .Off(9, 50, 1)
                              .Raw(0, program(42, 1))
                              .On(5, 40, 64, 2)
                              .Off(9, 40, 2)
                              .End();
  const std::string drums = MidiTrack().Name("Drums").On(5, 50, 64, 9).Off(9, 50, 9).End();
  const Score score = ReadMidi(MidiFile(1, 480, {conductor, violin, two, drums})).value();
  ASSERT_EQ(score.parts.size(), 3u);
  const auto is = [&](size_t i, const char* name, int track, int channel, int of_program) {
    EXPECT_EQ(score.parts[i].name, name);
    EXPECT_EQ(score.parts[i].track, track);
    EXPECT_EQ(score.parts[i].channel, channel);
    EXPECT_EQ(score.parts[i].program, of_program);
  };
  is(0, "Violin", 1, 0, 40);
  is(1, "", 2, 1, 42);  // of what comes first where nothing holds yet
  is(2, "", 2, 2, 0);
  const Score single =
      ReadMidi(MidiFile(0, 480, {MidiTrack().Name("Gavotte in G").On(0, 60).End()})).value();
  ASSERT_EQ(single.parts.size(), 1u);
  EXPECT_EQ(single.parts[0].name, "") << "the name of the whole";
}

// ASAP's annotators marked the downbeats of each score, in seconds. A few pieces leave their
// written metre (cadenzas, upbeats without a signature of their own), so not every one is on a bar
// line.
TEST(ReadMidiCorpusTest, BarLinesAreWhereAnnotatorsPutThem) {
  const auto corpora = testing::CorporaDir();
  if (!corpora) GTEST_SKIP() << "no corpora: set ANTIPHON_CORPORA to the folder that holds corpus/";
  int downbeats = 0;
  int on_bar_line = 0;
  for (const auto& path : testing::FilesBelow(*corpora / "corpus" / "asap", ".txt")) {
    if (path.filename() != "midi_score_annotations.txt") continue;
    const absl::StatusOr<Score> score = ReadMidiFile(path.parent_path() / "midi_score.mid");
    ASSERT_TRUE(score.ok()) << score.status();
    std::ifstream annotations(path);
    for (std::string line;
         std::getline(annotations, line);) {  // "seconds seconds db,4/4,1" or "... b"
      if (line.find("db") == std::string::npos) continue;
      ++downbeats;
      on_bar_line += score->tempo_map.BarAt(score->tempo_map.BeatsAt(std::stod(line))).beat < 1.02;
    }
  }
  ASSERT_GT(downbeats, 0);
  EXPECT_GE(on_bar_line, 0.99 * downbeats) << on_bar_line << " of " << downbeats;
}

}  // namespace
}  // namespace antiphon::music
