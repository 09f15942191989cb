#include "client/output/midi_clock.h"

#include <algorithm>
#include <cmath>

namespace antiphon::client {
namespace {

constexpr double kStep_s = 0.001;   // of time that the clock runs evenly
constexpr double kCatchUp_s = 0.5;  // within which it makes good what it is behind or ahead
constexpr double kSlowest = 0.25, kFastest = 2;  // of the music's tempo, while it does
constexpr int kTicksPerSixteenth = MidiClock::kTicksPerQuarter / 4;
constexpr int64_t kLastSixteenth = 0x3fff;  // that a song position can name
// From here on the clock goes to another place, ticks: two quarter notes.
constexpr double kFarAway = 2 * MidiClock::kTicksPerQuarter;
// A piece that is found to have begun so short a time ago is started from its beginning.
constexpr double kJustBegun = MidiClock::kTicksPerQuarter;

}  // namespace

void MidiClock::Play(double at_s, double quarters, double quarters_per_minute) {
  at_s_ = at_s;
  at_ticks_ = std::max(0.0, quarters) * kTicksPerQuarter;
  ticks_per_s_ = quarters_per_minute * kTicksPerQuarter / 60;
  playing_ = true;
}

// Starts at the beginning, or continues at the next sixteenth note.
void MidiClock::Locate(double ticks, std::string& bytes) {
  if (running_) bytes += kStop;
  running_ = true;
  if (ticks <= kJustBegun) {
    ticks_ = 0;
    next_tick_ = 0;
    bytes += kStart;
    return;
  }
  const auto sixteenth = static_cast<int64_t>(std::ceil(ticks / kTicksPerSixteenth));
  if (sixteenth <= kLastSixteenth) {
    bytes +=
        {kSongPosition, static_cast<char>(sixteenth & 0x7f), static_cast<char>(sixteenth >> 7)};
  }
  bytes += kContinue;
  ticks_ = ticks;
  next_tick_ = sixteenth * kTicksPerSixteenth;
}

void MidiClock::Step(double now_s, double step_s, std::string& bytes) {
  const double music = at_ticks_ + (now_s - at_s_) * ticks_per_s_;
  if (!running_ || std::abs(music - ticks_) > kFarAway) Locate(music, bytes);
  const double speed = std::clamp(ticks_per_s_ + (music - ticks_) / kCatchUp_s,
                                  kSlowest * ticks_per_s_, kFastest * ticks_per_s_);
  ticks_ += speed * step_s;
  for (; static_cast<double>(next_tick_) <= ticks_; ++next_tick_) bytes += kTick;
}

std::string MidiClock::Advance(double now_s) {
  std::string bytes;
  if (!begun_ || !playing_) now_s_ = now_s;
  begun_ = true;
  while (now_s_ < now_s) {
    const double step_s = std::min(kStep_s, now_s - now_s_);
    now_s_ += step_s;
    Step(now_s_, step_s, bytes);
  }
  return bytes;
}

std::string MidiClock::Finish() {
  playing_ = false;
  if (!running_) return "";
  running_ = false;
  return std::string(1, kStop);
}

}  // namespace antiphon::client
