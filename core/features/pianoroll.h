// From a score to a pianoroll on the frames of the spectrogram. Stateless; safe from any thread.
//
// Channel 0 holds onsets. An onset between two frames is shared between them in proportion to how
// near it is to each, 255 in all, so that the roll knows when a note begins as exactly as the sound
// does. Channel 1 is 255 in every frame from the one nearest the onset to the one nearest the (key)
// offset, at least one. Pitches outside the settings' rows are left out.
#ifndef ANTIPHON_CORE_FEATURES_PIANOROLL_H_
#define ANTIPHON_CORE_FEATURES_PIANOROLL_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/features/feature_sequence.h"
#include "core/features/settings.h"
#include "core/music/score.h"

namespace antiphon::features {

// The whole of the notes, as they would be played at `tempo_ratio` times the tempo written (> 0).
FeatureSequence ComputePianoroll(std::span<const music::Note> notes,
                                 const FeatureSettings& settings, double tempo_ratio = 1.0);

// One window, [window_frames, 2, pitches], whose first frame lies at `start_s` (seconds at the
// tempo written, may be negative).
std::vector<uint8_t> ComputePianorollWindow(std::span<const music::Note> notes,
                                            const FeatureSettings& settings, double tempo_ratio,
                                            double start_s);

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_FEATURES_PIANOROLL_H_
