// A MIDI clock that keeps to music as it is played: 24 clock bytes a quarter note, on time.
//
// What is said of the music comes in steps, and is corrected; the clock runs evenly between,
// catches up or slows down within about half a second, and never goes back. Where the music is far
// from where the clock is, it stops, sends the new place (Song Position Pointer) and continues
// there. MIDI 1.0 Detailed Specification, System Real Time Messages (MMA 1996).
//
// Knows no clock of its own: its caller says what time it is. Belongs to one thread at a time.
#ifndef ANTIPHON_CLIENT_OUTPUT_MIDI_CLOCK_H_
#define ANTIPHON_CLIENT_OUTPUT_MIDI_CLOCK_H_

#include <cstdint>
#include <string>

namespace antiphon::client {

class MidiClock {
 public:
  static constexpr int kTicksPerQuarter = 24;
  static constexpr char kTick = '\xf8', kStart = '\xfa', kContinue = '\xfb', kStop = '\xfc';
  static constexpr char kSongPosition = '\xf2';

  // From now on the music is at `quarters` (quarter notes from the start of the score, >= 0) at
  // `at_s`, and goes on at so many quarter notes a minute, > 0. Times are seconds of one clock,
  // that of Advance.
  void Play(double at_s, double quarters, double quarters_per_minute);

  // The music waits, or nobody knows where it is: no clock until Play is called again.
  void Hold() { playing_ = false; }

  // The bytes due up to `now_s`, which must not be before the last one.
  std::string Advance(double now_s);

  // The bytes that end it: a stop where it runs.
  std::string Finish();

 private:
  void Step(double now_s, double step_s, std::string& bytes);
  void Locate(double ticks, std::string& bytes);

  bool playing_ = false;  // the music goes on
  double at_s_ = 0;       // the last that Play was told
  double at_ticks_ = 0;
  double ticks_per_s_ = 0;

  bool running_ = false;   // started, and not stopped since
  double ticks_ = 0;       // where the clock is
  int64_t next_tick_ = 0;  // the next one to be sent
  double now_s_ = 0;
  bool begun_ = false;  // now_s_ is set
};

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_OUTPUT_MIDI_CLOCK_H_
