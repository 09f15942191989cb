#include "client/output/midi_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace antiphon::client {
namespace {

using ::testing::IsEmpty;

int Ticks(const std::string& bytes) {
  return static_cast<int>(std::count(bytes.begin(), bytes.end(), MidiClock::kTick));
}

// Tells the clock every tenth of a second where music of so many quarter notes a minute is.
std::string Follow(MidiClock& clock, double from_s, double to_s, double quarters, double bpm) {
  std::string bytes;
  for (int i = 0; from_s + 0.1 * i < to_s - 1e-9; ++i) {
    const double now_s = from_s + 0.1 * i;
    clock.Play(now_s, quarters + (now_s - from_s) * bpm / 60, bpm);
    bytes += clock.Advance(now_s + 0.1);
  }
  return bytes;
}

TEST(MidiClock, GivesTwentyFourTicksAQuarterNote) {
  MidiClock clock;
  EXPECT_THAT(clock.Advance(3), IsEmpty()) << "nothing is played yet";
  const std::string bytes = Follow(clock, 3, 8, 0, 120);
  EXPECT_EQ(bytes.substr(0, 1), std::string(1, MidiClock::kStart));
  EXPECT_NEAR(Ticks(bytes), 5 * 2 * 24, 1);
  EXPECT_EQ(std::count(bytes.begin(), bytes.end(), MidiClock::kStart), 1);
  EXPECT_EQ(clock.Finish(), std::string(1, MidiClock::kStop));
  EXPECT_THAT(clock.Finish(), IsEmpty());
}

TEST(MidiClock, TicksAreEvenlySpaced) {
  MidiClock clock;
  clock.Play(0, 0, 100);
  clock.Advance(0);
  double last_s = -1;
  for (int ms = 1; ms <= 6000; ++ms) {
    if (ms % 100 == 0) clock.Play(ms / 1000.0, ms / 1000.0 * 100 / 60, 100);
    if (Ticks(clock.Advance(ms / 1000.0)) == 0) continue;
    if (last_s > 0) {
      EXPECT_NEAR(ms / 1000.0 - last_s, 0.025, 0.0021) << ms;
    }
    last_s = ms / 1000.0;
  }
}

TEST(MidiClock, CatchesUpSmoothly) {
  MidiClock clock;
  clock.Advance(0);
  Follow(clock, 0, 2, 0, 120);
  // The music is found to be a quarter of a beat ahead.
  const std::string bytes = Follow(clock, 2, 4, 4.25, 120);
  EXPECT_NEAR(Ticks(bytes), (2 * 2 + 0.25) * 24, 1);
  EXPECT_EQ(Ticks(bytes), static_cast<int>(bytes.size())) << "without a stop";
}

TEST(MidiClock, SlowsDownAndNeverGoesBack) {
  MidiClock clock;
  clock.Advance(0);
  Follow(clock, 0, 2, 0, 120);
  const std::string bytes = Follow(clock, 2, 4, 3.5, 120);
  EXPECT_NEAR(Ticks(bytes), (2 * 2 - 0.5) * 24, 1);
  EXPECT_EQ(Ticks(bytes), static_cast<int>(bytes.size()));
}

TEST(MidiClock, IsSilentWhileTheMusicWaits) {
  MidiClock clock;
  clock.Advance(0);
  Follow(clock, 0, 2, 0, 120);
  clock.Hold();
  EXPECT_THAT(clock.Advance(7), IsEmpty());
  const std::string bytes = Follow(clock, 7, 9, 4, 120);
  EXPECT_NEAR(Ticks(bytes), 4 * 24, 1) << "and goes on where it was";
  EXPECT_EQ(Ticks(bytes), static_cast<int>(bytes.size()));
}

TEST(MidiClock, GoesToAnotherPlaceBySongPosition) {
  MidiClock clock;
  clock.Advance(0);
  Follow(clock, 0, 2, 0, 120);
  const std::string bytes = Follow(clock, 2, 3, 40, 120);
  EXPECT_EQ(bytes[0], MidiClock::kStop);
  EXPECT_EQ(bytes[1], MidiClock::kSongPosition);
  EXPECT_NEAR(bytes[2] + 128 * bytes[3], 160, 1) << "sixteenth notes";
  EXPECT_EQ(bytes[4], MidiClock::kContinue);
  EXPECT_NEAR(Ticks(bytes), 48, 7);
}

TEST(MidiClock, APieceThatIsJoinedLaterContinues) {
  MidiClock clock;
  clock.Advance(0);
  const std::string bytes = Follow(clock, 0, 1, 10'000, 120);
  EXPECT_EQ(bytes[0], MidiClock::kContinue) << "beyond what a song position can name";
}

}  // namespace
}  // namespace antiphon::client
