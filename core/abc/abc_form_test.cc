// Bars, repeats, parts and voices of ABC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/abc/abc.h"

namespace antiphon::notation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

double Quarters(Ticks ticks) { return static_cast<double>(ticks) / kTicksPerQuarter; }

// A tune in 4/4 with whole notes as unit, so that each note is a bar.
WrittenScore Tune(const std::string& music, const std::string& fields = "") {
  auto scores = ReadAbc(absl::StrCat("X:1\nM:4/4\nL:1/1\n", fields, "K:C\n", music, "\n"));
  EXPECT_TRUE(scores.ok()) << scores.status() << "\n" << music;
  return scores.ok() ? scores->front() : WrittenScore();
}

// The bars as they are played, by repeats and endings, or by the order that the score states.
std::vector<int> Order(const WrittenScore& score) {
  if (!score.order.empty()) return score.order;
  std::vector<int> order;
  int start = 0;
  int pass = 1;
  for (int i = 0; i < static_cast<int>(score.bars.size()); ++i) {
    const WrittenBar& bar = score.bars[i];
    if (bar.starts_repeat && i != start) {
      start = i;
      pass = 1;
    }
    const bool skipped = !bar.endings.empty() && std::find(bar.endings.begin(), bar.endings.end(),
                                                           pass) == bar.endings.end();
    if (skipped) continue;
    order.push_back(i);
    if (pass < bar.plays) {
      ++pass;
      i = start - 1;
    }
  }
  return order;
}

// The names of the notes as they are played; each must lie in a bar.
std::string Played(const WrittenScore& score) {
  constexpr char kNames[] = "CCDDEFFGGAABccddeffggaab";
  std::string played;
  for (const int i : Order(score)) {
    const WrittenBar& bar = score.bars[i];
    for (const WrittenNote& note : score.notes) {
      if (note.onset >= bar.start && note.onset < bar.start + bar.length)
        played += kNames[note.pitch - 60];
    }
  }
  return played;
}

std::string Played(const std::string& music, const std::string& fields = "") {
  const WrittenScore score = Tune(music, fields);
  EXPECT_THAT(score.warnings, IsEmpty()) << music;
  return Played(score);
}

std::string Numbers(const WrittenScore& score) {
  return absl::StrJoin(score.bars, " ", [](std::string* out, const WrittenBar& bar) {
    absl::StrAppend(out, bar.number);
  });
}

TEST(AbcRepeatsTest, Repeats) {
  EXPECT_EQ(Played("|: A :| B"), "AAB");
  EXPECT_EQ(Played("|: A :: B :|"), "AABB");
  EXPECT_EQ(Played("|: A :|: B :|"), "AABB");
  EXPECT_EQ(Played("|: A :||: B :|"), "AABB");
  EXPECT_EQ(Played("|: A :|\n|: B :|"), "AABB");
  EXPECT_EQ(Played("|:: A ::| B"), "AAAB");
  EXPECT_EQ(Played("[|: A | B :|] C |]"), "ABABC");
}

TEST(AbcRepeatsTest, ARepeatWithoutABeginning) {
  EXPECT_EQ(Played("A :| B"), "AAB");
  EXPECT_EQ(Played("A | B :: C :|"), "ABABCC");
  EXPECT_EQ(Played("A :| B :|"), "AABB");
  EXPECT_EQ(Played("A || B :| C"), "ABBC");
  EXPECT_EQ(Played("A |] B :| C"), "ABBC");
  EXPECT_EQ(Played("A [|]:| B"), "AAB");
}

TEST(AbcRepeatsTest, Endings) {
  EXPECT_EQ(Played("|: A |1 B :|2 C |] D"), "ABACD");
  EXPECT_EQ(Played("|: A |[1 B :|[2 C || D"), "ABACD");
  EXPECT_EQ(Played("|: A | [1 B :| [2 C :| D"), "ABACD");
  EXPECT_EQ(Played("A |1 B :|2 C |: D :|"), "ABACDD");
  EXPECT_EQ(Played("|: A |1,3 B :|2,4 C :| D"), "ABACABACD");
  EXPECT_EQ(Played("|: A |1-3 B :|4 C | D |]"), "ABABABACD");
  EXPECT_EQ(Played("|: A |1 B :| C"), "ABAC");
  EXPECT_EQ(Played("|: A |1 B :|2 C |] D |1 E :|2 F |]"), "ABACDEDF");
}

TEST(AbcRepeatsTest, ARepeatThatBeginsWithAnEnding) {
  EXPECT_EQ(Played(Tune("|: A |1 B |:2 C :| D |]")), "ABCD");
  EXPECT_EQ(Played(Tune("|: A |1 B :|:2 C :| D |]")), "ABACD");
  EXPECT_EQ(Played(Tune("|1 A |: |2 B :| C")), "ABC");
  const WrittenScore gap = Tune("|: A |1 B :|3 C :| D");
  EXPECT_EQ(Played(gap), "ABCD");
  EXPECT_THAT(gap.warnings, ElementsAre(HasSubstr("the ending at bar 2 is one of which others")));
}

