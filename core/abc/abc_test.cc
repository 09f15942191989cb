#include "core/abc/abc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace antiphon::notation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view kHeader = "X:1\nT:Tune\nM:4/4\nL:1/4\n";

double Quarters(Ticks ticks) { return static_cast<double>(ticks) / kTicksPerQuarter; }

WrittenScore One(const std::string& text) {
  auto scores = ReadAbc(text);
  EXPECT_TRUE(scores.ok()) << scores.status() << "\n" << text;
  if (!scores.ok()) return {};
  EXPECT_THAT(*scores, SizeIs(1));
  return std::move(scores->front());
}

// A tune in C, with quarter notes as unit.
WrittenScore Tune(const std::string& music, const std::string& fields = "") {
  return One(absl::StrCat(std::string(kHeader), fields, "K:C\n", music, "\n"));
}

// "60@0+1": the pitch, where it begins, and how long it is, in quarter notes; g1 before a grace
// note.
std::string Text(const WrittenNote& note) {
  return absl::StrCat(note.grace > 0 ? absl::StrCat("g", note.grace, ":") : "", note.pitch, "@",
                      Quarters(note.onset),
                      note.grace > 0 ? "" : absl::StrCat("+", Quarters(note.duration)));
}

std::string Text(const WrittenScore& score) {
  return absl::StrJoin(score.notes, " ", [](std::string* out, const WrittenNote& note) {
    absl::StrAppend(out, Text(note));
  });
}

std::string Notes(const std::string& music, const std::string& fields = "") {
  const WrittenScore score = Tune(music, fields);
  EXPECT_THAT(score.warnings, IsEmpty()) << music;
  return Text(score);
}

std::string Pitches(const WrittenScore& score) {
  return absl::StrJoin(score.notes, " ", [](std::string* out, const WrittenNote& note) {
    absl::StrAppend(out, note.pitch);
  });
}

std::string Pitches(const std::string& key, const std::string& music) {
  return Pitches(One(absl::StrCat("X:1\nL:1/4\nK:", key, "\n", music, "\n")));
}

std::string Refusal(const std::string& text, const NotationLimits& limits = {}) {
  return ReadAbc(text, limits).status().ToString();
}

TEST(AbcNotesTest, PitchesAndOctaves) {
  EXPECT_EQ(Notes("C,CGc|c'c''c,c'"), "48@0+1 60@1+1 67@2+1 72@3+1 84@4+1 96@5+1 60@6+1 84@7+1");
}

TEST(AbcNotesTest, LengthsAreFractionsOfTheUnit) {
  EXPECT_EQ(Notes("C2D/E//F3/2G/4A3/"),
            "60@0+2 62@2+0.5 64@2.5+0.25 65@2.75+1.5 67@4.25+0.25 69@4.5+1.5");
}

TEST(AbcNotesTest, WithoutLTheMetreDecidesOnTheUnit) {
  const auto unit = [](const std::string& metre) {
    return Quarters(One(absl::StrCat("X:1\n", metre, "K:C\nC\n")).notes[0].duration);
  };
  EXPECT_EQ(unit("M:2/4\n"), 0.25);
  EXPECT_EQ(unit("M:3/4\n"), 0.5);
  EXPECT_EQ(unit("M:C|\n"), 0.5);
  EXPECT_EQ(unit("M:none\n"), 0.5);
  EXPECT_EQ(unit(""), 0.5);
}

TEST(AbcNotesTest, AccidentalsHoldToTheEndOfTheBarInAllOctaves) {
  EXPECT_EQ(Pitches("C", "^CCc|C__D=D^^F"), "61 61 73 60 60 62 67");
}

TEST(AbcNotesTest, PropagateAccidentalsSaysHowFarTheyHold) {
  const auto pitches = [](const std::string& how) {
    return Pitches(Tune("^CCc|C", absl::StrCat("%%propagate-accidentals ", how, "\n")));
  };
  EXPECT_EQ(pitches("not"), "61 60 72 60");
  EXPECT_EQ(pitches("octave"), "61 61 72 60");
  EXPECT_EQ(pitches("pitch"), "61 61 73 60");
  EXPECT_EQ(Pitches(Tune("^CC[I:propagate-accidentals not]^DD")), "61 61 63 62");
}

