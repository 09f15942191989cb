#include "core/music/upbeat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/music/midi_file.h"
#include "tests/support/midi_bytes.h"

namespace antiphon::music {
namespace {

using ::antiphon::testing::Bytes;
using ::antiphon::testing::MidiFile;
using ::antiphon::testing::MidiTrack;
using ::testing::HasSubstr;

MidiTrack Notes() {
  MidiTrack track;
  for (int i = 0; i < 8; ++i) track.On(0, 60 + i).Off(96, 60 + i);
  return track;
}

// In 3/4, from track 0 on.
std::string Waltz(int format = 1) {
  return format == 0 ? MidiFile(0, 96, {MidiTrack().Name("Waltz").Metre(0, 3, 2).End()})
                     : MidiFile(format, 96,
                                {MidiTrack().Name("Waltz").Metre(0, 3, 2).End(), Notes().End()});
}

void ExpectUpbeat(const std::string& midi, double upbeat) {
  const absl::StatusOr<std::string> with = WithUpbeat(midi, upbeat);
  ASSERT_TRUE(with.ok()) << with.status();
  const absl::StatusOr<Score> before = ReadMidi(midi);
  const absl::StatusOr<Score> after = ReadMidi(*with);
  ASSERT_TRUE(before.ok() && after.ok()) << after.status();
  EXPECT_TRUE(after->warnings.empty());
  EXPECT_NEAR(after->tempo_map.upbeat(), upbeat, 0.01);
  EXPECT_EQ(after->tempo_map.BarAt(0).bar, upbeat > 0 ? 0 : 1);
  EXPECT_EQ(after->tempo_map.BarAt(upbeat + 0.01).bar, 1);
  EXPECT_EQ(after->title, before->title);
  EXPECT_NEAR(after->duration_s, before->duration_s, 0.001);
  ASSERT_EQ(after->notes.size(), before->notes.size());
  for (size_t i = 0; i < after->notes.size(); ++i) {
    EXPECT_NEAR(after->notes[i].onset_s, before->notes[i].onset_s, 0.001);
    EXPECT_EQ(after->notes[i].pitch, before->notes[i].pitch);
  }
}

TEST(WithUpbeatTest, PutsTheFirstBarLineThere) {
  for (const double upbeat : {0.0, 0.5, 1.0, 1.5, 2.75}) ExpectUpbeat(Waltz(), upbeat);
  ExpectUpbeat(MidiFile(0, 96, {Notes().End()}), 1.5);  // 4/4 by default
}

TEST(WithUpbeatTest, KeepsTheBytesOfAPlainFile) {
  const std::string midi = Waltz();
  const std::string with = WithUpbeat(midi, 1).value();
  EXPECT_EQ(with.substr(12, midi.size() - 12), midi.substr(12));
  EXPECT_EQ(WithUpbeat(with, 1).value(), with) << "it has it already";
  EXPECT_EQ(WithUpbeat(midi, 0).value(), midi);
}

TEST(WithUpbeatTest, WritesDamagedWrappedAndOtherFilesAnew) {
  const std::string midi = Waltz();
  ExpectUpbeat(midi.substr(0, midi.size() - 1), 1);
  ExpectUpbeat(midi + "trailing", 1);
  ExpectUpbeat("\n\n" + midi, 1);
  ExpectUpbeat(MidiFile(1, 0xe728, {Notes().End()}), 0.5);
  ExpectUpbeat(MidiFile(2, 96,
                        {MidiTrack().Metre(0, 3, 2).On(0, 60).Off(300, 60).End(),
                         MidiTrack().Metre(0, 3, 2).On(0, 60).Off(300, 60).End()}),
               1);
}

TEST(WithUpbeatTest, RefusesWhatIsNoUpbeatOfThatScore) {
  const auto refusal = [](const std::string& midi, double upbeat) {
    const absl::Status status = WithUpbeat(midi, upbeat).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_THAT(refusal(Waltz(), 3), HasSubstr("not within a bar of 3/4"));
  EXPECT_THAT(refusal(Waltz(), -1), HasSubstr("not within a bar"));
  EXPECT_THAT(refusal(WithUpbeat(Waltz(), 1).value(), 2), HasSubstr("of its own, of 1"));
  EXPECT_THAT(refusal(MidiFile(0, 96, {MidiTrack().Metre(192, 2, 2).On(0, 60).End(96)}), 3),
              HasSubstr("of its own, of 2"));
  EXPECT_THAT(refusal("no file", 1), HasSubstr("not a Standard MIDI File"));
}

}  // namespace
}  // namespace antiphon::music