TEST(AbcRepeatsTest, WhatIsMissingIsPutThereAndSaid) {
  const WrittenScore start = Tune("|: A |: B :|");
  EXPECT_EQ(Played(start), "AABB");
  EXPECT_THAT(start.warnings, ElementsAre(HasSubstr("a repeat begins at bar 2")));
  const WrittenScore ending = Tune("|: A |1 B |2 C |]");
  EXPECT_EQ(Played(ending), "ABAC");
  EXPECT_THAT(ending.warnings, ElementsAre(HasSubstr("an ending begins at bar 3")));
  const WrittenScore end = Tune("A |: B | C |]");
  EXPECT_EQ(Played(end), "ABC");
  EXPECT_THAT(end.warnings, ElementsAre(HasSubstr("begins at bar 2 does not end")));
  const WrittenScore alone = Tune("A |1 B || C");
  EXPECT_EQ(Played(alone), "ABC");
  EXPECT_THAT(alone.warnings, ElementsAre(HasSubstr("belongs to no repeat")));
}

TEST(AbcRepeatsTest, SignsAndJumps) {
  const WrittenScore score =
      Tune("A | !segno!B | C !coda!| D !fine!| E !D.S.!| !coda!F | G !D.C.!|");
  const auto& bars = score.bars;
  ASSERT_THAT(bars, SizeIs(7));
  EXPECT_TRUE(bars[1].segno);
  EXPECT_TRUE(bars[2].to_coda);
  EXPECT_TRUE(bars[3].fine);
  EXPECT_TRUE(bars[4].dal_segno);
  EXPECT_TRUE(bars[5].coda);
  EXPECT_TRUE(bars[6].da_capo);
  EXPECT_FALSE(bars[0].segno || bars[2].coda || bars[5].to_coda || bars[6].fine);
  EXPECT_THAT(score.warnings, IsEmpty());
}

TEST(AbcRepeatsTest, TheWordsDaCodaAndASignBehindTheLastBarLine) {
  const WrittenScore score = Tune("A | SB !dacoda!| C |!D.C.!\n| OD |]");
  EXPECT_TRUE(score.bars[1].segno);
  EXPECT_TRUE(score.bars[1].to_coda);
  EXPECT_TRUE(score.bars[2].da_capo);
  EXPECT_TRUE(score.bars[3].coda);
  // Before the first note of a bar, the sign says to leave before it.
  EXPECT_TRUE(Tune("A | B | !coda!C | D !D.C.!| !coda!E |").bars[1].to_coda);
  EXPECT_THAT(Tune("A !coda!| B |").warnings, ElementsAre(HasSubstr("coda")));
}

TEST(AbcPartsTest, TheHeaderStatesTheOrder) {
  EXPECT_EQ(Played("P:A\nA |\nP:B\nB |", "P:ABA\n"), "ABA");
  EXPECT_EQ(Played("P:A\nA |\nP:B\nB |\nP:C\nC|", "P:A2(BC)2\n"), "AABCBC");
  EXPECT_EQ(Played("P:A\nA :|\nP:B\n|: B |1 C :|2 D |]", "P:A.B.A\n"), "AABCBDAA");
  EXPECT_EQ(Played("G |\nP:A\nA |\nP:B\nB |", "P:BA\n"), "GBA");
  EXPECT_EQ(Played("[P:A] A | [P:B] B |", "P:BA\n"), "BA");
  // A repeat goes back no further than to its part.
  EXPECT_EQ(Played("P:A\nA |\nP:B\nB :|", "P:AB\n"), "ABB");
}

TEST(AbcPartsTest, WithoutLabelsOrOrderTheSignsCount) {
  EXPECT_THAT(Tune("A :| B :|", "P:AABB\n").order, IsEmpty());
  EXPECT_THAT(Tune("P:A\nA :|\nP:B\nB |").order, IsEmpty());
  const WrittenScore score = Tune("P:A\nA |\nP:B\nB |", "P:ABX\n");
  EXPECT_EQ(Played(score), "AB");
  EXPECT_THAT(score.warnings, ElementsAre(HasSubstr("has not: X")));
}

TEST(AbcPartsTest, AnOrderThatIsNoneIsSaid) {
  for (const char* order : {"(((((((((A)))))))))", "A9999999", "A)", "(A", "2A"}) {
    const WrittenScore score = Tune("P:A\nA |", absl::StrCat("P:", order, "\n"));
    EXPECT_EQ(Played(score), "A") << order;
  }
  EXPECT_THAT(Tune("P:A\nA |", "P:(A\n").warnings, ElementsAre(HasSubstr("P: is no order")));
}

TEST(AbcBarsTest, NumbersCountFromTheFirstWholeBar) {
  EXPECT_EQ(Numbers(Tune("A | B | C |]")), "1 2 3");
  EXPECT_EQ(Numbers(Tune("A/4 | B | C3/4 :| A/4 | B | C3/4 |]")), "0 1 2 2 3 4");
  EXPECT_EQ(Numbers(Tune("|: A/4 | B |1 C3/4 :|2 C3/4 || D/4 | E |]")), "0 1 2 3 3 4");
  EXPECT_EQ(Numbers(Tune("A/4")), "1");
  EXPECT_EQ(Numbers(Tune("[M:none] A/4 | B | C/2 |")), "1 2 3");
}

