#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>

#include "core/humdrum/humdrum.h"
#include "core/humdrum/humdrum_test_util.h"
#include "core/notation/play.h"

namespace antiphon::notation {
namespace {

using ::antiphon::testing::IsSane;
using humdrum_testing::Lines;
using humdrum_testing::Read;
using humdrum_testing::Refusal;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(HumdrumRecords, NameTheScore) {
  const WrittenScore score =
      Read({"!!!COM: Dankowski, Adalbert", "!!!OPR: Vespere Pastorales", "!!!OTL: Laudate pueri",
            "!!!OTL@EN: Praise", "!!!OPS: 12", "!!!ONM: No. 3", "!!!SCT: BWV 7", "!!!OMV: 004",
            "**kern", "4c", "*-"});
  EXPECT_EQ(score.title, "Vespere Pastorales: Laudate pueri");
  EXPECT_EQ(score.composer, "Dankowski, Adalbert");
  EXPECT_EQ(score.opus, "op. 12, No. 3, BWV 7, movement 4");
  const WrittenScore languages = Read(
      {"**kern", "4c", "*-", "!!!OTL@EN: The Evening", "!!!OTL@@DE: Der Abend", "!!!COA: Anon"});
  EXPECT_EQ(languages.title, "Der Abend");
  EXPECT_EQ(languages.composer, "Anon");
}

TEST(HumdrumRecords, TheNameOfAFileIsNoTitle) {
  const auto title = [](const std::string& title, const std::string& work) {
    return Read({"!!!OTL: " + title, "!!!OPR: " + work, "**kern", "4c", "*-"}).title;
  };
  EXPECT_EQ(title("vespere.krn", "Vespere Pastorales"), "Vespere Pastorales");
  EXPECT_EQ(title("Laudate pueri", "vespere.krn"), "Laudate pueri");
  EXPECT_EQ(title("vespere.krn", "Untitled"), "");
}

TEST(HumdrumText, MayBeLatin1AndEndItsLinesInAnyWay) {
  const WrittenScore score =
      Read("\xef\xbb\xbf!!!OTL: Pr\xe9lude\r\n**kern\t\r\n\r\n*M4/4\r\n4c\r4d\n4e\n*-");
  EXPECT_EQ(score.title, "Pr\xc3\xa9lude");
  EXPECT_EQ(score.notes.size(), 3u);
}

TEST(HumdrumText, TabsTooManyAndSpacesArePassedOver) {
  const WrittenScore score = Read("**kern\t**kern\n4c\t4e\t\n\n4c\t\t4e\n4c \t 4e\n*-\t*-\n");
  EXPECT_EQ(score.notes.size(), 6u);
  EXPECT_THAT(score.warnings, ElementsAre(HasSubstr("2 empty fields are passed over")));
}

TEST(HumdrumText, OfSeveralScoresTheFirstIsRead) {
  for (const std::string_view second : {"!!!!SEGMENT: b\n**kern\n4d\n*-\n", "**kern\n4d\n*-\n"}) {
    const WrittenScore score = Read("!!!!SEGMENT: a\n**kern\n4c\n*-\n" + std::string(second));
    EXPECT_EQ(score.notes.size(), 1u);
    EXPECT_THAT(score.warnings, ElementsAre(HasSubstr("second score")));
  }
}

TEST(HumdrumText, FiltersAndMissingEndsAreSaid) {
  EXPECT_THAT(Read({"!!!filter: transpose -t P5", "**kern", "4c"}).warnings,
              ElementsAre(HasSubstr("ends before its spines do"), HasSubstr("!!!filter")));
  EXPECT_THAT(Read({"!!!Xfilter: transpose -t P5", "**kern", "4c", "*-"}).warnings, IsEmpty());
}

TEST(HumdrumText, WhatIsWrongIsSaidWithLineAndBar) {
  const auto says = [](std::initializer_list<std::string_view> lines, std::string_view what) {
    const absl::Status status = Refusal(Lines(lines));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << what;
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(what)));
  };
  says({"**kern  **kern", "=7  =7", "4c  4d  4e", "*-  *-"},
       "line 3 (bar 7): 3 fields where 2 spines are open");
  says({"**kern  **kern", "*^  *", "4c  4d"}, "line 3: 2 fields where 3 spines are open");
  says({"4c", "**kern"}, "line 1: this comes before the spines are named");
  says({"**kern  4c"}, "line 1: a spine has no name");
  says({"**kern  **kern", "*v  *"}, "line 2: a spine joins (*v) none beside it");
  says({"**kern", "*x"}, "line 2: a spine changes places (*x) with none beside it");
  says({"**kern", "99999999999c"}, "line 2: a duration beyond reason");
  says({"**kern", "0000c"}, "line 2: a duration beyond reason");
  says({"**kern", "4.........c"}, "line 2: a duration beyond reason");
  says({"**kern", "4cccccccccccccccc"}, "line 2: a pitch beyond MIDI's 0 to 127");
  says({"**kern", "*Trd-35c-60", "4gggggg"}, "line 3: a pitch beyond MIDI's 0 to 127");
  says({"**text", "la", "*-"}, "no **kern spine");
  says({"**kern", "4r", "*-"}, "no note with a pitch");
  says({"!!!COM: Bach"}, "names no spines");
  says({}, "names no spines");
}