TEST(AbcNotesTest, KeysAndModes) {
  const std::string scale = "CDEFGAB";
  EXPECT_EQ(Pitches("D", scale), "61 62 64 66 67 69 71");
  EXPECT_EQ(Pitches("Gm", scale), "60 62 63 65 67 69 70");
  EXPECT_EQ(Pitches("G minor", scale), "60 62 63 65 67 69 70");
  EXPECT_EQ(Pitches("D dorian", scale), "60 62 64 65 67 69 71");
  EXPECT_EQ(Pitches("AMix", scale), "61 62 64 66 67 69 71");
  EXPECT_EQ(Pitches("E phr", scale), "60 62 64 65 67 69 71");
  EXPECT_EQ(Pitches("F LYDIAN", scale), "60 62 64 65 67 69 71");
  EXPECT_EQ(Pitches("B loc", scale), "60 62 64 65 67 69 71");
  EXPECT_EQ(Pitches("Bb", scale), "60 62 63 65 67 69 70");
  EXPECT_EQ(Pitches("F#m", scale), "61 62 64 66 68 69 71");
  EXPECT_EQ(Pitches("HP", scale), "61 62 64 66 67 69 71");
  EXPECT_EQ(Pitches("none", scale), "60 62 64 65 67 69 71");
  EXPECT_EQ(Pitches("", scale), "60 62 64 65 67 69 71");
}

TEST(AbcNotesTest, AccidentalsOfAKey) {
  EXPECT_EQ(Pitches("D =c", "CF"), "60 66");
  EXPECT_EQ(Pitches("D exp _b ^f", "CFB"), "60 66 70");
  EXPECT_EQ(Pitches("A Phr ^c", "CB"), "61 70");
  EXPECT_EQ(Pitches("^c", "CF"), "61 65");
}

TEST(AbcNotesTest, KeysAreWrittenToTheScore) {
  const WrittenScore score = Tune("C4|[K:Gm]C4|[K:Ador]C4|");
  ASSERT_THAT(score.keys, SizeIs(3));
  EXPECT_EQ(score.keys[0].value.fifths, 0);
  EXPECT_EQ(score.keys[1].value.fifths, -2);
  EXPECT_TRUE(score.keys[1].value.minor);
  EXPECT_EQ(score.keys[2].value.fifths, 1);
  EXPECT_EQ(Quarters(score.keys[2].at), 8);
}

TEST(AbcNotesTest, ClefsOctavesAndTranspositions) {
  EXPECT_EQ(Pitches("C clef=treble-8", "C"), "48");
  EXPECT_EQ(Pitches("C treble+8", "C"), "72");
  EXPECT_EQ(Pitches("C bass", "C,"), "48");
  EXPECT_EQ(Pitches("C octave=-1", "C"), "48");
  EXPECT_EQ(Pitches("C transpose=-2", "C"), "58");
  EXPECT_EQ(Pitches("C octave=1 transpose=3 clef=treble-8", "C"), "63");
  EXPECT_EQ(Pitches("C\n%%MIDI transpose -12", "C"), "48");
  // A clarinet in B flat: the key is that which sounds.
  EXPECT_EQ(One("X:1\nK:D transpose=-2\nD\n").keys[0].value.fifths, 0);
}

TEST(AbcNotesTest, RestsAndSpaces) {
  EXPECT_EQ(Notes("C z D x|E y2 F z2"), "60@0+1 62@2+1 64@4+1 65@5+1");
  const WrittenScore bars = Tune("C4|Z2|D4|X|E4|");
  EXPECT_EQ(Text(bars), "60@0+4 62@12+4 64@20+4");
  EXPECT_THAT(bars.bars, SizeIs(6));
}

TEST(AbcNotesTest, Ties) {
  EXPECT_EQ(Notes("C2-C2|D2 D2"), "60@0+4 62@4+2 62@6+2");
  EXPECT_EQ(Notes("C4-|C4-|C2 D2"), "60@0+10 62@10+2");
  EXPECT_EQ(Notes("[C-E]2 [CE]2"), "60@0+4 64@0+2 64@2+2");
  EXPECT_EQ(Notes("[CE]2- [CE]2"), "60@0+4 64@0+4");
  EXPECT_EQ(Notes("(C D) (E F)"), "60@0+1 62@1+1 64@2+1 65@3+1");
}

