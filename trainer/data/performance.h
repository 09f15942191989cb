// A performance made up from a score: another tempo that gives and takes, other dynamics, hands
// that are not quite together, slips. Pure functions; safe from any thread.
#ifndef ANTIPHON_TRAINER_DATA_PERFORMANCE_H_
#define ANTIPHON_TRAINER_DATA_PERFORMANCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/audio/synthesizer.h"
#include "core/music/score.h"
#include "core/music/time_map.h"

namespace antiphon::trainer::data {

// How performances vary. Shares and ranges; what is drawn from them holds for a performance, or for
// a note where it says so.
struct VariationOptions {
  double min_tempo_ratio = 0.5;  // mean tempo over the tempo written, log-uniform; 0.1 to 10
  double max_tempo_ratio = 2.0;
  double min_velocity_scale = 0.5;  // all velocities together, uniform
  double max_velocity_scale = 1.25;
  double velocity_deviation = 10;      // of a note, standard deviation
  double tuning_deviation_cents = 12;  // standard deviation
  double reverb_share = 0.3;           // of performances with FluidSynth's reverberation
  double recorded_share =
      0.5;  // of performances heard through a room and a microphone (recording_chain.h)
  bool own_instruments = false;  // each part plays its own; else one piano plays them all

  // The rest holds for expressive performances; the others keep strictly to their tempo.
  double expressive_share = 0.65;  // of performances
  double max_rubato =
      0.25;  // standard deviation of the logarithm of the local tempo, uniform from 0
  double ritardando_interval_s = 15;    // mean time between slowings
  double max_onset_deviation_s = 0.02;  // of a note, standard deviation, uniform from 0
  double hand_deviation_s =
      0.015;  // by which the lower notes of a chord come late, standard deviation
  double max_arpeggio_share = 0.2;  // of chords that are broken, uniform from 0
  double max_slip_share =
      0.03;  // of notes left out; a third as many are wrong or graced, uniform from 0
  double pedal_share = 0.5;  // of performances with a pedal that holds notes beyond what is written
};

// One way to perform a piece; all that is random about it.
struct Variation {
  std::string soundfont;
  double tempo_ratio = 1.0;
  double velocity_scale = 1.0;
  bool reverb = false;
  audio::RenderOptions render;
  bool own_instruments = false;  // each part has its own program; that of `render` is for the rest
  bool expressive = false;
  uint64_t note_seed = 0;       // of what differs from note to note; 0 is nothing
  uint64_t recording_seed = 0;  // of the room and the microphone; 0 is none
};

// What is played, and when what is written sounds.
struct Performance {
  std::vector<music::Note> notes;  // times in seconds of the performance
  music::TimeMap time;             // from seconds of the score to seconds of the performance
  std::vector<music::Part> parts;  // of the score, with their instruments
};

// A rendition as written: tempo ratio 1, velocities as they are, dry.
Variation PlainVariation(const std::string& soundfont);

// Draws a variation; equal seeds give equal variations. Requires a soundfont.
Variation DrawVariation(const VariationOptions& options, const std::vector<std::string>& soundfonts,
                        uint64_t seed);

Performance Perform(const music::Score& score, const VariationOptions& options,
                    const Variation& variation);

}  // namespace antiphon::trainer::data

#endif  // ANTIPHON_TRAINER_DATA_PERFORMANCE_H_
