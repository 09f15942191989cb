// Whether sound has anything in it that could be music. Pure functions; safe from any thread.
#ifndef ANTIPHON_CORE_FEATURES_AUDIBLE_H_
#define ANTIPHON_CORE_FEATURES_AUDIBLE_H_

#include <cstdint>
#include <span>

#include "core/features/feature_sequence.h"

namespace antiphon::features {

// The largest magnitude among samples, 0 of none.
float PeakOf(std::span<const float> samples);

// Peak (full scale 1) of what is no sound: -80 dB, somewhat above the dither of 16 bits.
inline constexpr float kSilentPeak = 1e-4f;

// What a recording with this peak is to be multiplied by before its spectrogram is made. The levels
// of a spectrogram end at -100 dB re. full scale, so that of a recording made far too quiet only
// the loudest notes would be left: one with a peak below -40 dB is raised to one of -20 dB, unless
// there is no sound in it. Any other stays as it is, and has 1.
float GainFor(float peak);

// Level of -70 dB re. a full-scale sine (audio_front_end.h): what stays below it is silence. Of a
// recording that GainFor has raised, 50 dB below its peak.
inline constexpr uint8_t kSilenceLevel = 60;

// Whether there is something in the sound to compare: false for one with no frame above -70 dB re.
// a full-scale sine, and for one in which nothing begins or decays anywhere, as mains hum. Requires
// levels of one channel.
bool IsAudible(const FeatureSequence& audio);

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_FEATURES_AUDIBLE_H_