TEST(AbcNotesTest, ATieCarriesItsAccidentalOverTheBarLine) {
  EXPECT_EQ(Notes("^C4-|C2 C2"), "61@0+6 60@6+2");
}

TEST(AbcNotesTest, ATieThatLeadsNowhereIsSaid) {
  const WrittenScore score = Tune("C2-D2");
  EXPECT_EQ(Text(score), "60@0+2 62@2+2");
  EXPECT_THAT(score.warnings, ElementsAre(HasSubstr("ties")));
}

TEST(AbcNotesTest, Chords) {
  EXPECT_EQ(Notes("[CEG]2 [C2E2]/ D"), "60@0+2 64@0+2 67@0+2 60@2+1 64@2+1 62@3+1");
  // The first note says when the music goes on.
  EXPECT_EQ(Notes("[C2E4] D2"), "60@0+2 64@0+4 62@2+2");
  EXPECT_EQ(Notes("[CC]2 +DF+2"), "60@0+2 62@2+2 65@2+2");
}

TEST(AbcNotesTest, BrokenRhythm) {
  EXPECT_EQ(Notes("C>D E<F"), "60@0+1.5 62@1.5+0.5 64@2+0.5 65@2.5+1.5");
  EXPECT_EQ(Notes("C>>D E<<F"), "60@0+1.75 62@1.75+0.25 64@2+0.25 65@2.25+1.75");
  EXPECT_EQ(Notes("C > \"Am\" .D [EG]<z|"), "60@0+1.5 62@1.5+0.5 64@2+0.5 67@2+0.5");
  EXPECT_EQ(Notes("CDE F>|G"), "60@0+1 62@1+1 64@2+1 65@3+1.5 67@4.5+0.5");
  EXPECT_EQ(Notes("C-C>D"), "60@0+2.5 62@2.5+0.5");
}

TEST(AbcNotesTest, BrokenRhythmBetweenUnequalNotes) {
  EXPECT_EQ(Notes("C>D/"), "60@0+1.5 62@1.5+0.5");  // the short one is written short
  const WrittenScore score = Tune("C/>D");
  EXPECT_EQ(Text(score), "60@0+0.5 62@0.5+1");
  EXPECT_THAT(score.warnings, ElementsAre(HasSubstr("line 6, bar 1: broken rhythm")));
}

TEST(AbcNotesTest, Tuplets) {
  EXPECT_EQ(Notes("(3C/D/E/ F"), "60@0+0.333333 62@0.333333+0.333333 64@0.666667+0.333333 65@1+1");
  EXPECT_EQ(Notes("(2CDE"), "60@0+1.5 62@1.5+1.5 64@3+1");
  EXPECT_EQ(Notes("(3:4:2CDE"), "60@0+1.33333 62@1.33333+1.33333 64@2.66667+1");
  EXPECT_EQ(Notes("(3::2CDE"), "60@0+0.666667 62@0.666667+0.666667 64@1.33333+1");
  EXPECT_EQ(Notes("(3[CE] z D E"), "60@0+0.666667 64@0+0.666667 62@1.33333+0.666667 64@2+1");
  // Of seven, two are meant, in compound metres three.
  EXPECT_EQ(Quarters(Tune("(7CDEFGAB").notes[6].onset), 6 * 2 / 7.0);
  EXPECT_EQ(Quarters(Tune("[M:6/8](7CDEFGAB").notes[6].onset), 6 * 3 / 7.0);
}

TEST(AbcNotesTest, GraceNotesStandBeforeTheirNote) {
  EXPECT_EQ(Notes("C {DE}F|{/G}A"), "60@0+1 g2:62@1 g1:64@1 65@1+1 g1:67@2 69@2+1");
  EXPECT_EQ(Notes("C {D}|E"), "60@0+1 g1:62@1 64@1+1");
  EXPECT_EQ(Notes("{[CE]2G}A"), "g2:60@0 g2:64@0 g1:67@0 69@0+1");
  EXPECT_THAT(Tune("C {D}").warnings, ElementsAre(HasSubstr("grace notes with no note")));
}

