// Notes of a score at the times of a sound. Pure functions; safe from any thread. Internal to
// core/transcription.
#ifndef ANTIPHON_CORE_TRANSCRIPTION_NOTE_LAYING_H_
#define ANTIPHON_CORE_TRANSCRIPTION_NOTE_LAYING_H_

#include <optional>
#include <span>
#include <vector>

#include "core/matching/match.h"
#include "core/music/score.h"
#include "core/music/time_map.h"
#include "core/transcription/nearest_path.h"
#include "core/transcription/sound_levels.h"

namespace antiphon::transcription {

// From seconds of the sound to seconds of the score, through the middles of the run's windows,
// averaged over their neighbours. Always ascending.
music::TimeMap MapOf(const PathRun& run);

// The notes that begin within the stretch of the sound, at its times; the map is from seconds of
// the sound to seconds of the score.
std::vector<music::Note> LaidNotes(std::span<const music::Note> notes, const music::TimeMap& map,
                                   const matching::Span& stretch);

// Whether the sound has something that begins where the note does, at its pitch or an octave above:
// it may be another note's partial, but where there is nothing the note is none of the sound.
bool IsHeard(const SoundLevels& levels, const music::Note& note);

// Sets the velocities from the loudness of the sound where each note begins: relative to the
// loudest tenth of the notes, which have 90 or more.
void SetVelocities(const SoundLevels& levels, std::span<music::Note> notes);

}  // namespace antiphon::transcription

#endif  // ANTIPHON_CORE_TRANSCRIPTION_NOTE_LAYING_H_
