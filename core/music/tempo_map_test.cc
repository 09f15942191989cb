#include "core/music/tempo_map.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/scores.h"

namespace antiphon::music {
namespace {

using ::antiphon::testing::RandomTempoMap;
using ::antiphon::testing::Rng;
using ::antiphon::testing::Uniform;
using ::antiphon::testing::UniformInt;

TempoMap Make(std::vector<TempoChange> tempi, std::vector<TimeSignature> signatures = {}) {
  return TempoMap::Create(std::move(tempi), std::move(signatures)).value();
}

void ExpectBar(const TempoMap& map, double beats, int bar, double beat) {
  SCOPED_TRACE(::testing::Message() << "at " << beats << " quarter notes");
  const BarPosition position = map.BarAt(beats);
  EXPECT_EQ(position.bar, bar);
  EXPECT_NEAR(position.beat, beat, 1e-9);
  EXPECT_NEAR(map.BeatsAtBar({bar, beat}), beats, 1e-9);
}

TEST(TempoMapTest, DefaultsToMidiTempoAndCommonTime) {
  const TempoMap map;
  EXPECT_DOUBLE_EQ(map.SecondsAt(3), 1.5);
  EXPECT_DOUBLE_EQ(map.BeatsAt(1.5), 3);
  ExpectBar(map, 4.5, 2, 1.5);
  ASSERT_EQ(map.tempi().size(), 1u);
  ASSERT_EQ(map.time_signatures().size(), 1u);
  EXPECT_TRUE(map.key_signatures().empty());
}

TEST(TempoMapTest, AddsUpTheTimeOfEachTempo) {
  const TempoMap map = Make({{4, 1.0}, {0, 0.25}, {6, 2.0}});
  EXPECT_DOUBLE_EQ(map.SecondsAt(4), 1.0);
  EXPECT_DOUBLE_EQ(map.SecondsAt(6), 3.0);
  EXPECT_DOUBLE_EQ(map.SecondsAt(7), 5.0);
  EXPECT_DOUBLE_EQ(map.BeatsAt(2.0), 5.0);
}

TEST(TempoMapTest, UsesTheDefaultUntilALaterFirstTempo) {
  const TempoMap map = Make({{2, 1.0}});
  EXPECT_DOUBLE_EQ(map.SecondsAt(3), 2.0);
}

TEST(TempoMapTest, UsesTheFirstTempoBeforeTheStart) {
  const TempoMap map = Make({{0, 0.25}, {1, 3.0}});
  EXPECT_DOUBLE_EQ(map.SecondsAt(-2), -0.5);
  EXPECT_DOUBLE_EQ(map.BeatsAt(-0.5), -2);
}

TEST(TempoMapTest, KeepsTheLastOfSeveralEntriesAtOneBeat) {
  const absl::StatusOr<TempoMap> map =
      TempoMap::Create({{4, 1.0}, {0, 9.0}, {0, 0.25}, {4, 2.0}}, {{8, 2, 4}, {8, 3, 8}},
                       {{8, -3, true}, {8, 1, false}});
  ASSERT_TRUE(map.ok());
  EXPECT_DOUBLE_EQ(map->SecondsAt(5), 3.0);
  ASSERT_EQ(map->time_signatures().size(), 2u);
  EXPECT_EQ(map->time_signatures()[1].denominator, 8);
  ASSERT_EQ(map->key_signatures().size(), 1u);
  EXPECT_EQ(map->key_signatures()[0].fifths, 1);
}

TEST(TempoMapTest, RefusesWhatIsOutOfRange) {
  const double nan = std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  for (const TempoChange& tempo : std::vector<TempoChange>{{0, 0},
                                                           {0, -1},
                                                           {0, nan},
                                                           {0, infinity},
                                                           {-1, 0.5},
                                                           {nan, 0.5},
                                                           {infinity, 0.5},
                                                           {1e308, 0.5}}) {
    // A second change makes even the largest finite beat run over.
    const auto status = TempoMap::Create({tempo, {1e300, 1e300}}, {}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument)
        << tempo.beat << " " << tempo.seconds_per_beat;
    EXPECT_FALSE(status.message().empty());
  }
  for (const TimeSignature& signature : std::vector<TimeSignature>{{0, 0, 4},
                                                                   {0, 256, 4},
                                                                   {0, -1, 4},
                                                                   {0, 4, 0},
                                                                   {0, 4, 3},
                                                                   {0, 4, 128},
                                                                   {0, 4, -4},
                                                                   {-1, 4, 4}}) {
    EXPECT_EQ(TempoMap::Create({}, {signature}).status().code(), absl::StatusCode::kInvalidArgument)
        << signature.numerator << "/" << signature.denominator;
  }
  for (const KeySignature& key :
       std::vector<KeySignature>{{0, 8, false}, {0, -8, false}, {-1, 0, false}}) {
    EXPECT_EQ(TempoMap::Create({}, {}, {key}).status().code(), absl::StatusCode::kInvalidArgument)
        << key.fifths;
  }
}

TEST(TempoMapTest, SecondsAndBeatsAreInverseAndIncreasing) {
  Rng rng(1);
  for (int i = 0; i < 200; ++i) {
    const TempoMap map = RandomTempoMap(rng);
    double last_beats = -5;
    for (int j = 0; j < 200; ++j) {
      const double beats = last_beats + Uniform(rng, 1e-4, 0.5);
      EXPECT_GT(map.SecondsAt(beats), map.SecondsAt(last_beats));
      EXPECT_NEAR(map.BeatsAt(map.SecondsAt(beats)), beats, 1e-9);
      last_beats = beats;
    }
  }
}

TEST(TempoMapTest, IsContinuousAtTempoChanges) {
  Rng rng(2);
  for (int i = 0; i < 200; ++i) {
    const TempoMap map = RandomTempoMap(rng);
    for (const TempoChange& tempo : map.tempi()) {
      EXPECT_NEAR(map.SecondsAt(tempo.beat - 1e-9), map.SecondsAt(tempo.beat), 1e-8);
    }
  }
}

TEST(TempoMapTest, CountsBeatsInUnitsOfTheDenominator) {
  const TempoMap map = Make({}, {{0, 6, 8}});
  ExpectBar(map, 0, 1, 1);
  ExpectBar(map, 0.5, 1, 2);
  ExpectBar(map, 2.75, 1, 6.5);
  ExpectBar(map, 3, 2, 1);
}

TEST(TempoMapTest, CountsBarsAcrossMetreChanges) {
  const TempoMap map = Make({}, {{0, 4, 4}, {8, 3, 4}, {14, 6, 8}, {20, 2, 2}});
  ExpectBar(map, 7, 2, 4);
  ExpectBar(map, 8, 3, 1);
  ExpectBar(map, 11, 4, 1);
  ExpectBar(map, 14, 5, 1);
  ExpectBar(map, 17.5, 6, 2);
  ExpectBar(map, 20, 7, 1);
  ExpectBar(map, 26, 8, 2);
}

TEST(TempoMapTest, AnUpbeatWrittenAsAShortMetreIsBarZero) {
  const TempoMap map = Make({}, {{0, 1, 4}, {1, 3, 4}});
  EXPECT_EQ(map.upbeat(), 1);
  ExpectBar(map, 0, 0, 3);
  ExpectBar(map, 0.5, 0, 3.5);
  ExpectBar(map, 1, 1, 1);
  ExpectBar(map, 4, 2, 1);
  const TempoMap eighths = Make({}, {{0, 3, 16}, {0.75, 6, 8}});
  ExpectBar(eighths, 0, 0, 5.5);
  ExpectBar(eighths, 0.75, 1, 1);
}

TEST(TempoMapTest, AnUpbeatWrittenAsABarCutShortIsBarZero) {
  const TempoMap map = Make({}, {{0, 4, 4}, {1.5, 4, 4}});
  EXPECT_EQ(map.upbeat(), 1.5);
  ExpectBar(map, 0, 0, 3.5);
  ExpectBar(map, 1.5, 1, 1);
  ExpectBar(map, 5.5, 2, 1);
  // Longer than a bar of what follows, it is the end of a bar of its own.
  const TempoMap shorter = Make({}, {{0, 4, 4}, {3, 2, 4}});
  ExpectBar(shorter, 0, 0, 2);
  ExpectBar(shorter, 3, 1, 1);
}

TEST(TempoMapTest, AFirstMetreOfCompleteBarsIsNoUpbeat) {
  for (const std::vector<TimeSignature>& signatures :
       std::vector<std::vector<TimeSignature>>{{{0, 4, 4}},
                                               {{0, 4, 4}, {4, 4, 4}},
                                               {{0, 4, 4}, {4, 2, 4}},
                                               {{0, 6, 8}, {3, 3, 4}},
                                               {{0, 2, 4}, {4, 3, 4}},     // two bars
                                               {{0, 2, 4}, {3, 3, 4}}}) {  // one and a half
    const TempoMap map = Make({}, signatures);
    EXPECT_EQ(map.upbeat(), 0);
    ExpectBar(map, 0, 1, 1);
  }
}

TEST(TempoMapTest, MusicThatGoesToAndFroBetweenMetresBeginsWithACompleteBar) {
  ExpectBar(Make({}, {{0, 5, 4}, {5, 6, 4}, {11, 5, 4}, {16, 6, 4}}), 0, 1, 1);
  // A short first bar is an upbeat even so: another part may have one too.
  ExpectBar(Make({}, {{0, 1, 4}, {1, 3, 4}, {13, 2, 4}, {15, 1, 4}, {16, 3, 4}}), 0, 0, 3);
  ExpectBar(Make({}, {{0, 3, 4}, {3, 4, 4}}), 0, 0, 2);
}

TEST(TempoMapTest, ANewSignatureCutsALaterBarShort) {
  const TempoMap map = Make({}, {{0, 4, 4}, {5, 4, 4}});
  ExpectBar(map, 4, 2, 1);
  ExpectBar(map, 4.5, 2, 1.5);
  ExpectBar(map, 5, 3, 1);
  ExpectBar(map, 9, 4, 1);
}

TEST(TempoMapTest, ClampsPositionsBeforeTheStart) {
  const TempoMap map;
  EXPECT_EQ(map.BarAt(-3).bar, 1);
  EXPECT_EQ(map.BarAt(-3).beat, 1.0);
  EXPECT_EQ(map.BeatsAtBar({0, 1.0}), 0);
  EXPECT_EQ(map.BeatsAtBar({1, 0.0}), 0);
  const TempoMap upbeat = Make({}, {{0, 1, 4}, {1, 3, 4}});
  EXPECT_EQ(upbeat.BarAt(-3).bar, 0);
  EXPECT_EQ(upbeat.BarAt(-3).beat, 3.0);
  EXPECT_EQ(upbeat.BeatsAtBar({0, 1.0}), 0);
  EXPECT_EQ(upbeat.BeatsAtBar({-5, 3.0}), 0);
}

TEST(TempoMapTest, APositionRoundedJustBelowABarLineIsOnIt) {
  const TempoMap map = Make({{0, 0.37}}, {{0, 3, 4}, {30, 5, 8}});
  for (const double bar_line : {3.0, 27.0, 30.0, 32.5}) {
    EXPECT_EQ(map.BarAt(bar_line - 1e-9).bar, map.BarAt(bar_line).bar);
    EXPECT_EQ(map.BarAt(bar_line - 1e-9).beat, 1.0);
  }
}

TEST(TempoMapTest, BarsAndBeatsAreInverse) {
  Rng rng(3);
  for (int i = 0; i < 300; ++i) {
    const TempoMap map = RandomTempoMap(rng);
    int last_bar = 0;
    for (double beats = 0; beats < 60; beats += UniformInt(rng, 1, 960) / 480.0) {
      const BarPosition position = map.BarAt(beats);
      EXPECT_GE(position.bar, last_bar);
      EXPECT_GE(position.beat, 1.0);
      EXPECT_NEAR(map.BeatsAtBar(position), beats, 1e-9);
      last_bar = position.bar;
    }
  }
}

TEST(TempoMapTest, EveryBarFromTheFirstOnExists) {
  Rng rng(4);
  for (int i = 0; i < 300; ++i) {
    const TempoMap map = RandomTempoMap(rng);
    for (int bar = 1; bar < 40; ++bar) {
      const BarPosition position = map.BarAt(map.BeatsAtBar({bar, 1.0}));
      EXPECT_EQ(position.bar, bar);
      EXPECT_NEAR(position.beat, 1.0, 1e-9);
    }
  }
}

TEST(TempoMapTest, StaysFiniteAtTheEndOfTime) {
  const TempoMap map = Make({{1e14, 10.0}}, {{0, 1, 64}, {1e15, 1, 64}});
  EXPECT_TRUE(std::isfinite(map.SecondsAt(1e15)));
  EXPECT_GT(map.BarAt(1e15).bar, 0);
  EXPECT_GT(map.BarAt(1e300).bar, 0);
}

}  // namespace
}  // namespace antiphon::music
