#include "core/scores/read_score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/testing/temporary_folder.h"
#include "tests/support/midi_bytes.h"
#include "tests/support/mxl.h"

namespace antiphon::notation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

// One quarter note c', in each format.
const std::string kMidi =
    testing::MidiFile(0, 480, {testing::MidiTrack().Name("Air in G").On(0, 60).Off(480, 60).End()});
const std::string kMusicXml = R"(<?xml version="1.0"?>
<score-partwise version="3.1">
  <work><work-title>Air</work-title><work-number>Op. 3</work-number></work>
  <identification><creator type="composer">Anna Bon</creator></identification>
  <part-list><score-part id="P1"><part-name>Flute</part-name></score-part></part-list>
  <part id="P1"><measure number="1">
    <attributes><divisions>1</divisions><time><beats>1</beats><beat-type>4</beat-type></time>
    </attributes>
    <note><pitch><step>C</step><octave>4</octave></pitch><duration>1</duration></note>
  </measure></part>
</score-partwise>)";
const std::string kMxl =
    testing::MakeMxl({{"META-INF/container.xml",
                       "<container><rootfiles><rootfile full-path=\"air.xml\"/>"
                       "</rootfiles></container>"},
                      {"air.xml", kMusicXml}});
const std::string kHumdrum = "!!!COM: Bon, Anna\n!!!OTL: Air\n**kern\n*M1/4\n=1\n4c\n==\n*-\n";
const std::string kAbc = "X:1\nT:Air\nC:Anna Bon\nM:1/4\nL:1/4\nK:C\nC|]\n";
const std::string kSongs =
    "%abc-2.1\nM:1/4\nL:1/4\n\nX:1\nT:One\nK:C\nC|]\n\nX:7a\nT:Two\nK:C\nD|]\n";

TEST(ReadScoreTest, EveryFormatIsToldByItsContents) {
  EXPECT_THAT(FormatOf(kMidi), Optional(ScoreFormat::kMidi));
  EXPECT_THAT(FormatOf("\r\n" + kMidi), Optional(ScoreFormat::kMidi));
  EXPECT_THAT(FormatOf(kMusicXml), Optional(ScoreFormat::kMusicXml));
  EXPECT_THAT(FormatOf(kMxl), Optional(ScoreFormat::kMusicXml));
  EXPECT_THAT(FormatOf(kHumdrum), Optional(ScoreFormat::kHumdrum));
  EXPECT_THAT(FormatOf(kAbc), Optional(ScoreFormat::kAbc));
  EXPECT_EQ(FormatOf("words"), std::nullopt);
  EXPECT_EQ(FormatOf(""), std::nullopt);
}

TEST(ReadScoreTest, OneNoteIsOneNoteInEveryFormat) {
  for (const std::string& bytes : {kMidi, kMusicXml, kMxl, kHumdrum, kAbc}) {
    const auto score = ReadScore(bytes);
    ASSERT_TRUE(score.ok()) << score.status();
    ASSERT_EQ(score->notes.size(), 1u);
    EXPECT_EQ(score->notes[0].pitch, 60);
    EXPECT_EQ(score->bars.size(), bytes == kMidi ? 0u : 1u);
    EXPECT_EQ(PositionAt(*score, 0).label, "1");
  }
}

TEST(ReadScoreTest, NotationNamesItsComposer) {
  EXPECT_EQ(ReadScore(kMusicXml)->composer, "Anna Bon");
  EXPECT_THAT(ReadScore(kHumdrum)->composer, HasSubstr("Bon"));
  EXPECT_EQ(ReadScore(kAbc)->composer, "Anna Bon");
}

TEST(TitleOfTest, IsTheTitleWithTheOpus) {
  EXPECT_EQ(TitleOf(*ReadScore(kMusicXml), "bon/3.mxl"), "Air, Op. 3");
  EXPECT_EQ(TitleOf(*ReadScore(kAbc), "bon/3.abc"), "Air");
  EXPECT_EQ(TitleOf({.title = "Air, Op. 3", .opus = "Op. 3"}, ""), "Air, Op. 3");
}

TEST(TitleOfTest, IsMadeOfThePathWhereTheScoreHasNone) {
  EXPECT_EQ(TitleOf({}, "bon/air_in_g.mxl"), "air in g");
  EXPECT_EQ(TitleOf({.opus = "Op. 3"}, "bon/air_in_g.mxl"), "air in g");
  EXPECT_EQ(TitleOf({}, ""), "");
  // Its own name, with any ending and without.
  EXPECT_EQ(TitleOf({.title = "AIR_IN_G.score"}, "bon/air_in_g.score"), "air in g");
  EXPECT_EQ(TitleOf({.title = "air_in_g", .opus = "Op. 3"}, "bon/air_in_g.mxl"), "air in g");
  EXPECT_EQ(TitleOf({.title = "air_in_g"}, "bon/other.mxl"), "air_in_g");
  EXPECT_EQ(TitleOf({.title = "Air"}, "bon/air.mxl"), "Air");
  EXPECT_EQ(TitleOf({.title = "Air"}, "bon/air"), "Air");
}