TEST(AbcBarsTest, BarsFollowEachOtherAsTheyAreFilled) {
  const WrittenScore score = Tune("A/4 | B C/2 | | D |]");
  std::vector<double> lengths;
  Ticks at = 0;
  for (const WrittenBar& bar : score.bars) {
    EXPECT_EQ(bar.start, at);
    at += bar.length;
    lengths.push_back(Quarters(bar.length));
  }
  EXPECT_THAT(lengths, ElementsAre(1, 6, 4));
}

TEST(AbcVoicesTest, VoicesSoundTogether) {
  const WrittenScore score =
      Tune("V:1\nc|d|\nV:2\nC|D|\n[V:1]e|[V:2]E|",
           "V:1 name=\"Violin I\" clef=treble\n%%MIDI program 40\nV:2 nm=Cello octave=-1\n"
           "%%MIDI program 42\n");
  ASSERT_THAT(score.parts, SizeIs(2));
  EXPECT_EQ(score.parts[0].name, "Violin I");
  EXPECT_EQ(score.parts[0].program, 40);
  EXPECT_EQ(score.parts[1].name, "Cello");
  EXPECT_EQ(score.parts[1].program, 42);
  ASSERT_THAT(score.notes, SizeIs(6));
  EXPECT_EQ(score.notes[4].pitch, 52);
  EXPECT_EQ(score.notes[4].part, 1);
  EXPECT_EQ(Quarters(score.notes[4].onset), 8);
  EXPECT_EQ(score.notes[5].pitch, 76);
  EXPECT_THAT(score.bars, SizeIs(3));
  EXPECT_THAT(score.warnings, IsEmpty());
}

TEST(AbcVoicesTest, EachVoiceHasItsOwnKeyUnitAndAccidentals) {
  const WrittenScore score = Tune("V:1\n^F[K:D]|F2\nV:2\n[L:1/2]F2|F4");
  EXPECT_THAT(score.notes, SizeIs(4));
  EXPECT_EQ(score.notes[0].pitch, 65);
  EXPECT_EQ(score.notes[1].pitch, 66);
  EXPECT_EQ(score.notes[2].pitch, 65);
  EXPECT_EQ(score.notes[3].pitch, 66);
}

TEST(AbcVoicesTest, VoicesMeetAtBarLines) {
  const WrittenScore score = Tune("V:1\nA|B|\nV:2\nC/2|D|");
  EXPECT_EQ(Quarters(score.notes[3].onset), 4);
  EXPECT_THAT(score.warnings, ElementsAre(HasSubstr("voices differ in length: 1")));
}

TEST(AbcVoicesTest, VoicesWithOtherBarsRunOn) {
  const WrittenScore score = Tune("V:1\n|: A/2 :| B/2 | C |]\nV:2\nD | E |]");
  EXPECT_THAT(score.bars, SizeIs(3));
  EXPECT_EQ(score.bars[0].plays, 2);
  EXPECT_THAT(score.notes, SizeIs(5));
  EXPECT_THAT(score.warnings, ElementsAre(HasSubstr("different numbers of bars")));
}

TEST(AbcVoicesTest, RepeatsOfAnyVoiceCount) {
  EXPECT_EQ(Played("V:1\nA|B|\nV:2\n|: z :| z |]"), "AAB");
}

TEST(AbcVoicesTest, Overlays) {
  const WrittenScore score = Tune("A/2 B/2 & C | D & E/2 F/2 |\n(& A | B & C | D &) | E |");
  std::vector<std::string> notes;
  for (const WrittenNote& note : score.notes)
    notes.push_back(absl::StrCat(note.pitch, "@", Quarters(note.onset), "/", note.voice));
  EXPECT_THAT(notes, ElementsAre("60@0/1", "69@0/0", "71@2/0", "62@4/0", "64@4/1", "65@6/1",
                                 "60@8/1", "69@8/0", "62@12/1", "71@12/0", "64@16/0"));
  EXPECT_THAT(score.bars, SizeIs(5));
  EXPECT_THAT(score.warnings, IsEmpty());
}

TEST(AbcVoicesTest, DrumsAreCountedAndLeftOut) {
  for (const char* drums : {"V:2 clef=perc\n", "V:2\n%%MIDI channel 10\n"}) {
    const WrittenScore score = Tune("V:1\nA|B|\nV:2\nC|D|", absl::StrCat("V:1\n", drums));
    EXPECT_EQ(Played(score), "AB") << drums;
    EXPECT_EQ(score.unpitched_notes, 2) << drums;
    EXPECT_TRUE(score.parts[1].percussion) << drums;
    EXPECT_FALSE(score.parts[0].percussion) << drums;
  }
}

}  // namespace
}  // namespace antiphon::notation
