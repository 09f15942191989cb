// Encodings, containers, damage and limits.
#include <random>
#include <string>

#include "core/musicxml/musicxml.h"
#include "core/musicxml/musicxml_test_util.h"
#include "core/musicxml/mxl_archive.h"
#include "core/musicxml/xml_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/mxl.h"
#include "tests/support/written_scores.h"

namespace antiphon::notation {
namespace {

using ::antiphon::testing::IsSane;
using ::antiphon::testing::MakeMxl;
using testing::Backup;
using testing::Chord;
using testing::Grace;
using ::testing::HasSubstr;
using testing::kCommon;
using testing::Measure;
using testing::Note;
using testing::Part;
using testing::Read;
using testing::Shown;
using ::testing::SizeIs;
using testing::Text;

std::string Plain() { return Part(Measure("1", Text({kCommon, Note("C4", 16)}))); }

std::string Declared(std::string_view encoding, std::string_view title) {
  return Text({"<?xml version=\"1.0\" encoding=\"", encoding, "\"?><score-partwise>",
               "<movement-title>", title, "</movement-title><part-list>",
               "<score-part id=\"P\"/></part-list><part id=\"P\">", Measure("1", Note("C4", 1)),
               "</part></score-partwise>"});
}

std::string Utf16(std::string_view ascii, bool big_endian, bool mark) {
  std::string bytes;
  if (mark) bytes = big_endian ? "\xfe\xff" : "\xff\xfe";
  for (const char c : ascii) {
    const char unit[] = {big_endian ? '\0' : c, big_endian ? c : '\0'};
    bytes.append(unit, 2);
  }
  return bytes;
}

absl::Status Refusal(std::string_view bytes, const NotationLimits& limits = {}) {
  return ReadMusicXml(bytes, limits).status();
}

void ExpectRefused(std::string_view bytes, absl::StatusCode code, const char* message,
                   const NotationLimits& limits = {}) {
  const absl::Status status = Refusal(bytes, limits);
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(message));
}

TEST(MusicXmlEncodings, EachGivesTheSameText) {
  EXPECT_EQ(Read(Declared("UTF-8", "Pr\xc3\xa9lude")).title, "Pr\xc3\xa9lude");
  EXPECT_EQ(Read("\xef\xbb\xbf" + Declared("UTF-8", "Pr\xc3\xa9lude")).title, "Pr\xc3\xa9lude");
  EXPECT_EQ(Read(Declared("ISO-8859-1", "Pr\xe9lude")).title, "Pr\xc3\xa9lude");
  // What is declared holds, even where it would be UTF-8.
  EXPECT_EQ(Read(Declared("iso-8859-1", "\xc3\xa9")).title, "\xc3\x83\xc2\xa9");
  for (const bool big_endian : {false, true}) {
    for (const bool mark : {false, true})
      EXPECT_EQ(Read(Utf16(Declared("UTF-16", "Lied"), big_endian, mark)).title, "Lied");
  }
  EXPECT_EQ(Read(Declared("UTF-8", "&#233; &amp; &lt;")).title, "\xc3\xa9 & <");
  EXPECT_EQ(Read(Declared("UTF-8", "<![CDATA[<b>]]>")).title, "<b>");
  // Declared as one, written as the other.
  EXPECT_EQ(Read(Declared("UTF-16", "Lied")).title, "Lied");
}

TEST(MusicXmlEncodings, TextIsAlwaysUtf8) {
  const WrittenScore score = Read(Declared("UTF-8", "\xff\xfe\x80 x"));
  EXPECT_FALSE(score.title.empty());
  EXPECT_THAT(score.title, ::testing::Not(HasSubstr("\xff")));
}

TEST(MusicXmlContainers, TheRootFileIsRead) {
  const std::string container =
      "<container><rootfiles><rootfile full-path=\"a.pdf\" media-type=\"application/pdf\"/>"
      "<rootfile full-path=\"b/music.xml\" media-type=\"application/vnd.recordare.musicxml+xml\"/>"
      "</rootfiles></container>";
  const std::string mxl = MakeMxl(
      {{"META-INF/container.xml", container}, {"a.xml", "<no/>"}, {"b/music.xml", Plain()}});
  EXPECT_EQ(Shown(Read(mxl)), "0:16:60");
  EXPECT_TRUE(LooksLikeMusicXml(mxl));
  const std::string listless = MakeMxl({{"score.musicxml", Plain()}});
  EXPECT_EQ(Shown(Read(listless)), "0:16:60");
  EXPECT_TRUE(LooksLikeMusicXml(listless));
}

TEST(MusicXmlContainers, DamageAndBombsAreRefused) {
  const std::string mxl = MakeMxl({{"score.xml", Plain()}});
  ExpectRefused(mxl.substr(0, mxl.size() / 2), absl::StatusCode::kInvalidArgument, ".mxl");
  ExpectRefused(MakeMxl({{"readme.txt", "x"}}), absl::StatusCode::kInvalidArgument,
                "no score in it");
  std::string flipped = mxl;
  flipped[60] = static_cast<char>(flipped[60] ^ 0x55);
  EXPECT_FALSE(Refusal(flipped).ok());
  NotationLimits limits;
  limits.max_bytes = 1 << 20;
  const std::string bomb = MakeMxl({{"score.xml", std::string(8 << 20, ' ')}});
  ASSERT_LT(bomb.size(), 64 << 10);
  ExpectRefused(bomb, absl::StatusCode::kResourceExhausted, "1048576 bytes unpacked", limits);
  std::vector<antiphon::testing::MxlEntry> many;
  for (int i = 0; i < 1001; ++i) many.push_back({"f" + std::to_string(i), ""});
  ExpectRefused(MakeMxl(many), absl::StatusCode::kResourceExhausted, "1000 entries");
}

TEST(MusicXmlContainers, OtherArchivesAreNone) {
  EXPECT_FALSE(LooksLikeMusicXml(MakeMxl({{"[Content_Types].xml", "x"}})));
  EXPECT_FALSE(LooksLikeMusicXml(MakeMxl({{"mimetype", "application/epub+zip"}})));
  EXPECT_FALSE(LooksLikeMusicXml("PK\x03\x04"));
}

TEST(MusicXmlErrors, SayWhere) {
  const std::string bad =
      Part(Text({Measure("1", Text({kCommon, Note("C4", 16)})), Measure("2a", Note("H4", 4))}));
  ExpectRefused(bad, absl::StatusCode::kInvalidArgument,
                "MusicXML, line 12, bar 2a of Part 1: a pitch that is none, \"H\"");
  ExpectRefused(Part(Measure("7", "<backup/>")), absl::StatusCode::kInvalidArgument, "bar 7");
  ExpectRefused(Part(Measure("7", Note("C4", -1))), absl::StatusCode::kInvalidArgument, "negative");
  ExpectRefused(Part(Measure("7", "<attributes><divisions>0</divisions></attributes>")),
                absl::StatusCode::kInvalidArgument, "divisions");
  ExpectRefused(Part(Measure("7", Note("C4", 100'000'000))), absl::StatusCode::kInvalidArgument,
                "10,000");
  ExpectRefused("<score-partwise>\n<part></score-partwise>", absl::StatusCode::kInvalidArgument,
                "line 2");
  ExpectRefused("<html/>", absl::StatusCode::kInvalidArgument, "<html>");
  ExpectRefused("<opus/>", absl::StatusCode::kInvalidArgument, "opus");
  ExpectRefused("", absl::StatusCode::kInvalidArgument, "XML");
  ExpectRefused("<score-partwise/>", absl::StatusCode::kInvalidArgument, "no measures");
}

TEST(MusicXmlErrors, OldLineEndsCount) {
  std::string bad = Part(Measure("1", Note("H4", 4)));
  std::replace(bad.begin(), bad.end(), '\n', '\r');
  ExpectRefused(bad, absl::StatusCode::kInvalidArgument, "line 8");
}

TEST(MusicXmlErrors, RepairsAreWarnings) {
  const WrittenScore score = Read(Part(Measure(
      "3", Text({kCommon, Note("C4", 4), Backup(8), Note("D4", 4), Backup(99), Note("E4", 16)}))));
  EXPECT_EQ(Shown(score), "0:4:60 0:4:62 0:16:64");
  ASSERT_THAT(score.warnings, SizeIs(1));
  EXPECT_THAT(score.warnings[0], HasSubstr("bar 3 of Part 1: a backup"));
  EXPECT_THAT(score.warnings[0], HasSubstr("1 more"));
  std::string music;
  for (int i = 0; i < 100; ++i)
    music += Note("C9", 1, "") + "<backup><duration>9</duration></backup>";
  EXPECT_LE(Read(Part(Measure("1", music))).warnings.size(), 20);
}

TEST(MusicXmlLimits, AreNamed) {
  NotationLimits limits;
  limits.max_notes = 2;
  limits.max_bars = 2;
  limits.max_parts = 1;
  const std::string bar = Measure("1", Note("C4", 1));
  EXPECT_TRUE(ReadMusicXml(Part(bar + bar), limits).ok());
  ExpectRefused(Part(bar + Measure("2", Note("C4", 1) + Note("C4", 1))),
                absl::StatusCode::kResourceExhausted, "notes", limits);
  ExpectRefused(Part(bar + bar + bar), absl::StatusCode::kResourceExhausted, "bars", limits);
  ExpectRefused(testing::Parts({bar, bar}), absl::StatusCode::kResourceExhausted, "parts", limits);
  limits = {};
  limits.max_bytes = 10;
  ExpectRefused(Plain(), absl::StatusCode::kResourceExhausted, "bytes", limits);
  limits.max_bytes = 1 << 20;
  std::string elements = "<score-partwise>";
  for (int i = 0; i < 100'000; ++i) elements += "<a/>";
  ExpectRefused(elements + "</score-partwise>", absl::StatusCode::kResourceExhausted, "tags",
                limits);
}

TEST(MusicXmlHostile, EntitiesAreNotExpanded) {
  const WrittenScore score = Read(
      "<?xml version=\"1.0\"?><!DOCTYPE score-partwise [<!ENTITY a \"aaaaaaaaaa\">"
      "<!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c SYSTEM \"file:///etc/passwd\">]>" +
      Declared("UTF-8", "&b;&c;").substr(38));
  EXPECT_EQ(score.title, "&b;&c;");
}

TEST(MusicXmlHostile, DepthTakesNoStack) {
  std::string deep = "<score-partwise>";
  for (int i = 0; i < 1'000'000; ++i) deep += "<a>";
  EXPECT_FALSE(Refusal(deep).ok());
  for (int i = 0; i < 1'000'000; ++i) deep += "</a>";
  EXPECT_FALSE(Refusal(deep + "</score-partwise>").ok());
}

TEST(MusicXmlHostile, ManyTiesTakeTimeByTheirNumber) {
  std::string music = "<attributes><divisions>100</divisions></attributes>";
  for (int i = 0; i < 100'000; ++i)
    music += Note("C4", 90'000, "<tie type=\"stop\"/><tie type=\"start\"/>") + Backup(89'999);
  const auto score = ReadMusicXml(Part(Measure("1", music)));
  EXPECT_TRUE(score.ok() || score.status().code() == absl::StatusCode::kInvalidArgument);
}

// Whatever one byte becomes, the answer is a score that keeps its promises, or a reason.
TEST(MusicXmlHostile, DamagedFilesAreReadOrRefused) {
  const std::string tremolo =
      "<notations><ornaments><tremolo type=\"start\">2</tremolo></ornaments></notations>";
  const std::string file = Part(Text(
      {Measure("1",
               Text({kCommon, Grace("D4"), Note("C4", 4, "<tie type=\"start\"/>"), Chord("E4", 4),
                     Note("C4", 4, "<tie type=\"stop\"/>"), Note("C4", 4, tremolo),
                     Note("D4", 4, tremolo), Backup(16), Note("C3", 16, "<voice>2</voice>")})),
       Measure("2", Text({"<barline location=\"left\"><ending number=\"1\" type=\"start\"/>",
                          "</barline><direction><sound tempo=\"90\" dacapo=\"yes\"/></direction>",
                          Note("C4", 16), Grace("C5")}))}));
  std::mt19937 random(5);
  int read = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = file;
    for (int change = 0; change < 1 + round % 3; ++change) {
      const size_t at = random() % damaged.size();
      if (round % 2 == 0) {
        damaged[at] = static_cast<char>("<>/\"0919-.CDyes \n"[random() % 17]);
      } else {
        damaged.erase(at, random() % 40);
      }
    }
    const auto score = ReadMusicXml(damaged);
    if (!score.ok()) {
      ASSERT_TRUE(absl::IsInvalidArgument(score.status()) ||
                  absl::IsResourceExhausted(score.status()))
          << score.status();
      continue;
    }
    ++read;
    ASSERT_TRUE(IsSane(*score)) << damaged;
  }
  EXPECT_GT(read, 100);
}

TEST(MusicXmlKind, IsToldByTheHead) {
  EXPECT_TRUE(LooksLikeMusicXml(Plain()));
  EXPECT_TRUE(LooksLikeMusicXml(Utf16(Plain(), false, true)));
  EXPECT_TRUE(LooksLikeMusicXml("\xef\xbb\xbf <score-timewise>"));
  EXPECT_FALSE(LooksLikeMusicXml("<html><body>score-partwise</body></html>"));
  EXPECT_FALSE(LooksLikeMusicXml("MThd"));
  EXPECT_FALSE(LooksLikeMusicXml(""));
}

}  // namespace
}  // namespace antiphon::notation
