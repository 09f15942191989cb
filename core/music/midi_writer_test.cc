#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "core/music/midi_file.h"
#include "tests/support/midi_bytes.h"
#include "tests/support/scores.h"

namespace antiphon::music {
namespace {

using ::antiphon::testing::MidiFile;
using ::antiphon::testing::MidiTrack;
using ::antiphon::testing::RandomScore;
using ::antiphon::testing::Rng;
using ::testing::HasSubstr;

constexpr double kTick = 1.0 / 480;  // in beats

Score OneNote() {
  Score score;
  Note note;
  note.onset_s = 0.5;
  note.offset_s = 1.0;
  note.sounding_offset_s = 1.5;
  score.notes.push_back(note);
  score.duration_s = 2.0;
  return score;
}

std::string Write(const Score& score) {
  absl::StatusOr<std::string> bytes = WriteMidi(score);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.ok() ? *std::move(bytes) : "";
}

Score WriteAndRead(const Score& score) {
  absl::StatusOr<Score> back = ReadMidi(Write(score));
  EXPECT_TRUE(back.ok()) << back.status();
  return back.ok() ? *std::move(back) : Score();
}

TEST(WriteMidiTest, WritesTheBytesOfTheStandard) {
  Score score = OneNote();
  score.title = "A";
  score.notes[0].track = 4;
  score.notes[0].channel = 2;
  score.tempo_map = TempoMap::Create({{0, 0.5}}, {{0, 6, 8}}, {{0, -1, true}}).value();
  const std::string conductor =
      MidiTrack().Name("A").Metre(0, 6, 3).Key(0, -1, 1).Tempo(0, 500'000).End(4 * 480);
  const std::string notes =
      MidiTrack().On(480, 60, 64, 2).Raw(960, testing::Bytes({0x82, 60, 64})).End();
  EXPECT_EQ(Write(score), MidiFile(1, 480, {conductor, notes}));
}

TEST(WriteMidiTest, WritesTheNamesAndProgramsOfParts) {
  Score score = OneNote();
  score.notes[0].track = 1;
  score.parts = {{"Oboe", 1, 0, 68}, {"no notes", 5, 1, 3}};
  const std::string conductor = MidiTrack().Metre(0, 4, 2).Tempo(0, 500'000).End(4 * 480);
  const std::string notes = MidiTrack()
                                .Name("Oboe")
                                .Raw(0, testing::Bytes({0xc0, 68}))
                                .On(480, 60)
                                .Raw(960, testing::Bytes({0x80, 60, 64}))
                                .End();
  EXPECT_EQ(Write(score), MidiFile(1, 480, {conductor, notes}));
  const Score back = WriteAndRead(score);
  ASSERT_EQ(back.parts.size(), 1u);
  EXPECT_EQ(back.parts[0].name, "Oboe");
  EXPECT_EQ(back.parts[0].program, 68);
  score.parts[0].program = 128;
  EXPECT_TRUE(absl::IsInvalidArgument(WriteMidi(score).status()));
}

TEST(WriteMidiTest, AnEmptyScoreIsAConductorTrack) {
  EXPECT_EQ(Write(Score()), MidiFile(1, 480, {MidiTrack().Metre(0, 4, 2).Tempo(0, 500'000).End()}));
}

TEST(WriteMidiTest, KeepsTheRestAtTheEnd) {
  EXPECT_DOUBLE_EQ(WriteAndRead(OneNote()).duration_s, 2.0);
}

TEST(WriteMidiTest, TheSoundsEndIsTheNotesEnd) {
  const Score back = WriteAndRead(OneNote());
  ASSERT_EQ(back.notes.size(), 1u);
  EXPECT_DOUBLE_EQ(back.notes[0].offset_s, 1.5);
  EXPECT_DOUBLE_EQ(back.notes[0].sounding_offset_s, 1.5);
}

// What a note should read back as, in beats. Struck again on its track and channel, it ends there.
struct Expected {
  double onset, end;
  int pitch, velocity, channel, track;
};

using Key = std::tuple<int, int, int>;  // track, channel, pitch

std::map<Key, std::vector<Expected>> ByKey(const Score& score) {
  std::map<Key, std::vector<Expected>> notes;
  for (const Note& note : score.notes) {
    std::vector<Expected>& key = notes[{note.track, note.channel, note.pitch}];
    const double onset = score.tempo_map.BeatsAt(note.onset_s);
    if (!key.empty()) key.back().end = std::min(key.back().end, onset);
    key.push_back({onset, score.tempo_map.BeatsAt(note.sounding_offset_s), note.pitch,
                   note.velocity, note.channel, note.track});
  }
  return notes;
}

// Tracks are renumbered from 1 without gaps; this does the same.
Score WithTracksInSequence(Score score) {
  std::map<int, int> numbers;
  for (const Note& note : score.notes) numbers[note.track] = 0;
  int next = 0;
  for (auto& [track, number] : numbers) number = ++next;
  for (Note& note : score.notes) note.track = numbers[note.track];
  return score;
}

TEST(WriteMidiTest, WhatIsReadBackIsWhatWasWritten) {
  Rng rng(1);
  for (int i = 0; i < 300; ++i) {
    const Score score = WithTracksInSequence(RandomScore(rng));
    const Score back = WriteAndRead(score);
    EXPECT_EQ(back.title, score.title);
    ASSERT_EQ(back.notes.size(), score.notes.size());
    const auto expected = ByKey(score);
    const auto actual = ByKey(back);
    ASSERT_EQ(actual.size(), expected.size());
    for (const auto& [key, notes] : expected) {
      const auto found = actual.find(key);
      ASSERT_NE(found, actual.end());
      ASSERT_EQ(found->second.size(), notes.size());
      for (size_t n = 0; n < notes.size(); ++n) {
        EXPECT_NEAR(found->second[n].onset, notes[n].onset, kTick);
        EXPECT_NEAR(found->second[n].end, notes[n].end, 1.001 * kTick);
        EXPECT_EQ(found->second[n].velocity, notes[n].velocity);
      }
    }
  }
}

template <typename Change>
void ExpectSameBeats(const std::vector<Change>& back, const std::vector<Change>& written) {
  ASSERT_EQ(back.size(), written.size());
  for (size_t i = 0; i < back.size(); ++i) EXPECT_NEAR(back[i].beat, written[i].beat, 1e-9);
}

TEST(WriteMidiTest, TempoMetreAndKeyAreReadBack) {
  Rng rng(2);
  for (int i = 0; i < 300; ++i) {
    const Score score = RandomScore(rng);
    const TempoMap back = WriteAndRead(score).tempo_map;
    const TempoMap& written = score.tempo_map;
    ExpectSameBeats(back.tempi(), written.tempi());
    ExpectSameBeats(back.time_signatures(), written.time_signatures());
    ExpectSameBeats(back.key_signatures(), written.key_signatures());
    for (size_t t = 0; t < written.tempi().size(); ++t) {
      EXPECT_NEAR(back.tempi()[t].seconds_per_beat, written.tempi()[t].seconds_per_beat, 1e-9);
    }
    for (size_t s = 0; s < written.time_signatures().size(); ++s) {
      EXPECT_EQ(back.time_signatures()[s].numerator, written.time_signatures()[s].numerator);
      EXPECT_EQ(back.time_signatures()[s].denominator, written.time_signatures()[s].denominator);
    }
    for (size_t k = 0; k < written.key_signatures().size(); ++k) {
      EXPECT_EQ(back.key_signatures()[k].fifths, written.key_signatures()[k].fifths);
      EXPECT_EQ(back.key_signatures()[k].minor, written.key_signatures()[k].minor);
    }
  }
}

TEST(WriteMidiTest, WritingWhatWasReadBackChangesNothing) {
  Rng rng(3);
  for (int i = 0; i < 100; ++i) {
    const std::string once = Write(WriteAndRead(RandomScore(rng)));
    EXPECT_EQ(Write(ReadMidi(once).value()), once);
  }
}

TEST(WriteMidiTest, RefusesNotesOutsideTheRangesOfMidi) {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto expect_refused = [](auto member, auto value, const char* what) {
    Score score = OneNote();
    score.notes[0].*member = value;
    const absl::Status status = WriteMidi(score).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << what << " " << value;
    EXPECT_THAT(std::string(status.message()), HasSubstr(what));
  };
  for (const int pitch : {-1, 128}) expect_refused(&Note::pitch, pitch, "pitch");
  for (const int velocity : {0, 128}) expect_refused(&Note::velocity, velocity, "velocity");
  for (const int channel : {-1, 9, 16}) expect_refused(&Note::channel, channel, "channel");
  expect_refused(&Note::track, -1, "track");
  for (const double onset : {-0.1, infinity, std::nan("")})
    expect_refused(&Note::onset_s, onset, "onset");
  for (const double end : {0.5, 0.4, infinity, std::nan("")})
    expect_refused(&Note::sounding_offset_s, end, "end");
  expect_refused(&Note::sounding_offset_s, 1e9, "gap");
}

TEST(WriteMidiTest, RefusesATempoThatMidiCannotSay) {
  for (const double seconds_per_beat : {16.8, 1e-7}) {
    Score score = OneNote();
    score.tempo_map = TempoMap::Create({{0, seconds_per_beat}}, {}).value();
    const absl::Status status = WriteMidi(score).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("tempo"));
  }
}

}  // namespace
}  // namespace antiphon::music
