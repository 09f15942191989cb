#include "core/musicxml/musicxml.h"

#include <algorithm>
#include <string>

#include "core/musicxml/musicxml_test_util.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/written_scores.h"

namespace antiphon::notation {
namespace {

using ::antiphon::testing::IsSane;
using testing::Attributes;
using testing::Backup;
using testing::Chord;
using ::testing::ElementsAre;
using testing::Grace;
using ::testing::HasSubstr;
using testing::kCommon;
using testing::Measure;
using testing::Note;
using testing::Part;
using testing::Parts;
using testing::Read;
using testing::Rest;
using testing::Shown;
using ::testing::SizeIs;
using testing::Text;

constexpr Ticks kQuarter = kTicksPerQuarter;

std::string OneBar(std::string_view music) { return Part(Measure("1", Text({kCommon, music}))); }

const std::string kTieStart = "<tie type=\"start\"/>";
const std::string kTieStop = "<tie type=\"stop\"/>";

std::string Notations(std::string_view content) {
  return Text({"<notations>", content, "</notations>"});
}

TEST(MusicXmlNotes, ChordsVoicesAndPartsSoundTogether) {
  const WrittenScore score = Read(Parts({
      Measure("1", Text({kCommon, Note("C4", 8), Chord("E4", 8), Note("D4", 8), Backup(16),
                         "<forward><duration>4</duration></forward>",
                         Note("C3", 4, "<voice>2</voice>")})),
      Measure("1", Text({kCommon, Note("G5", 16)})),
  }));
  EXPECT_EQ(Shown(score), "0:8:60 0:8:64 0:16:79 4:4:48 8:8:62");
  ASSERT_THAT(score.notes, SizeIs(5));
  EXPECT_EQ(score.notes[2].part, 1);
  EXPECT_EQ(score.notes[3].voice, 2);
  EXPECT_EQ(score.parts[1].name, "Part 2");
  EXPECT_TRUE(IsSane(score));
}

TEST(MusicXmlNotes, TiedNotesAreOne) {
  const WrittenScore score = Read(Part(
      Text({Measure("1", Text({kCommon, Note("C4", 16, kTieStart), Backup(16),
                               Note("E4", 16, Text({"<voice>2</voice>", kTieStart}))})),
            // The voices have changed places; the last stroke is a new one.
            Measure("2", Text({Note("E4", 8, kTieStop), Note("E4", 8), Backup(16),
                               Note("C4", 16, Text({kTieStop, kTieStart, "<voice>2</voice>"}))})),
            Measure("3", Note("C4", 4, Notations("<tied type=\"stop\"/>")))})));
  EXPECT_EQ(Shown(score), "0:36:60 0:24:64 24:8:64");
}

TEST(MusicXmlNotes, TiesOfBrokenChordsLeadOverWhatIsBetween) {
  // E is held while the chord is built up; G is tied without saying so.
  const WrittenScore score =
      Read(OneBar(Text({Note("E4", 2, kTieStart), Note("G4", 2), Note("E4", 4, kTieStop),
                        Chord("G4", 4, kTieStop), Note("C5", 8, kTieStart)})));
  EXPECT_EQ(Shown(score), "0:8:64 2:6:67 8:8:72");
  EXPECT_FALSE(score.notes[0].continues);
}

TEST(MusicXmlNotes, TiesDoNotLeadFromOneEndingToAnother) {
  const auto ending = [](std::string_view number) {
    return Text({"<barline location=\"left\"><ending number=\"", number, "\" type=\"start\"/>",
                 "</barline>"});
  };
  const WrittenScore score = Read(Part(Text(
      {Measure("1", Text({kCommon, Note("C4", 16, kTieStart)})),
       Measure("2",
               Text({ending("1"), Note("C4", 8, kTieStop), Note("C4", 8),
                     "<barline location=\"right\"><repeat direction=\"backward\"/></barline>"})),
       Measure("3", Text({ending("2"), Note("C4", 16, kTieStop)}))})));
  EXPECT_EQ(Shown(score), "0:24:60 24:8:60 32:16:60");
  EXPECT_FALSE(score.notes[1].continues);
  EXPECT_TRUE(score.notes[2].continues);
}

TEST(MusicXmlNotes, TieToNothingBeforeIsStruckAndSaysSo) {
  const WrittenScore score = Read(OneBar(Note("C4", 8) + Note("D4", 8, kTieStop)));
  EXPECT_EQ(Shown(score), "0:8:60 8:8:62");
  EXPECT_FALSE(score.notes[0].continues);
  EXPECT_TRUE(score.notes[1].continues);
}

TEST(MusicXmlNotes, TupletsHaveWholeLengths) {
  const WrittenScore score =
      Read(Part(Measure("1", Attributes("<divisions>21</divisions>") + Note("C4", 7) +
                                 Note("D4", 7) + Note("E4", 7) + Note("F4", 3))));
  ASSERT_THAT(score.notes, SizeIs(4));
  EXPECT_EQ(score.notes[1].onset, kQuarter / 3);
  EXPECT_EQ(score.notes[3].onset, kQuarter);
  EXPECT_EQ(score.notes[3].duration, kQuarter / 7);
}

TEST(MusicXmlNotes, DivisionsMayChangeWithinAMeasure) {
  const WrittenScore score = Read(OneBar(
      Text({Note("C4", 4), Attributes("<divisions>1</divisions>"), Note("D4", 1), Note("E4", 2)})));
  EXPECT_EQ(Shown(score), "0:4:60 4:4:62 8:8:64");
}

TEST(MusicXmlNotes, GraceNotesCountBackFromTheirNote) {
  const WrittenScore score = Read(OneBar(Text(
      {Note("C4", 4), Grace("D4"), "<note><grace/><chord/><pitch><step>F</step><octave>4</octave>",
       "</pitch></note>", Grace("E4"), Note("C5", 12)})));
  ASSERT_THAT(score.notes, SizeIs(5));
  EXPECT_EQ(Shown(score), "0:4:60 4:0:62 4:0:65 4:0:64 4:12:72");
  EXPECT_EQ(score.notes[1].grace, 2);
  EXPECT_EQ(score.notes[2].grace, 2);
  EXPECT_EQ(score.notes[3].grace, 1);
  EXPECT_EQ(score.notes[4].grace, 0);
  EXPECT_TRUE(IsSane(score));
}

TEST(MusicXmlNotes, GraceNotesAtTheEndOfABarTakeItsEnd) {
  const WrittenScore score =
      Read(Part(Measure("1", Text({kCommon, Note("C4", 16), Grace("D4"), Grace("E4")}))));
  ASSERT_THAT(score.notes, SizeIs(3));
  EXPECT_EQ(score.notes[1].onset, 4 * kQuarter - kQuarter / 4);
  EXPECT_EQ(score.notes[2].onset, 4 * kQuarter - kQuarter / 8);
  EXPECT_EQ(score.notes[2].grace, 0);
  EXPECT_EQ(score.bars[0].length, 4 * kQuarter);
  EXPECT_TRUE(IsSane(score));
}

TEST(MusicXmlNotes, GraceNoteTiedToItsNoteIsThatNote) {
  const WrittenScore score = Read(OneBar(Grace("C4", kTieStart) + Note("C4", 16, kTieStop)));
  EXPECT_EQ(Shown(score), "0:16:60");
}

TEST(MusicXmlNotes, TremoloHasStrokesByItsMarksAndBeams) {
  const std::string tremolo =
      Notations("<ornaments><tremolo type=\"single\">2</tremolo></ornaments>");
  const WrittenScore score =
      Read(OneBar(Note("C4", 8, "<type>half</type>" + tremolo) +
                  Note("D4", 2, "<type>eighth</type>" + tremolo) + Note("E4", 6)));
  ASSERT_THAT(score.notes, SizeIs(3));
  EXPECT_EQ(score.notes[0].tremolo_stroke, kQuarter / 4);
  EXPECT_EQ(score.notes[1].tremolo_stroke, kQuarter / 8);
  EXPECT_EQ(score.notes[2].tremolo_stroke, 0);
}

TEST(MusicXmlNotes, ChordsThatAlternateAreWrittenOut) {
  const auto tremolo = [](std::string_view type) {
    return Text(
        {"<type>half</type><time-modification><actual-notes>2</actual-notes>"
         "<normal-notes>1</normal-notes></time-modification>",
         Notations(Text({"<ornaments><tremolo type=\"", type, "\">2</tremolo></ornaments>"}))});
  };
  const WrittenScore score = Read(OneBar(Text({Note("C4", 4, tremolo("start")), Chord("E4", 4),
                                               Note("G4", 4, tremolo("stop")), Note("C5", 8)})));
  EXPECT_EQ(Shown(score),
            "0:1:60 0:1:64 1:1:67 2:1:60 2:1:64 3:1:67 4:1:60 4:1:64 5:1:67 6:1:60 6:1:64 7:1:67 "
            "8:8:72");
  EXPECT_TRUE(IsSane(score));
}

TEST(MusicXmlNotes, ArpeggiosAreInOrder) {
  const std::string up = Notations("<arpeggiate/>");
  const std::string down = Notations("<arpeggiate number=\"2\" direction=\"down\"/>");
  const WrittenScore score =
      Read(OneBar(Text({Note("E4", 8, up), Chord("C4", 8, up), Note("C4", 8, down),
                        Chord("G4", 8, down), Chord("E5", 8)})));
  ASSERT_THAT(score.notes, SizeIs(5));
  EXPECT_EQ(score.notes[0].arpeggio, 1);  // C
  EXPECT_EQ(score.notes[1].arpeggio, 2);
  EXPECT_EQ(score.notes[2].arpeggio, 2);  // C
  EXPECT_EQ(score.notes[3].arpeggio, 1);
  EXPECT_EQ(score.notes[4].arpeggio, 0);
}

TEST(MusicXmlNotes, OrnamentsKnowTheirNeighbours) {
  const auto with = [](std::string_view ornament) {
    return Notations(Text({"<ornaments>", ornament, "</ornaments>"}));
  };
  const WrittenScore score = Read(Part(Measure(
      "1", Text({kCommon, Attributes("<key><fifths>1</fifths></key>"),
                 Note("E4", 2, with("<trill-mark/>")), Note("E4", 2, with("<mordent/>")),
                 Note("D4", 2, with("<inverted-mordent/><accidental-mark>flat</accidental-mark>")),
                 Note("F#4", 2,
                      with("<turn/><accidental-mark placement=\"below\">sharp</accidental-mark>")),
                 Note("B#4", 2), Note("A4", 2, with("<inverted-turn/>")),
                 Note("C5", 4, with("<wavy-line type=\"start\"/>"))}))));
  ASSERT_THAT(score.notes, SizeIs(7));
  const auto expect = [&score](size_t index, Ornament ornament, int upper, int lower) {
    EXPECT_EQ(score.notes[index].ornament, ornament) << index;
    EXPECT_EQ(score.notes[index].ornament_upper, upper) << index;
    EXPECT_EQ(score.notes[index].ornament_lower, lower) << index;
  };
  expect(0, Ornament::kTrill, 2, 2);  // F sharp, D
  expect(1, Ornament::kMordent, 2, 2);
  expect(2, Ornament::kInvertedMordent, 1, 2);  // E flat, C
  expect(3, Ornament::kTurn, 1, 1);             // G, E sharp
  expect(4, Ornament::kNone, 2, 2);
  expect(5, Ornament::kInvertedTurn, 3, 2);  // B sharp stands in the bar
  expect(6, Ornament::kTrill, 2, 1);
}

TEST(MusicXmlNotes, PitchesAreAsHeard) {
  const std::string shift =
      "<direction><direction-type><octave-shift type=\"down\" size=\"15\"/></direction-type>"
      "</direction>";
  const WrittenScore score = Read(OneBar(Text(
      {Attributes("<clef><sign>G</sign><clef-octave-change>-1</clef-octave-change></clef>"), shift,
       Note("C6", 4), Attributes("<transpose><chromatic>-2</chromatic></transpose>"), Note("C4", 4),
       Attributes("<transpose><diatonic>-7</diatonic><chromatic>-9</chromatic>"
                  "<octave-change>-1</octave-change></transpose>"),
       Note("C4", 4), Attributes("<transpose><chromatic>0</chromatic><double/></transpose>"),
       Note("C4", 4)})));
  EXPECT_EQ(Shown(score), "0:4:84 4:4:58 8:4:39 12:4:48 12:4:60");
}

TEST(MusicXmlNotes, AccidentalsThatThePitchIsWithoutAreReadAsPrinted) {
  const std::string sharp = "<accidental>sharp</accidental>";
  const WrittenScore score = Read(
      Part(Text({Measure("1", Text({kCommon, Note("C4", 4, sharp), Note("C5", 4), Note("C4", 4),
                                    Note("C4", 4, kTieStart)})),
                 Measure("2", Text({Note("C4", 4, kTieStop), Note("C4", 4), Note("D4", 4, sharp),
                                    Note("D4", 4, "<accidental>natural</accidental>")})),
                 Measure("3", Note("F#4", 16, sharp))})));
  EXPECT_EQ(Shown(score), "0:4:61 4:4:72 8:4:61 12:8:61 20:4:60 24:4:63 28:4:62 32:16:66");
  ASSERT_THAT(score.warnings, SizeIs(1));
  EXPECT_THAT(score.warnings[0], HasSubstr("1 more"));
}

TEST(MusicXmlNotes, StavesMayTransposeByThemselves) {
  const WrittenScore score = Read(
      OneBar(Text({Attributes("<transpose number=\"2\"><chromatic>-12</chromatic></transpose>"),
                   Note("C4", 8, "<staff>1</staff>"), Note("C4", 8, "<staff>2</staff>")})));
  EXPECT_EQ(Shown(score), "0:8:60 8:8:48");
}

TEST(MusicXmlNotes, PercussionAndCuesAreLeftOutAndCounted) {
  const std::string drums =
      Text({"<note><unpitched><display-step>E</display-step><display-octave>4</display-octave>"
            "</unpitched><duration>4</duration></note>"});
  const std::string cue =
      "<note><cue/><pitch><step>C</step><octave>4</octave></pitch><duration>4</duration></note>";
  const WrittenScore score =
      Read(Parts({Measure("1", Text({kCommon, drums, cue,
                                     Note("D4", 4, "<notehead>slash</notehead>"), Note("C4", 4)})),
                  Measure("1", Text({kCommon, drums, drums}))}));
  EXPECT_EQ(Shown(score), "12:4:60");
  EXPECT_EQ(score.unpitched_notes, 4);
  EXPECT_EQ(score.cue_notes, 1);
  EXPECT_FALSE(score.parts[0].percussion);
  EXPECT_TRUE(score.parts[1].percussion);
}

TEST(MusicXmlNotes, NotesOnTheDrumChannelAreUnpitched) {
  const std::string file = Text(
      {"<score-partwise><part-list><score-part id=\"A\"><part-name>Kit</part-name>"
       "<midi-instrument id=\"A-I1\"><midi-channel>1</midi-channel><midi-program>41</midi-program>"
       "</midi-instrument><midi-instrument id=\"A-I2\"><midi-channel>10</midi-channel>"
       "</midi-instrument></score-part></part-list><part id=\"A\">",
       Measure("1", Text({kCommon, Note("C4", 4, "<instrument id=\"A-I1\"/>"),
                          Note("C4", 4, "<instrument id=\"A-I2\"/>"), Note("C4", 8)})),
       "</part></score-partwise>"});
  const WrittenScore score = Read(file);
  EXPECT_EQ(Shown(score), "0:4:60 8:8:60");
  EXPECT_EQ(score.unpitched_notes, 1);
  EXPECT_EQ(score.parts[0].program, 40);
}

TEST(MusicXmlNotes, VelocitiesFollowDynamics) {
  const auto direction = [](std::string_view marks, std::string_view sound) {
    return Text({"<direction><direction-type><dynamics>", marks, "</dynamics></direction-type>",
                 sound, "</direction>"});
  };
  const WrittenScore score = Read(OneBar(
      Text({Note("C4", 2), direction("<p/>", ""), Note("D4", 2), direction("<sfz/>", ""),
            Note("E4", 2), Note("F4", 2), direction("<f/>", "<sound dynamics=\"100\"/>"),
            Note("G4", 2), "<note dynamics=\"50\"><pitch><step>A</step><octave>4</octave></pitch>",
            "<duration>2</duration></note>", direction("<fp/>", "<sound dynamics=\"106\"/>"),
            Note("B4", 2), Note("C5", 2)})));
  std::vector<int> velocities;
  for (const WrittenNote& note : score.notes) velocities.push_back(note.velocity);
  EXPECT_THAT(velocities, ElementsAre(0, 49, 112, 49, 90, 45, 96, 49));
}

TEST(MusicXmlNotes, HairpinsLeadFromMarkToMark) {
  const auto direction = [](std::string_view what) {
    return Text({"<direction><direction-type>", what, "</direction-type></direction>"});
  };
  const WrittenScore score = Read(
      OneBar(Text({direction("<dynamics><p/></dynamics>"), direction("<wedge type=\"crescendo\"/>"),
                   Note("C4", 2), Note("D4", 2), direction("<wedge type=\"stop\"/>"),
                   direction("<dynamics><mf/></dynamics>"), Note("E4", 2),
                   direction("<wedge type=\"diminuendo\" number=\"2\"/>"),
                   // Of these nothing says where the one ends, and where the other begins.
                   direction("<wedge type=\"crescendo\" number=\"3\"/>"),
                   direction("<wedge type=\"stop\" number=\"4\"/>"), Note("F4", 2),
                   direction("<dynamics><fz/></dynamics>"), Note("G4", 2),
                   direction("<wedge type=\"stop\" number=\"2\"/>"), Note("A4", 2)})));
  std::vector<int> velocities;
  for (const WrittenNote& note : score.notes) velocities.push_back(note.velocity);
  EXPECT_THAT(velocities, ElementsAre(49, 65, 80, 80, 112, 64));
}

TEST(MusicXmlNotes, LengthThatIsMissingIsThatOfTheNotation) {
  const WrittenScore score = Read(OneBar(
      "<note><pitch><step>C</step><octave>4</octave></pitch><type>quarter</type><dot/></note>" +
      Note("D4", 4)));
  EXPECT_EQ(Shown(score), "0:6:60 6:4:62");
  ASSERT_THAT(score.warnings, SizeIs(1));
  EXPECT_THAT(score.warnings[0], HasSubstr("bar 1 of Part 1"));
}

TEST(MusicXmlNotes, MeasureRepeatHasTheNotesOfTheMeasuresBefore) {
  const auto style = [](std::string_view type, std::string_view count) {
    return Attributes(Text({"<measure-style><measure-repeat type=\"", type, "\">", count,
                            "</measure-repeat></measure-style>"}));
  };
  const WrittenScore score =
      Read(Part(Text({Measure("1", Text({kCommon, Note("C4", 16)})), Measure("2", Note("D4", 16)),
                      Measure("3", Text({style("start", "2"), Rest(16)})), Measure("4", Rest(16)),
                      Measure("5", Text({style("stop", ""), Rest(16)}))})));
  EXPECT_EQ(Shown(score), "0:16:60 16:16:62 32:16:60 48:16:62");
}

TEST(MusicXmlNotes, TextsAndProgramsComeFromTheHead) {
  const WrittenScore score = Read(
      "<score-partwise><work><work-number>Op. 1</work-number><work-title>Songs</work-title></work>"
      "<movement-number>3</movement-number><movement-title>Dawn &amp; dusk</movement-title>"
      "<identification>"
      "<creator type=\"lyricist\">A</creator><creator type=\"composer\">B\nC</creator>"
      "</identification><part-list><score-part id=\"P\"><part-name>Violin</part-name>"
      "<midi-instrument id=\"I\"><midi-program>41</midi-program></midi-instrument></score-part>"
      "</part-list><part id=\"P\"><measure number=\"1\"/></part></score-partwise>");
  EXPECT_EQ(score.title, "Songs: Dawn & dusk");
  EXPECT_EQ(score.composer, "B C");
  EXPECT_EQ(score.opus, "Op. 1, No. 3");
  ASSERT_THAT(score.parts, SizeIs(1));
  EXPECT_EQ(score.parts[0].program, 40);
  EXPECT_EQ(score.bars[0].length, 4 * kQuarter);
}

TEST(MusicXmlNotes, TheNameOfAFileIsNoTitle) {
  const auto title = [](std::string_view work, std::string_view movement, std::string_view credit) {
    return Read(Text({"<score-partwise><work><work-title>", work, "</work-title></work>",
                      "<movement-title>", movement, "</movement-title>",
                      "<credit page=\"1\"><credit-type>title</credit-type><credit-words>", credit,
                      "</credit-words></credit><part-list><score-part id=\"P\"><part-name/>",
                      "</score-part></part-list><part id=\"P\"><measure number=\"1\"/></part>",
                      "</score-partwise>"}))
        .title;
  };
  EXPECT_EQ(title("bwv255.mxl", "Bwv255.MXL", "Ach Gott"), "Ach Gott");
  EXPECT_EQ(title("Chorales", "bwv255.mxl", "Ach Gott"), "Chorales");
  EXPECT_EQ(title("Untitled score", "Ach Gott", ""), "Ach Gott");
  EXPECT_EQ(title("bwv255.mxl", "", "bwv255.xml"), "");
}

TEST(MusicXmlNotes, TimewiseIsTheSameMusic) {
  const std::string one = Text({kCommon, Note("C4", 16)}), two = Note("D4", 16);
  const std::string other = Text({kCommon, Note("E4", 16)}), last = Note("F4", 16);
  const std::string timewise =
      Text({"<score-timewise><part-list><score-part id=\"P1\"><part-name>Part "
            "1</part-name></score-part>",
            "<score-part id=\"P2\"><part-name>Part 2</part-name></score-part></part-list>",
            "<measure number=\"0\"><part id=\"P1\">", one, "</part><part id=\"P2\">", other,
            "</part></measure><measure number=\"1a\">", "<part id=\"P1\">", two,
            "</part><part id=\"P2\">", last, "</part></measure></score-timewise>"});
  const WrittenScore score = Read(timewise);
  EXPECT_EQ(Shown(score), Shown(Read(Parts({Measure("0", one) + Measure("1a", two),
                                            Measure("0", other) + Measure("1a", last)}))));
  EXPECT_EQ(Shown(score), "0:16:60 0:16:64 16:16:62 16:16:65");
  EXPECT_EQ(score.bars[1].number, "1a");
}

TEST(MusicXmlNotes, PartsThatTimewiseMeasuresAreWithoutKeepTheirPlace) {
  const WrittenScore score = Read(Text(
      {"<score-timewise><part-list/><measure number=\"1\"><part id=\"A\">", kCommon, Note("C4", 16),
       "</part></measure><measure number=\"2\"><part id=\"A\">", Note("D4", 16),
       "</part><part id=\"B\">", kCommon, Note("E4", 16), "</part></measure></score-timewise>"}));
  EXPECT_EQ(Shown(score), "0:16:60 16:16:62 16:16:64");
  EXPECT_EQ(score.bars[0].number, "1");
}

}  // namespace
}  // namespace antiphon::notation