TEST(AbcNotesTest, OrnamentsWithTheNeighboursOfTheKey) {
  const WrittenScore score = Tune("TC ~D MF !turn!E|PG !trill!^F A !mordent!E");
  const auto& notes = score.notes;
  EXPECT_EQ(notes[0].ornament, Ornament::kTrill);
  EXPECT_EQ(notes[0].ornament_upper, 2);
  EXPECT_EQ(notes[0].ornament_lower, 1);
  EXPECT_EQ(notes[1].ornament, Ornament::kTurn);
  EXPECT_EQ(notes[2].ornament, Ornament::kMordent);
  EXPECT_EQ(notes[3].ornament, Ornament::kTurn);
  EXPECT_EQ(notes[3].ornament_upper, 1);
  EXPECT_EQ(notes[4].ornament, Ornament::kInvertedMordent);
  EXPECT_EQ(notes[5].ornament, Ornament::kTrill);
  EXPECT_EQ(notes[5].ornament_upper, 1);
  EXPECT_EQ(notes[6].ornament, Ornament::kNone);
  EXPECT_EQ(notes[7].ornament, Ornament::kMordent);
}

TEST(AbcNotesTest, ArpeggiosTremolosAndDynamics) {
  const WrittenScore score = Tune("!arpeggio![GCE]!///!C !p!D E !sfz!F|!f!G");
  const auto& notes = score.notes;
  EXPECT_THAT((std::vector{notes[0].arpeggio, notes[1].arpeggio, notes[2].arpeggio}),
              ElementsAre(1, 2, 3));
  EXPECT_EQ(notes[3].arpeggio, 0);
  EXPECT_EQ(Quarters(notes[3].tremolo_stroke), 1 / 16.0);
  EXPECT_EQ(notes[3].velocity, 0);
  EXPECT_GT(notes[4].velocity, 0);
  EXPECT_EQ(notes[5].velocity, notes[4].velocity);
  EXPECT_GT(notes[6].velocity, notes[5].velocity);
  EXPECT_GT(notes[7].velocity, notes[5].velocity);
}

TEST(AbcNotesTest, HairpinsLeadFromOneMarkToTheNext) {
  const auto velocities = [](const std::string& music) {
    std::vector<int> all;
    for (const WrittenNote& note : Tune(music).notes) all.push_back(note.velocity);
    return all;
  };
  EXPECT_THAT(velocities("!p!C !<(!D E F|!<)!G !f!A"), ElementsAre(50, 50, 61, 71, 82, 92));
  EXPECT_THAT(velocities("!f!C !diminuendo(!D E F !diminuendo)!|!p!G"),
              ElementsAre(92, 92, 78, 64, 50));
  // Without marks it is a step from mezzo forte, up to the end of the note.
  EXPECT_THAT(velocities("!crescendo(!C D E !crescendo)!F G"), ElementsAre(80, 84, 88, 92, 96));
  // Two meet at a note, whichever stands first there.
  for (const char* both : {"!<)!!>(!", "!>(!!<)!"}) {
    EXPECT_THAT(velocities(absl::StrCat("!<(!C D ", both, "E F !>)!G A")),
                ElementsAre(80, 88, 96, 91, 85, 80))
        << both;
  }
  // In an overlay it is as loud as in the voice; an accent is of its note alone.
  EXPECT_THAT(velocities("!<(!C !sfz!E !<)!G2 & z2 A,2|"), ElementsAre(80, 112, 88, 88));
  // One that does not end, or has not begun, is none; broken rhythm moves marks with their notes.
  EXPECT_THAT(velocities("!p!C !<(!D E !>)!F"), ElementsAre(50, 50, 50, 50));
  EXPECT_THAT(velocities("!p!C<!f!D E>!p!F"), ElementsAre(50, 92, 92, 50));
}

TEST(AbcNotesTest, SymbolsAndMacros) {
  EXPECT_EQ(Tune("WC", "U:W=!trill!\n").notes[0].ornament, Ornament::kTrill);
  EXPECT_EQ(Tune("TC", "U:T=!nil!\n").notes[0].ornament, Ornament::kNone);
  EXPECT_EQ(Notes("~C2 D2", "m:~C2={D}C2\n"), "g1:62@0 60@0+2 62@2+2");
  // The n is any note, and o the one above it.
  EXPECT_EQ(Notes("~C3 ~b3", "m:~n3=(3non\n"),
            "60@0+0.666667 62@0.666667+0.666667 60@1.33333+0.666667 "
            "83@2+0.666667 84@2.66667+0.666667 83@3.33333+0.666667");
  EXPECT_THAT(Tune("!foo!C!foo!D").warnings, ElementsAre(HasSubstr("!foo!")));
}

