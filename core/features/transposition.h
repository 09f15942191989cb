// Sound at another pitch, by moving the bands of its spectrogram: what is heard a semitone higher,
// a semitone lower, as it was played. Pure functions; safe from any thread.
#ifndef ANTIPHON_CORE_FEATURES_TRANSPOSITION_H_
#define ANTIPHON_CORE_FEATURES_TRANSPOSITION_H_

#include <cstdint>
#include <span>

#include "core/features/feature_sequence.h"
#include "core/features/settings.h"

namespace antiphon::features {

// 0 where it is no whole number: then no shift of bands is a transposition.
int BandsPerSemitone(const FeatureSettings& settings);

// Moves every frame's bands up (or down) by `shift`, at most all of them; what comes in is silent.
// `cells` is [frames, bands].
void ShiftBands(std::span<uint8_t> cells, int bands, int shift);

// A spectrogram as if everything had been played so many semitones higher (or lower). Requires a
// whole number of bands to a semitone.
FeatureSequence Transposed(FeatureSequence spectrogram, const FeatureSettings& settings,
                           int semitones);

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_FEATURES_TRANSPOSITION_H_
