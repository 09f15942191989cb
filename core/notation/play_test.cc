#include "core/notation/play.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "core/music/midi_file.h"
#include "tests/support/scores.h"

namespace antiphon::notation {
namespace {

using ::antiphon::testing::IsSane;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Ticks kQuarter = kTicksPerQuarter;

// One part; bars are added to its end.
class Score {
 public:
  Score() { score_.parts.push_back({"Violin", 40}); }

  // A bar of so many quarter notes, with notes of a quarter of these pitches from its beginning.
  Score& Bar(double quarters, const std::vector<int>& pitches = {}, WrittenBar bar = {}) {
    bar.start = end_;
    bar.length = static_cast<Ticks>(quarters * kQuarter);
    if (bar.number.empty()) bar.number = std::to_string(score_.bars.size() + 1);
    score_.bars.push_back(bar);
    for (size_t i = 0; i < pitches.size(); ++i)
      Add(static_cast<double>(end_) / kQuarter + static_cast<double>(i), 1, pitches[i]);
    end_ += bar.length;
    return *this;
  }

  WrittenNote& Add(double onset, double quarters, int pitch) {
    WrittenNote note;
    note.onset = static_cast<Ticks>(onset * kQuarter);
    note.duration = static_cast<Ticks>(quarters * kQuarter);
    note.pitch = pitch;
    score_.notes.push_back(note);
    return score_.notes.back();
  }

  // Grace notes before the note at `onset`, in their order.
  Score& Graces(double onset, const std::vector<int>& pitches) {
    for (size_t i = 0; i < pitches.size(); ++i)
      Add(onset, 0, pitches[i]).grace = static_cast<int>(pitches.size() - i);
    return *this;
  }

  WrittenScore* operator->() { return &score_; }

  WrittenScore Sorted() const {
    WrittenScore sorted = score_;
    std::stable_sort(
        sorted.notes.begin(), sorted.notes.end(), [](const WrittenNote& a, const WrittenNote& b) {
          return std::tuple(a.onset, -a.grace, a.pitch) < std::tuple(b.onset, -b.grace, b.pitch);
        });
    return sorted;
  }