TEST(AbcNotesTest, WhatIsOnlyPrintedIsPassedOver) {
  EXPECT_EQ(Notes("\"Am7\"C \"^text, |: C\"D`E $ F \\\nw:la la la\nG%comment C\nW:words"),
            "60@0+1 62@1+1 64@2+1 65@3+1 67@4+1");
  EXPECT_EQ(Pitches(Tune("C D!\nE F|\n%%staffsep 70\n%%begintext\nA B c\n%%endtext\nG")),
            "60 62 64 65 67");
}

TEST(AbcNotesTest, UnknownCharactersAreSaidOnce) {
  const WrittenScore score = Tune("C # D # E|\nk F");
  EXPECT_EQ(Pitches(score), "60 62 64 65");
  EXPECT_THAT(score.warnings,
              ElementsAre(HasSubstr("line 6, bar 1: '#'"), HasSubstr("line 7, bar 2: 'k'")));
}

TEST(AbcFieldsTest, Metres) {
  const auto metre = [](const std::string& value) {
    const WrittenScore score = One(absl::StrCat("X:1\nM:", value, "\nK:C\nC\n"));
    if (score.metres.empty()) return std::string("none");
    return absl::StrCat(score.metres[0].value.numerator, "/", score.metres[0].value.denominator);
  };
  EXPECT_EQ(metre("C"), "4/4");
  EXPECT_EQ(metre("C|"), "2/2");
  EXPECT_EQ(metre("6/8"), "6/8");
  EXPECT_EQ(metre("2+3/8"), "5/8");
  EXPECT_EQ(metre("(2+3+2)/8"), "7/8");
  EXPECT_EQ(metre("3/4+2/8"), "8/8");
  EXPECT_EQ(metre("none"), "none");
  EXPECT_THAT(One("X:1\nM:4/5\nK:C\nC\n").warnings, ElementsAre(HasSubstr("line 2: M: '4/5'")));
  const WrittenScore changed = Tune("C4|[M:3/4]C3|\nM:2/4\nC2|");
  ASSERT_THAT(changed.metres, SizeIs(3));
  EXPECT_EQ(Quarters(changed.metres[2].at), 7);
}

TEST(AbcFieldsTest, Tempi) {
  const auto tempo = [](const std::string& value) {
    const WrittenScore score = One(absl::StrCat("X:1\nL:1/8\nQ:", value, "\nK:C\nC\n"));
    return score.tempi.empty() ? 0 : score.tempi[0].value;
  };
  EXPECT_EQ(tempo("1/4=120"), 120);
  EXPECT_EQ(tempo("3/8=60"), 90);
  EXPECT_EQ(tempo("\"Allegro\" 1/4=132"), 132);
  EXPECT_EQ(tempo("1/2=60 \"Slow\""), 120);
  EXPECT_EQ(tempo("1/4 3/8 1/4 3/8=40"), 200);
  EXPECT_EQ(tempo("120"), 60);  // units
  EXPECT_EQ(tempo("C=120"), 60);
  EXPECT_EQ(tempo("C3=40"), 60);
  EXPECT_EQ(tempo("\"Andante\""), 0);
  EXPECT_THAT(One("X:1\nQ:fast\nK:C\nC\n").warnings, ElementsAre(HasSubstr("Q: 'fast'")));
  const WrittenScore changed = Tune("C4|[Q:1/4=60]C4|\nQ:1/2=60\nC4|");
  ASSERT_THAT(changed.tempi, SizeIs(2));
  EXPECT_EQ(Quarters(changed.tempi[1].at), 8);
}

TEST(AbcFieldsTest, TitlesAndComposers) {
  const WrittenScore score =
      One("X:1\nT:Die Mainacht\nT:second\nC:Johannes\n+:Brahms\nC:Words: H\\\"olty\nK:C\nC\n");
  EXPECT_EQ(score.title, "Die Mainacht");
  EXPECT_EQ(score.composer, "Johannes Brahms, Words: Hölty");
}

