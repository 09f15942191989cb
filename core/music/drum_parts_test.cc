#include "core/music/drum_parts.h"

#include <gtest/gtest.h>

#include "core/music/midi_file.h"
#include "tests/support/midi_bytes.h"

namespace antiphon::music {
namespace {

using ::antiphon::testing::Bytes;
using ::antiphon::testing::MidiFile;
using ::antiphon::testing::MidiTrack;

constexpr std::initializer_list<int> kGmOn = {0x7e, 0x7f, 0x09, 0x01, 0xf7};
constexpr std::initializer_list<int> kGm2On = {0x7e, 0x7f, 0x09, 0x03, 0xf7};
constexpr std::initializer_list<int> kGsReset = {0x41, 0x10, 0x42, 0x12, 0x40,
                                                 0x00, 0x7f, 0x00, 0x41, 0xf7};
constexpr std::initializer_list<int> kXgOn = {0x43, 0x10, 0x4c, 0, 0, 0x7e, 0, 0xf7};

std::string Sysex(const std::string& body) {
  return Bytes({0xf0, static_cast<int>(body.size())}) + body;
}
std::string Sysex(std::initializer_list<int> body) { return Sysex(Bytes(body)); }
// Part `block` of GS: drums by map 1, or melodic.
std::string GsPart(int block, bool drums) {
  return Sysex({0x41, 0x10, 0x42, 0x12, 0x40, 0x10 | block, 0x15, drums ? 1 : 0, 0, 0xf7});
}

// A note on each channel, 100 ticks after what `setup` says. Returns the channels that are heard,
// counted from 1.
std::string Heard(const MidiTrack& setup) {
  MidiTrack track = setup;
  for (int channel = 0; channel < 16; ++channel) {
    track.On(channel == 0 ? 100 : 0, 40 + channel, 64, channel);
  }
  const Score score = ReadMidi(MidiFile(0, 96, {track.End(96)})).value();
  EXPECT_EQ(score.notes.size() + static_cast<size_t>(score.drum_notes), 16u);
  std::string heard;
  for (const Note& note : score.notes) {
    EXPECT_NE(note.channel, kMidiDrumChannel);
    heard += std::to_string(note.pitch - 39) + " ";
  }
  return heard;
}

constexpr char kAllBut10[] = "1 2 3 4 5 6 7 8 9 11 12 13 14 15 16 ";
constexpr char kAll[] = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 ";

TEST(DrumPartsTest, Channel10IsDrumsUnlessTheFileSaysOtherwise) {
  EXPECT_EQ(Heard(MidiTrack()), kAllBut10);
  for (const auto& reset : {kGmOn, kGm2On, kGsReset, kXgOn}) {
    EXPECT_EQ(Heard(MidiTrack().Raw(0, Sysex(reset))), kAllBut10);
    // A reset ends what was said before.
    EXPECT_EQ(Heard(MidiTrack().Raw(0, GsPart(1, true)).Raw(1, Sysex(reset))), kAllBut10);
  }
}

TEST(DrumPartsTest, GsMakesPartsDrumsAndDrumsParts) {
  EXPECT_EQ(Heard(MidiTrack().Raw(0, GsPart(1, true))), "2 3 4 5 6 7 8 9 11 12 13 14 15 16 ");
  EXPECT_EQ(Heard(MidiTrack().Raw(0, GsPart(0xa, true))), "1 2 3 4 5 6 7 8 9 12 13 14 15 16 ");
  EXPECT_EQ(Heard(MidiTrack().Raw(0, GsPart(0xf, true))), "1 2 3 4 5 6 7 8 9 11 12 13 14 15 ");
  EXPECT_EQ(Heard(MidiTrack().Raw(0, GsPart(0, false))), kAll);
}

TEST(DrumPartsTest, XgMakesPartsDrumsByModeAndByBank) {
  const auto mode = [](int part, int mode) {
    return Sysex({0x43, 0x10, 0x4c, 0x08, part, 0x07, mode, 0xf7});
  };
  EXPECT_EQ(Heard(MidiTrack().Raw(0, Sysex(kXgOn)).Raw(0, mode(10, 2))),
            "1 2 3 4 5 6 7 8 9 12 13 14 15 16 ");
  EXPECT_EQ(Heard(MidiTrack().Raw(0, mode(9, 0))), kAll);
  const auto bank = [](int bank) {
    return MidiTrack().Raw(0, Bytes({0xb0, 0, bank})).Raw(0, Bytes({0xc0, 0}));
  };
  MidiTrack xg = bank(127);
  EXPECT_EQ(Heard(xg.Raw(0, Sysex(kXgOn))), "2 3 4 5 6 7 8 9 11 12 13 14 15 16 ")
      << "a reset acts first at its tick";
  EXPECT_EQ(Heard(bank(127)), kAllBut10) << "without XG, bank 127 is nothing special";
  EXPECT_EQ(Heard(MidiTrack()
                      .Raw(0, Sysex(kXgOn))
                      .Raw(1, Bytes({0xb0, 0, 127}))
                      .Raw(1, Bytes({0xc0, 0}))
                      .Raw(1, Bytes({0xb0, 0, 0}))
                      .Raw(1, Bytes({0xc0, 0}))),
            kAllBut10);
}

TEST(DrumPartsTest, GeneralMidi2HasABankForEachKind) {
  const auto bank = [](int channel, int bank) {
    return MidiTrack()
        .Raw(0, Sysex(kGm2On))
        .Raw(0, Bytes({0xb0 | channel, 0, bank}))
        .Raw(0, Bytes({0xc0 | channel, 0}));
  };
  EXPECT_EQ(Heard(bank(0, 120)), "2 3 4 5 6 7 8 9 11 12 13 14 15 16 ");
  EXPECT_EQ(Heard(bank(9, 121)), kAll);
}

TEST(DrumPartsTest, APartCountedPlainlyIsBelievedWhereTheOtherIsEmpty) {
  MidiTrack track;
  track.Raw(0, GsPart(0xb, true)).On(0, 60, 64, 0).On(0, 36, 64, 10);
  const Score score = ReadMidi(MidiFile(0, 96, {track.End(96)})).value();
  EXPECT_EQ(score.notes.size(), 1u);
  EXPECT_EQ(score.drum_notes, 1);
}

TEST(DrumPartsTest, APartMayChangeOnTheWay) {
  MidiTrack track;
  track.On(0, 60).Off(10, 60).Raw(0, GsPart(1, true)).On(0, 61).Off(10, 61);
  track.Raw(1, GsPart(1, false)).On(1, 62);
  const Score score = ReadMidi(MidiFile(0, 96, {track.End(96)})).value();
  ASSERT_EQ(score.notes.size(), 2u);
  EXPECT_EQ(score.notes[0].pitch, 60);
  EXPECT_EQ(score.notes[1].pitch, 62);
}

TEST(ParsePartMessageTest, KnowsNothingOfOtherAndShortMessages) {
  for (const auto& body :
       {std::string(), Bytes({0x41, 0x10, 0x42, 0x12, 0x40, 0x11, 0x15}), Bytes({0x7e, 0x7f, 0x09}),
        Bytes({0x43, 0x10, 0x4c, 0x08, 0x10, 0x07, 0x01}), Bytes({0x43, 0x10, 0x4c, 0x08, 0x01}),
        Bytes({0x7d, 1, 2, 3, 0xf7})}) {
    EXPECT_FALSE(ParsePartMessage(body).has_value());
  }
}

}  // namespace
}  // namespace antiphon::music
