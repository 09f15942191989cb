// From a score to a pianoroll on the frames of the spectrogram. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_FEATURES_PIANOROLL_H_
#define ANTIPHON_CORE_FEATURES_PIANOROLL_H_

#include <span>

#include "core/features/feature_sequence.h"
#include "core/features/settings.h"
#include "core/music/score.h"

namespace antiphon::features {

// The notes as they would be played at `tempo_ratio` times the tempo written (> 0). Channel 0 is 1 in the frame nearest
// a note's onset; channel 1 is 1 in every frame from there to the one nearest its (key) offset, at least one. Pitches
// outside the settings' rows are left out. Cells are 0 or 1.
FeatureSequence ComputePianoroll(std::span<const music::Note> notes, const FeatureSettings& settings,
                                 double tempo_ratio = 1.0);

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_FEATURES_PIANOROLL_H_