TEST(AbcFieldsTest, Encodings) {
  const auto title = [](const std::string& fields) {
    return One(absl::StrCat("X:1\n", fields, "\nK:C\nC\n")).title;
  };
  EXPECT_EQ(title("T:Caf\xc3\xa9"), "Café");
  EXPECT_EQ(title("T:reels.abc\nT:The Old Reel"), "The Old Reel");
  EXPECT_EQ(title("T:Untitled"), "");
  EXPECT_EQ(title("T:Caf\xe9"), "Café");
  EXPECT_EQ(title("%%abc-charset iso-8859-2\nT:\xb6piew"), "śpiew");
  EXPECT_EQ(title("T:Caf\\'e \\ss \\cc \\vZ \\u00e9 &eacute; &amp; \\&"), "Café ß ç Ž é é & &");
  EXPECT_EQ(title("T:\\u0007bell\\ud800"), "bell\uFFFD");
  EXPECT_EQ(One("\xef\xbb\xbfX:1\r\nT:a\r\nK:C\r\nC D\r\n").title, "a");
  EXPECT_EQ(One("X:1\rT:a\rK:C\rC D\r").title, "a");
  std::string utf16 = "\xff\xfe";
  for (const char c : std::string("X:1\nT:\xe9\nK:C\nC\n")) utf16 += {c, '\0'};
  EXPECT_EQ(One(utf16).title, "é");
  EXPECT_TRUE(LooksLikeAbc(utf16));
}

TEST(AbcFileTest, IsToldByItsFields) {
  EXPECT_TRUE(LooksLikeAbc("%abc-2.1\n"));
  EXPECT_TRUE(LooksLikeAbc("% comment\n\nX: 1\nT:a\nK:C\n"));
  EXPECT_TRUE(LooksLikeAbc("\xef\xbb\xbfX:1\r\nK:C\r\n"));
  EXPECT_FALSE(LooksLikeAbc(""));
  EXPECT_FALSE(LooksLikeAbc("X:1\nT:a\n"));
  EXPECT_FALSE(LooksLikeAbc("K:C\nX:1\n"));
  EXPECT_FALSE(LooksLikeAbc("**kern\n4c\n*-\n"));
  EXPECT_FALSE(LooksLikeAbc("<?xml version=\"1.0\"?>\n<score-partwise/>"));
  EXPECT_FALSE(LooksLikeAbc(std::string_view("MThd\0\0X:1\nK:C\n\0", 15)));
}

TEST(AbcFileTest, SeveralTunesWithAHeader) {
  const auto scores = ReadAbc(
      "%abc-2.1\nM:3/4\nL:1/4\nC:Trad.\nU:T=!turn!\n\nX:1\nT:one\nK:G\nTF3|\n\nfree text: abc|\n\n"
      "X:2\nT:two\nC:Somebody\nL:1/8\nK:C\nF|\nX:3\nK:D\nF\n");
  ASSERT_TRUE(scores.ok()) << scores.status();
  ASSERT_THAT(*scores, SizeIs(3));
  EXPECT_EQ(Text((*scores)[0]), "66@0+3");
  EXPECT_EQ((*scores)[0].composer, "Trad.");
  EXPECT_EQ((*scores)[0].notes[0].ornament, Ornament::kTurn);
  EXPECT_EQ(Text((*scores)[1]), "65@0+0.5");
  EXPECT_EQ((*scores)[1].title, "two");
  EXPECT_EQ(Text((*scores)[2]), "66@0+1");
}

TEST(AbcFileTest, ATuneThatCannotBeReadIsLeftOutAndSaid) {
  const auto scores = ReadAbc("X:1\nK:C\nC\n\nX:2\nK:H\nC\n\nX:3\nT:no music\n\nX:4\nK:C\nz\n");
  ASSERT_TRUE(scores.ok()) << scores.status();
  ASSERT_THAT(*scores, SizeIs(1));
  EXPECT_THAT(scores->front().warnings,
              ElementsAre(HasSubstr("left out: 3; line 6: K: 'H' is no key")));
}

