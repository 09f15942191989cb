// Whether a spectrogram has anything in it that could be music. Pure functions; safe from any
// thread.
#ifndef ANTIPHON_CORE_FEATURES_AUDIBLE_H_
#define ANTIPHON_CORE_FEATURES_AUDIBLE_H_

#include <cstdint>

#include "core/features/feature_sequence.h"

namespace antiphon::features {

// Level of -70 dB re. a full-scale sine (audio_front_end.h): what stays below it is silence.
inline constexpr uint8_t kSilenceLevel = 60;

// Whether there is something in the sound to compare: false for one with no frame above -70 dB re.
// a full-scale sine, and for one in which nothing begins or decays anywhere, as mains hum. Requires
// levels of one channel.
bool IsAudible(const FeatureSequence& audio);

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_FEATURES_AUDIBLE_H_