 private:
  WrittenScore score_;
  Ticks end_ = 0;
};

WrittenBar With(const std::function<void(WrittenBar&)>& change) {
  WrittenBar bar;
  change(bar);
  return bar;
}
const WrittenBar kRepeats = With([](WrittenBar& bar) { bar.plays = 2; });

PlayOptions AtSixty() {
  PlayOptions options;
  options.default_tempo = 60;  // seconds are quarter notes
  return options;
}

music::Score Heard(const Score& score, const PlayOptions& options = AtSixty()) {
  const auto played = Play(score.Sorted(), options);
  EXPECT_TRUE(played.ok()) << played.status();
  if (!played.ok()) return {};
  EXPECT_TRUE(IsSane(*played));
  return *played;
}

// "onset-end pitch" of each note, in seconds.
std::vector<std::string> Notes(const music::Score& score) {
  std::vector<std::string> notes;
  for (const music::Note& note : score.notes) {
    char text[64];
    std::snprintf(text, sizeof text, "%g-%g %d", note.onset_s, note.offset_s, note.pitch);
    notes.emplace_back(text);
  }
  return notes;
}

// "beat: label/pass" of each bar.
std::vector<std::string> Bars(const music::Score& score) {
  std::vector<std::string> bars;
  for (const music::PlayedBar& bar : score.bars) {
    char text[64];
    std::snprintf(text, sizeof text, "%g: %s/%d", bar.beat, bar.label.c_str(), bar.pass);
    bars.emplace_back(text);
  }
  return bars;
}

TEST(PlayTest, NotesOfARepeatAreHeardAgain) {
  Score score;
  score.Bar(2, {60, 62}, kRepeats).Bar(2, {64, 65});
  const music::Score heard = Heard(score);
  EXPECT_THAT(Notes(heard),
              ElementsAre("0-1 60", "1-2 62", "2-3 60", "3-4 62", "4-5 64", "5-6 65"));
  EXPECT_THAT(Bars(heard), ElementsAre("0: 1/1", "2: 1/2", "4: 2/1"));
  EXPECT_EQ(heard.duration_s, 6);
}

TEST(PlayTest, NothingIsASilentScore) {
  const music::Score heard = Heard(Score());
  EXPECT_THAT(heard.notes, IsEmpty());
  EXPECT_EQ(heard.duration_s, 0);
}

TEST(PlayTest, ThePlacesOfAScoreAreThoseOfThePrint) {
  Score score;
  score.Bar(1, {60}, With([](WrittenBar& bar) { bar.number = "0"; }))
      .Bar(3, {62, 64, 65}, With([](WrittenBar& bar) { bar.plays = 2; }))
      .Bar(3, {67}, With([](WrittenBar& bar) { bar.number = "1a"; }));
  score->metres = {{0, {3, 4}}};
  const music::Score heard = Heard(score);
  const music::ScorePosition upbeat = PositionAt(heard, 0.5);
  EXPECT_EQ(upbeat.bar.bar, 0);
  EXPECT_EQ(upbeat.bar.beat, 3.5);
  EXPECT_EQ(upbeat.label, "0");
  EXPECT_EQ(upbeat.pass, 1);
  const music::ScorePosition again = PositionAt(heard, 6);  // upbeat, 3, upbeat, 1
  EXPECT_EQ(again.beats, 6);
  EXPECT_EQ(again.written_beats, 2);
  EXPECT_EQ(again.bar.bar, 1);
  EXPECT_EQ(again.bar.beat, 2);
  EXPECT_EQ(again.label, "2");
  EXPECT_EQ(again.pass, 2);
  EXPECT_EQ(PositionAt(heard, 8).label, "1a");
  EXPECT_EQ(PositionAt(heard, 8).bar.bar, 2) << "counted, whatever is printed";
  EXPECT_EQ(PositionAt(heard, 11).label, "1a") << "the end";
  EXPECT_EQ(PositionAt(heard, 11).bar.beat, 4);
  EXPECT_EQ(PositionAt(heard, -1).label, "0");
  EXPECT_THAT(TimesPlayed(heard, 2), ElementsAre(2, 6));
  EXPECT_THAT(TimesPlayed(heard, 4), ElementsAre(8));
  EXPECT_THAT(TimesPlayed(heard, 99), IsEmpty());
}

TEST(PlayTest, ABarThatARepeatSignDividesCountsOnce) {
  Score score;
  score.Bar(1, {60})
      .Bar(4, {60})
      .Bar(3, {60}, kRepeats)
      .Bar(1, {60}, With([](WrittenBar& bar) { bar.number = "X1"; }))
      .Bar(4, {60});
  const music::Score heard = Heard(score);
  std::vector<int> numbers;
  for (const music::PlayedBar& bar : heard.bars) numbers.push_back(bar.number);
  EXPECT_THAT(numbers, ElementsAre(0, 1, 2, 0, 1, 2, 2, 3));
  EXPECT_EQ(PositionAt(heard, 16).label, "X1");
  EXPECT_EQ(PositionAt(heard, 16).bar.beat, 4);
}

TEST(PlayTest, EndingsAreBarsOfTheirOwn) {
  const auto ending = [](int number, int plays) {
    return With([=](WrittenBar& bar) { bar.endings = {number}, bar.plays = plays; });
  };
  Score score;
  score.Bar(2, {60}).Bar(4, {60}).Bar(2, {62}, ending(1, 2)).Bar(2, {64}, ending(2, 1)).Bar(4);
  const music::Score heard = Heard(score);
  EXPECT_THAT(Bars(heard),
              ElementsAre("0: 1/1", "2: 2/1", "6: 3/1", "8: 1/2", "10: 2/2", "14: 4/1", "16: 5/1"));
  EXPECT_EQ(heard.bars[5].number, 3) << "two half bars that aren't one";
  EXPECT_EQ(heard.bars[5].missing, 0);
}

TEST(PlayTest, BarLinesOfTheTempoMapAreThosePlayed) {
  Score score;
  score.Bar(1, {60}).Bar(4, {60}).Bar(3, {60}, kRepeats).Bar(4, {60});
  const music::Score heard = Heard(score);
  EXPECT_EQ(heard.tempo_map.upbeat(), 1);
  for (const music::PlayedBar& bar : heard.bars) {
    if (bar.number == 0) continue;
    EXPECT_NEAR(heard.tempo_map.BarAt(bar.beat).beat, 1, 1e-9) << bar.beat;
  }
}

TEST(PlayTest, TempoMetreAndKeyAreThoseOfTheWrittenPlace) {
  Score score;
  score.Bar(4, {60}).Bar(4, {60}, With([](WrittenBar& bar) { bar.da_capo = true; })).Bar(3, {60});
  score->tempi = {{4 * kQuarter, 120}, {6 * kQuarter, 30}};
  score->keys = {{0, {2}}, {4 * kQuarter, {-3, true}}};
  score->metres = {{0, {4, 4}}, {8 * kQuarter, {3, 4}}};
  const music::Score heard = Heard(score);
  // 4 s, 1 s + 4 s, 4 s, 1 s + 4 s, and the last bar at the last tempo.
  EXPECT_DOUBLE_EQ(heard.tempo_map.SecondsAt(8), 9);
  EXPECT_DOUBLE_EQ(heard.tempo_map.SecondsAt(16), 18);
  EXPECT_DOUBLE_EQ(heard.duration_s, 24);
  ASSERT_EQ(heard.tempo_map.key_signatures().size(), 4u);
  EXPECT_EQ(heard.tempo_map.key_signatures()[2].beat, 8);
  EXPECT_EQ(heard.tempo_map.key_signatures()[2].fifths, 2);
  ASSERT_EQ(heard.tempo_map.time_signatures().size(), 2u);
  EXPECT_EQ(heard.tempo_map.time_signatures()[1].beat, 16);
  EXPECT_EQ(heard.tempo_map.time_signatures()[1].numerator, 3);
}

TEST(PlayTest, WithoutATempoItIsThatOfTheOptions) {
  Score score;
  score.Bar(4, {60});
  EXPECT_DOUBLE_EQ(Heard(score, {}).duration_s, 2.4);
  PlayOptions options;
  options.default_tempo = 200;
  EXPECT_DOUBLE_EQ(Heard(score, options).duration_s, 1.2);
  options.default_tempo = 0;
  EXPECT_TRUE(absl::IsInvalidArgument(Play(score.Sorted(), options).status()));
}

TEST(PlayTest, ANoteHeldIntoAJumpEndsThere) {
  Score score;
  score.Bar(2, {}, kRepeats).Bar(2);
  score.Add(1, 3, 60);
  EXPECT_THAT(Notes(Heard(score)), ElementsAre("1-2 60", "3-6 60"));
}

TEST(PlayTest, ANoteHeldIntoARepeatIsStruckWhenItComesBack) {
  Score score;
  score.Bar(2).Bar(2, {}, With([](WrittenBar& bar) { bar.starts_repeat = true, bar.plays = 2; }));
  score.Add(1, 2, 60);  // into the repeat
  EXPECT_THAT(Notes(Heard(score)), ElementsAre("1-3 60", "4-5 60"));
  score.Bar(1);
  score.Add(3, 2, 60);  // and out of it
  EXPECT_THAT(Notes(Heard(score)), ElementsAre("1-3 60", "3-5 60", "5-7 60"))
      << "where a tie leads to a tie, one note goes on";
}

TEST(PlayTest, ANoteThatContinuesInASecondEndingIsOne) {
  const auto ending = [](int number, int plays) {
    return With([=](WrittenBar& bar) { bar.endings = {number}, bar.plays = plays; });
  };
  Score score;
  score.Bar(1).Bar(1, {}, ending(1, 2)).Bar(1, {}, ending(2, 1));
  score.Add(0, 2, 60);
  score.Add(2, 1, 60).continues = true;
  EXPECT_THAT(Notes(Heard(score)), ElementsAre("0-2 60", "2-4 60"));
  score->notes.back().pitch = 61;
  EXPECT_THAT(Notes(Heard(score)), ElementsAre("0-2 60", "2-3 60", "3-4 61"));
}

TEST(PlayTest, GraceNotesComeBeforeTheBeat) {
  Score score;
  score.Bar(4, {60, 62}).Graces(1, {64, 65});
  EXPECT_THAT(Notes(Heard(score)), ElementsAre("0-1 60", "0.84-0.92 64", "0.92-1 65", "1-2 62"));
}

TEST(PlayTest, ManyGraceNotesTakeHalfOfTheNoteBeforeAtMost) {
  Score score;
  score.Bar(4, {60, 62}).Graces(1, std::vector<int>(20, 70));
  const music::Score heard = Heard(score);
  ASSERT_EQ(heard.notes.size(), 22u);
  EXPECT_NEAR(heard.notes[1].onset_s, 0.5, 1e-9);
  EXPECT_NEAR(heard.notes[20].offset_s, 1, 1e-9);
}

TEST(PlayTest, GraceNotesAtTheBeginningTakeTimeFromTheirNote) {
  Score score;
  score.Bar(4, {60}).Graces(0, {64, 65});
  score.Add(0, 1, 40).voice = 2;
  EXPECT_THAT(Notes(Heard(score)), ElementsAre("0-1 40", "0-0.08 64", "0.08-0.16 65", "0.16-1 60"));
}

TEST(PlayTest, TremolosArePlayedUnlessSaidOtherwise) {
  Score score;
  score.Bar(4);
  score.Add(0, 1, 60).tremolo_stroke = kQuarter / 4;
  EXPECT_THAT(Notes(Heard(score)),
              ElementsAre("0-0.25 60", "0.25-0.5 60", "0.5-0.75 60", "0.75-1 60"));
  PlayOptions options = AtSixty();
  options.tremolo = false;
  EXPECT_THAT(Notes(Heard(score, options)), ElementsAre("0-1 60"));
}

TEST(PlayTest, OrnamentsArePlayedOnRequest) {
  const std::map<Ornament, std::vector<int>> expected = {
      {Ornament::kNone, {60}},
      {Ornament::kMordent, {60, 59, 60}},
      {Ornament::kInvertedMordent, {60, 62, 60}},
      {Ornament::kTurn, {62, 60, 59, 60}},
      {Ornament::kInvertedTurn, {59, 60, 62, 60}},
      {Ornament::kTrill, {60, 62, 60, 62, 60, 62, 60, 62, 60, 62, 60, 62, 60}},
  };
  for (const auto& [ornament, pitches] : expected) {
    Score score;
    score.Bar(4);
    WrittenNote& note = score.Add(0, 1, 60);
    note.ornament = ornament;
    note.ornament_lower = 1;
    EXPECT_THAT(Notes(Heard(score)), ElementsAre("0-1 60"));
    PlayOptions options = AtSixty();
    options.ornaments = true;
    const music::Score heard = Heard(score, options);
    std::vector<int> played;
    for (const music::Note& each : heard.notes) played.push_back(each.pitch);
    EXPECT_EQ(played, pitches);
    EXPECT_NEAR(heard.notes.back().offset_s, 1, 1e-9);
  }
}

TEST(PlayTest, ArpeggiosArePlayedOnRequest) {
  Score score;
  score.Bar(4);
  for (int i = 0; i < 3; ++i) score.Add(0, 1, 60 + i).arpeggio = i + 1;
  EXPECT_THAT(Notes(Heard(score)), ElementsAre("0-1 60", "0-1 61", "0-1 62"));
  PlayOptions options = AtSixty();
  options.arpeggios = true;
  EXPECT_THAT(Notes(Heard(score, options)), ElementsAre("0-1 60", "0.04-1 61", "0.08-1 62"));
}

TEST(PlayTest, DynamicsAreVelocities) {
  Score score;
  score.Bar(4, {60, 62});
  score->notes[1].velocity = 33;
  const music::Score heard = Heard(score);
  EXPECT_EQ(heard.notes[0].velocity, 80);
  EXPECT_EQ(heard.notes[1].velocity, 33);
}

TEST(PlayTest, EachPartHasAChannelAndNoneIsThatOfDrums) {
  Score score;
  score.Bar(4);
  score->parts.assign(15, {});
  score->parts[3] = {"Drums", 0, true};
  score->parts.push_back({"Oboe", 68});
  for (int i = 0; i < 16; ++i) {
    if (i != 3) score.Add(0, 1, 60 + i).part = i;
  }
  const music::Score heard = Heard(score);
  ASSERT_EQ(heard.parts.size(), 15u);
  std::map<int, int> parts_of;
  for (const music::Part& part : heard.parts) ++parts_of[part.channel];
  EXPECT_EQ(parts_of.size(), 15u);
  EXPECT_FALSE(parts_of.contains(9));
  EXPECT_EQ(heard.parts.back().name, "Oboe");
  EXPECT_EQ(heard.parts.back().program, 68);
  EXPECT_EQ(heard.parts.back().track, 15);
  EXPECT_EQ(heard.notes.back().channel, heard.parts.back().channel);
  EXPECT_EQ(heard.notes.back().track, 15);
}

TEST(PlayTest, MorePartsThanChannelsShareThemByProgram) {
  Score score;
  score.Bar(4);
  score->parts.clear();
  for (int i = 0; i < 40; ++i) score->parts.push_back({"", i % 4});
  const music::Score heard = Heard(score);
  for (const music::Part& part : heard.parts) EXPECT_EQ(part.channel, part.program);
  for (int i = 0; i < 40; ++i) score->parts[i].program = i;
  for (const music::Part& part : Heard(score).parts) EXPECT_NE(part.channel, 9);
}

TEST(PlayTest, WhatIsWrittenAsMidiHasItsInstruments) {
  Score score;
  score.Bar(2, {60}, kRepeats);
  score->title = "Duo";
  score->parts.push_back({"Viola", 41});
  score.Add(0, 1, 50).part = 1;
  const music::Score back = music::ReadMidi(music::WriteMidi(Heard(score)).value()).value();
  EXPECT_EQ(back.title, "Duo");
  ASSERT_EQ(back.parts.size(), 2u);
  EXPECT_EQ(back.parts[0].name, "Violin");
  EXPECT_EQ(back.parts[0].program, 40);
  EXPECT_EQ(back.parts[1].name, "Viola");
  EXPECT_EQ(back.parts[1].program, 41);
  EXPECT_EQ(back.notes.size(), 4u);
}

TEST(PlayTest, NamesAndWarningsAreKept) {
  Score score;
  score.Bar(4, {60}, With([](WrittenBar& bar) { bar.dal_segno = true; }));
  score->title = "Sonata\n";
  score->composer = "C. Schumann";
  score->opus = "op. 7";
  score->unpitched_notes = 5;
  score->warnings.assign(30, "bar 1: something");
  const music::Score heard = Heard(score);
  EXPECT_EQ(heard.title, "Sonata");
  EXPECT_EQ(heard.composer, "C. Schumann");
  EXPECT_EQ(heard.opus, "op. 7");
  EXPECT_EQ(heard.drum_notes, 5);
  ASSERT_EQ(heard.warnings.size(), 20u);
  EXPECT_EQ(heard.warnings.back(), "and 12 more");
}

TEST(PlayTest, LimitsHoldForWhatIsPlayed) {
  Score score;
  score.Bar(4, {60, 62, 64, 65}, With([](WrittenBar& bar) { bar.plays = 1000; }));
  NotationLimits limits;
  limits.max_notes = 100;
  EXPECT_TRUE(absl::IsResourceExhausted(Play(score.Sorted(), {}, limits).status()));
  limits = {};
  limits.max_duration_s = 100;
  EXPECT_TRUE(absl::IsResourceExhausted(Play(score.Sorted(), {}, limits).status()));
  limits = {};
  limits.max_bars = 100;
  EXPECT_TRUE(absl::IsResourceExhausted(Play(score.Sorted(), {}, limits).status()));
  score->notes[0].tremolo_stroke = 1;
  EXPECT_THAT(Play(score.Sorted(), {}, {}).status().message(), HasSubstr("1000000 notes"));
}

TEST(PlayTest, BrokenPromisesAreTheReadersFault) {
  const auto broken = [](const std::function<void(WrittenScore&)>& change) {
    Score score;
    score.Bar(4, {60, 62}).Bar(4);
    WrittenScore written = score.Sorted();
    change(written);
    return Play(written).status().code();
  };
  EXPECT_EQ(broken([](WrittenScore&) {}), absl::StatusCode::kOk);
  const std::vector<std::function<void(WrittenScore&)>> faults = {
      [](WrittenScore& score) { score.bars[1].start += 1; },
      [](WrittenScore& score) { score.bars[1].length = 0; },
      [](WrittenScore& score) { score.bars[1].length = Ticks{1} << 62; },
      [](WrittenScore& score) { score.notes[0].onset = 5 * kQuarter; },
      [](WrittenScore& score) { score.notes[1].onset = 8 * kQuarter; },
      [](WrittenScore& score) { score.notes[1].duration = 0; },
      [](WrittenScore& score) { score.notes[1].pitch = 128; },
      [](WrittenScore& score) { score.notes[1].part = 1; },
      [](WrittenScore& score) { score.notes[1].tremolo_stroke = -1; },
      [](WrittenScore& score) {
        score.order = {0, 2};
      },
      [](WrittenScore& score) {
        score.tempi = {{0, 0}};
      },
      [](WrittenScore& score) {
        score.tempi = {{5, 60}, {4, 60}};
      },
      [](WrittenScore& score) {
        score.metres = {{0, {4, 3}}};
      },
      [](WrittenScore& score) {
        score.keys = {{0, {8}}};
      },
      [](WrittenScore& score) { score.parts[0].program = 128; },
  };
  for (size_t i = 0; i < faults.size(); ++i)
    EXPECT_EQ(broken(faults[i]), absl::StatusCode::kInternal) << i;
}

TEST(PlayTest, PartsOfAScoreKeepTheirBars) {
  Score score;
  score.Bar(1, {60}).Bar(4, {60, 62, 64, 65}).Bar(3, {67, 69, 71}, kRepeats).Bar(4, {72});
  score->title = "Air";
  const music::Score heard = Heard(score);
  for (const double start_s : {0.0, 0.5, 1.0, 4.25, 9.5, 15.0}) {
    const music::Score excerpt = Excerpt(heard, start_s, start_s + 7);
    EXPECT_TRUE(IsSane(excerpt));
    EXPECT_EQ(excerpt.parts.size(), heard.parts.size());
    for (double at_s = 0; at_s < 7 && start_s + at_s < heard.duration_s; at_s += 0.25) {
      const music::ScorePosition here = PositionAt(excerpt, at_s);
      const music::ScorePosition there = PositionAt(heard, start_s + at_s);
      EXPECT_EQ(here.label, there.label) << start_s << " + " << at_s;
      EXPECT_EQ(here.bar.bar, there.bar.bar);
      EXPECT_NEAR(here.bar.beat, there.bar.beat, 1e-9);
      EXPECT_EQ(here.pass, there.pass);
      EXPECT_NEAR(here.written_beats, there.written_beats, 1e-9);
    }
  }
  const music::Score faster = AtTempoRatio(heard, 2);
  EXPECT_EQ(PositionAt(faster, 4.75).label, PositionAt(heard, 9.5).label);
  EXPECT_EQ(PositionAt(Transposed(heard, 3), 9.5).label, PositionAt(heard, 9.5).label);
}

}  // namespace
}  // namespace antiphon::notation