TEST(AbcFileTest, RefusesWhatHasNoTune) {
  EXPECT_THAT(Refusal(""), HasSubstr("no tune"));
  EXPECT_THAT(Refusal("hello\n"), HasSubstr("no tune"));
  EXPECT_THAT(Refusal("X:1\nK:H\nC\n"), HasSubstr("INVALID_ARGUMENT: line 2: K: 'H' is no key"));
  EXPECT_THAT(Refusal("X:1\nT:a\n"), HasSubstr("the tune of line 1 has no key"));
  EXPECT_THAT(Refusal("\nX:1\nK:C\nz4|\n"), HasSubstr("the tune of line 2 has no notes"));
}

TEST(AbcFileTest, LimitsAreNamed) {
  const auto refusal = [](const NotationLimits& limits, const std::string& music) {
    return Refusal(absl::StrCat("X:1\nK:C\n", music, "\n"), limits);
  };
  NotationLimits limits;
  limits.max_notes = 3;
  EXPECT_THAT(refusal(limits, "CDE|\nFG"), HasSubstr("RESOURCE_EXHAUSTED: line 4, bar 2"));
  EXPECT_THAT(Refusal("X:1\nK:C\nCD\n\nX:2\nK:C\nCD\n", limits), HasSubstr("3 notes"));
  limits = {};
  limits.max_bars = 4;
  EXPECT_THAT(refusal(limits, "C|D|E|F|G|A"), HasSubstr("4 bars"));
  EXPECT_THAT(refusal(limits, "Z9999"), HasSubstr("4 bars"));
  EXPECT_THAT(Refusal("X:1\nP:A4\nK:C\nP:A\nC|D|\n", limits), HasSubstr("limit of bars"));
  limits = {};
  limits.max_parts = 2;
  EXPECT_THAT(refusal(limits, "V:1\nC\nV:2\nC\nV:3\nC"), HasSubstr("line 7: more than 2 voices"));
  limits = {};
  limits.max_scores = 1;
  EXPECT_THAT(Refusal("X:1\nK:C\nC\n\nX:2\nK:C\nC\n", limits), HasSubstr("1 tunes"));
  limits = {};
  limits.max_bytes = 9;
  EXPECT_THAT(refusal(limits, "C"), HasSubstr("9 bytes"));
  std::string endless;
  for (int i = 0; i < 300; ++i) endless += "[L:8/1]C9999";
  EXPECT_THAT(refusal({}, endless), HasSubstr("line 3, bar 1: a voice is longer"));
}

TEST(AbcFileTest, MacrosCannotMakeEndlessText) {
  NotationLimits limits;
  limits.max_bytes = 2000;
  const std::string head = absl::StrCat("X:1\nm:~C=", std::string(400, 'D'), "\nK:C\n");
  EXPECT_THAT(Refusal(absl::StrCat(head, "~C~C~C~C~C~C\n"), limits),
              HasSubstr("line 4: macros make more than 2000 bytes"));
  std::string many = "X:1\n";
  for (int i = 0; i < 200; ++i) absl::StrAppend(&many, "m:~C", i, "=D\n");
  EXPECT_THAT(Refusal(absl::StrCat(many, "K:C\nC\n")), HasSubstr("more than 100 macros"));
}

TEST(AbcFileTest, TunesTogetherHaveALimitOfBars) {
  NotationLimits limits;
  limits.max_bars = 100;
  std::string tunes;
  for (int i = 0; i < 20; ++i) tunes += "X:1\nK:C\nCZ90|\n\n";
  EXPECT_THAT(Refusal(tunes, limits), HasSubstr("RESOURCE_EXHAUSTED: the tunes of the file"));
}

TEST(AbcFileTest, GraceNotesBeforeANoteHaveALimit) {
  std::string graces;
  for (int i = 0; i < 200; ++i) graces += "{C}";
  const WrittenScore score = Tune(graces + "D");
  EXPECT_THAT(score.notes, SizeIs(101));
  EXPECT_EQ(score.notes[0].grace, 100);
  EXPECT_THAT(score.warnings[0], HasSubstr("more than 100 grace notes"));
}

TEST(AbcFileTest, ManyWarningsAreCounted) {
  std::string music;
  for (int i = 0; i < 50; ++i) music += "C-D|";
  std::string fields;
  for (int i = 0; i < 50; ++i) fields += "Q:\nM:x\n";
  const WrittenScore score = Tune(music, fields);
  ASSERT_THAT(score.warnings, SizeIs(20));
  EXPECT_EQ(score.warnings.back(), "and 32 more");
}

}  // namespace
}  // namespace antiphon::notation
