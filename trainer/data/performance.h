// A performance made up from a score: another tempo, other dynamics, hands that are not quite together. Pure functions;
// safe from any thread.
#ifndef ANTIPHON_TRAINER_DATA_PERFORMANCE_H_
#define ANTIPHON_TRAINER_DATA_PERFORMANCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/audio/synthesizer.h"
#include "core/music/score.h"

namespace antiphon::trainer {

// How performances vary. Every value is drawn anew for a performance, or for a note where it says so.
struct VariationOptions {
  double min_tempo_ratio = 0.6;  // tempo over the tempo written, log-uniform
  double max_tempo_ratio = 1.67;
  double min_velocity_scale = 0.55;  // all velocities together, uniform
  double max_velocity_scale = 1.25;
  double velocity_deviation = 10;     // of a note, standard deviation
  double onset_deviation_s = 0.008;   // of a note, standard deviation, seconds
  double tuning_deviation_cents = 8;  // standard deviation
  double reverb_share = 0.5;          // of performances with FluidSynth's reverberation
};

// One way to perform a piece; all that is random about it.
struct Variation {
  std::string soundfont;
  double tempo_ratio = 1.0;
  double velocity_scale = 1.0;
  bool reverb = false;
  audio::RenderOptions render;
  uint64_t note_seed = 0;  // of what differs from note to note
};

// A rendition as written: tempo ratio 1, velocities as they are, dry.
Variation PlainVariation(const std::string& soundfont);

// Draws a variation; equal seeds give equal variations. Requires a soundfont.
Variation DrawVariation(const VariationOptions& options, const std::vector<std::string>& soundfonts, uint64_t seed);

// The notes as performed, times in seconds of the performance: score time / tempo_ratio plus each note's own deviation.
std::vector<music::Note> Perform(const music::Score& score, const VariationOptions& options,
                                 const Variation& variation);

}  // namespace antiphon::trainer

#endif  // ANTIPHON_TRAINER_DATA_PERFORMANCE_H_
