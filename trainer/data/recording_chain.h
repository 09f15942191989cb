// Makes a clean rendition sound as if a microphone had recorded it in a room: slow pitch wobble,
// reverberation, the microphone's equalisation, noise, hum, gain, clipping, in this order.
//
// Pure functions of their arguments; safe from any thread.
#ifndef ANTIPHON_TRAINER_DATA_RECORDING_CHAIN_H_
#define ANTIPHON_TRAINER_DATA_RECORDING_CHAIN_H_

#include <cstdint>
#include <limits>

#include "core/audio/waveform.h"

namespace antiphon::trainer::data {

// One chain; the defaults change nothing.
struct RecordingChain {
  // The room. The direct sound is followed after `pre_delay_s` by sparse early reflections and a
  // tail of Gaussian noise whose decay depends on frequency (Polack's model, 1988).
  double rt60_s = 0;  // seconds in which the tail falls by 60 dB, to 4; 0 is no room at all
  double direct_to_reverb_db = 6;  // energy of the direct sound over all that follows
  double pre_delay_s = 0.01;       // to the first reflection
  double bass_decay = 1;           // the decay time under 250 Hz, as a multiple of rt60_s
  double treble_decay = 1;         // that above 2 kHz

  // The microphone.
  double equalisation_db = 0;  // standard deviation of a smooth random curve over log frequency
  double low_cut_hz = 0;  // Butterworth gains of these orders (6 dB an octave each); 0 Hz is none
  int low_cut_order = 2;
  double high_cut_hz = 0;
  int high_cut_order = 4;

  // Levels against the sound's own root mean square over the whole waveform.
  double snr_db =
      std::numeric_limits<double>::infinity();  // noise: sound over noise; infinite is none
  double noise_slope_db = 0;  // its colour, dB an octave: 0 white, -3 pink, -6 brown
  double hum_db =
      -std::numeric_limits<double>::infinity();  // hum over sound; minus infinity is none
  double hum_hz = 50;                            // 50 or 60, with harmonics

  double gain_db = 0;     // before it, the chain keeps the root mean square that came in
  double clip_level = 1;  // (0, 1]: everything beyond this share of the peak is cut off; 1 is none

  double wow_cents =
      0;  // greatest deviation of pitch; moves time by (2^(cents/1200) - 1) / (2 pi rate)
  double wow_hz = 1;  // its rate

  uint64_t seed =
      0;  // of the reflections, the curve, the noise, hum and wobble, each drawn independently
};

// A chain for training, anywhere between a studio and a telephone at the back of a hall: time moves
// by at most 3 ms.
RecordingChain DrawRecordingChain(uint64_t seed);

// As long as `audio`; the direct sound is not delayed (its onsets stay within 5 ms). Finite for
// finite samples; silence stays silent.
audio::Waveform ApplyRecordingChain(const audio::Waveform& audio, const RecordingChain& chain);

}  // namespace antiphon::trainer::data

#endif  // ANTIPHON_TRAINER_DATA_RECORDING_CHAIN_H_