TEST(TitleOfTest, TheNameOfAFileIsNoTitleInAnyFormat) {
  const std::string xml =
      "<score-partwise><movement-title>bwv255.mxl</movement-title><part-list><score-part id='P'>"
      "<part-name>P</part-name></score-part></part-list><part id='P'><measure number='1'>"
      "<attributes><divisions>1</divisions></attributes><note><pitch><step>C</step><octave>4"
      "</octave></pitch><duration>4</duration></note></measure></part></score-partwise>";
  const std::string kern = "!!!OTL: bwv255.krn\n**kern\n4c\n*-\n";
  const std::string abc = "X:1\nT:bwv255.abc\nK:C\nC\n";
  const std::string midi = testing::MidiFile(
      0, 480, {testing::MidiTrack().Name("bwv255.mid").On(0, 60).Off(480, 60).End()});
  for (const std::string& bytes : {xml, kern, abc, midi}) {
    const auto score = ReadScore(bytes);
    ASSERT_TRUE(score.ok()) << score.status() << bytes;
    EXPECT_EQ(score->title, "") << bytes;
    EXPECT_EQ(TitleOf(*score, "bach/bwv_255.mid"), "bwv 255") << bytes;
  }
}

TEST(ReadScoreTest, WhatIsNoScoreIsRefused) {
  EXPECT_THAT(ReadScore("words").status().message(), HasSubstr("MIDI"));
  for (const std::string& bytes : {std::string("words"), std::string(), std::string("PK\3\4zip"),
                                   std::string("MThd"), kSongs}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ReadScore(bytes).status())) << bytes;
  }
  EXPECT_THAT(ReadScore(kSongs).status().message(), HasSubstr("2 tunes"));
}

TEST(ReadScoreTest, LimitsAreThoseOfTheFormat) {
  ScoreLimits limits;
  limits.midi.max_bytes = 10;
  EXPECT_TRUE(absl::IsResourceExhausted(ReadScore(kMidi, limits).status()));
  EXPECT_TRUE(ReadScore(kAbc, limits).ok());
  limits = {};
  limits.notation.max_bytes = 10;
  EXPECT_TRUE(ReadScore(kMidi, limits).ok());
  for (const std::string& bytes : {kMusicXml, kMxl, kHumdrum, kAbc})
    EXPECT_TRUE(absl::IsResourceExhausted(ReadScore(bytes, limits).status())) << bytes;
}

TEST(ReadScoreTest, FilesAreNamedInTheirErrors) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/air.krn";
  std::ofstream(path) << kHumdrum;
  EXPECT_TRUE(ReadScoreFile(path).ok());
  std::ofstream(path) << "words";
  EXPECT_THAT(ReadScoreFile(path).status().message(), HasSubstr("air.krn: "));
  EXPECT_TRUE(absl::IsNotFound(ReadScoreFile(path + "x").status()));
}

TEST(ReadScoreTest, TunesOfABookAreFilesOfTheirOwn) {
  const std::vector<Tune> tunes = TunesOf(kSongs);
  ASSERT_EQ(tunes.size(), 2u);
  EXPECT_EQ(tunes[0].number, "1");
  EXPECT_EQ(tunes[1].number, "7a");
  const auto second = ReadScore(tunes[1].bytes);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->title, "Two");
  EXPECT_EQ(second->notes[0].pitch, 62);
  for (const std::string& bytes : {kAbc, kMidi, kHumdrum, kMusicXml, std::string("words")})
    EXPECT_THAT(TunesOf(bytes), IsEmpty());
}

TEST(ReadScoreTest, APieceIsAFileOrATuneOfIt) {
  const std::vector<FiledScore> tunes = PiecesOf("songs", kSongs);
  ASSERT_EQ(tunes.size(), 2u);
  EXPECT_EQ(tunes[0].id, "songs.1");
  EXPECT_EQ(tunes[0].tune, "1");
  EXPECT_EQ(tunes[1].id, "songs.7a");
  EXPECT_EQ(ReadScore(tunes[1].bytes)->title, "Two");
  for (const std::string& bytes : {kAbc, kMidi, std::string("words")}) {
    const std::vector<FiledScore> one = PiecesOf("air", bytes);
    ASSERT_EQ(one.size(), 1u);
    EXPECT_EQ(one[0].id, "air");
    EXPECT_EQ(one[0].tune, "");
    EXPECT_EQ(one[0].bytes, bytes);
  }
}

TEST(ReadScoreTest, NumbersOfTunesAreDistinct) {
  std::string book;
  for (const char* number : {"1", "1", "", "../x", "1"})
    book += "X:" + std::string(number) + "\nK:C\nC|]\n\n";
  std::vector<std::string> numbers;
  for (const Tune& tune : TunesOf(book)) numbers.push_back(tune.number);
  EXPECT_THAT(numbers, ElementsAre("1", "1-2", "3", "x", "1-3"));
}

TEST(ReadScoreTest, FilesHaveTheEndingOfTheirContents) {
  for (const std::string& bytes : {kMidi, kMusicXml, kMxl, kHumdrum, kAbc}) {
    const std::string ending(EndingOf(*FormatOf(bytes), bytes));
    const auto& known = ScoreEndings();
    EXPECT_NE(std::find(known.begin(), known.end(), ending), known.end()) << ending;
  }
  EXPECT_EQ(EndingOf(ScoreFormat::kMidi, "RIFF....RMID"), ".rmi");
  EXPECT_EQ(NameOf(ScoreFormat::kAbc), "ABC");
}

}  // namespace
}  // namespace antiphon::notation