TEST(HumdrumText, LimitsAreKept) {
  const std::string text = Lines({"**kern  **kern", "*>[A,A,A]  *", "*>A  *", "=1  =1", "4c  4e",
                                  "=2  =2", "4c  4e", "=3  =3", "4c  4e", "*-  *-"});
  const auto says = [&text](auto change, std::string_view what) {
    NotationLimits limits;
    change(limits);
    const absl::Status status = Refusal(text, limits);
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << what;
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(what)));
  };
  says([](NotationLimits& limits) { limits.max_bytes = 20; }, "larger than 20 bytes");
  says([](NotationLimits& limits) { limits.max_notes = 5; }, "line 9 (bar 3): it has more than 5");
  says([](NotationLimits& limits) { limits.max_bars = 2; }, "more than 2 bars");
  says([](NotationLimits& limits) { limits.max_bars = 8; }, "more than 8 bars");  // played
  says([](NotationLimits& limits) { limits.max_parts = 1; }, "more than 1 parts");
}

TEST(HumdrumText, IsToldByItsHead) {
  EXPECT_TRUE(LooksLikeHumdrum("**kern\t**text\n"));
  EXPECT_TRUE(LooksLikeHumdrum("\xef\xbb\xbf!! words\r\n\r\n!!!COM: Bach\r\n**text\t**kern"));
  EXPECT_TRUE(LooksLikeHumdrum("!!!COM: Bach\n!!!OTL: a title that is cut of"));
  EXPECT_FALSE(LooksLikeHumdrum("**text\t**mens\n"));
  EXPECT_FALSE(LooksLikeHumdrum("X:1\nT:**kern\nK:C\n"));
  EXPECT_FALSE(LooksLikeHumdrum("<score-partwise>"));
  EXPECT_FALSE(LooksLikeHumdrum("!!! hello"));
  EXPECT_FALSE(LooksLikeHumdrum("MThd"));
  EXPECT_FALSE(LooksLikeHumdrum(""));
}

TEST(HumdrumText, DamagedInAnyWayGivesAScoreOrAReason) {
  const std::string sound = Lines({"!!!OTL@@DE: Der Abend",
                                   "**kern  **kern  **dynam",
                                   "*Ipiano  *Ipiano  *",
                                   "*k[f#]  *k[f#]  *",
                                   "*M3/4  *M3/4  *",
                                   "*>[A,A1,A,A2]  *  *",
                                   "=1  =1  =1",
                                   "*>A  *>A  *",
                                   "*^  *  *",
                                   "4C: 4E:  2.G  4c#T  p",
                                   "2[D  .  8qe  .",
                                   ".  .  [2f#  fp",
                                   "*v  *v  *  *",
                                   "=2:|!  =2:|!  =2",
                                   "*>A1  *>A1  *",
                                   "*x  *x  *",
                                   "2.f#]  2.D]  .",
                                   "=3!|:  =3!|:  =3",
                                   "*>A2  *>A2  *",
                                   "12c  4C  .",
                                   "12d  .  .",
                                   "12e  .  .",
                                   "3%2r  2r  .",
                                   "==  ==  ==",
                                   "*-  *-  *-"});
  Read(sound);
  std::mt19937 random(11);
  const std::string spare = "\t\n*^v-+x=:|![]_qrR.%0123456789cCgG>,;&@ \xff";
  int read = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string damaged = sound;
    for (size_t changes = 1 + random() % 4; changes > 0; --changes) {
      const size_t at = random() % damaged.size();
      switch (random() % 4) {
        case 0:
          damaged[at] = spare[random() % spare.size()];
          break;
        case 1:
          damaged.erase(at, 1 + random() % 8);
          break;
        case 2:
          damaged.insert(at, 1, spare[random() % spare.size()]);
          break;
        default:
          damaged.insert(at, damaged.substr(random() % damaged.size(), 30));
          break;
      }
      if (damaged.empty()) damaged = "*";
    }
    const auto score = ReadHumdrum(damaged);
    if (!score.ok()) {
      ASSERT_FALSE(score.status().message().empty()) << damaged;
      continue;
    }
    ++read;
    ASSERT_TRUE(IsSane(*score)) << damaged;
    const auto played = Play(*score);
    ASSERT_NE(played.status().code(), absl::StatusCode::kInternal) << damaged;
  }
  EXPECT_GT(read, 100);
}

TEST(HumdrumText, TakesTimeInProportion) {
  // Ties that never end, null lines, sections and bar lines without notes: a megabyte of each.
  for (const std::string_view line :
       {"[4c [4e [4g\n", ".\n", "*>A\n", "=1\n", "*k[f#]\n", "8qc\n"}) {
    std::string text = "**kern\n*>[A,A]\n4c\n";
    while (text.size() < (1 << 20)) text += line;
    const auto start = std::chrono::steady_clock::now();
    NotationLimits limits;
    ReadHumdrum(text + "4c\n*-\n", limits).status().IgnoreError();
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5)) << line;
  }
}

}  // namespace
}  // namespace antiphon::notation
