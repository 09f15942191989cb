// What repeats of the same notes leave to be told. Pure functions; safe from any thread.
#ifndef ANTIPHON_TRAINER_METRICS_REPEATS_H_
#define ANTIPHON_TRAINER_METRICS_REPEATS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/music/score.h"

namespace antiphon::trainer::metrics {

// A place that snippets are cut at. Numbers are equal where what they stand for is.
struct RepeatablePlace {
  uint64_t notes = 0;         // that surround the onset, whatever its fraction of a frame
  uint64_t score_window = 0;  // bit for bit
  uint64_t audio_window = 0;  // bit for bit
  double into_window_s = 0;   // where in its window the onset lies
};

// The share of numbers that stand there more than once; 0 of none.
double RepeatedShare(std::span<const uint64_t> numbers);

// The R@1 that repeats leave to a system that hears where in its frame an onset lies as exactly as
// a renderer places it
// (`heard_s`, seconds), and guesses among places that not even this tells apart. Windows that are
// equal bit for bit are ties, which count against.
struct Ceiling {
  double to_score = 0, to_audio = 0;
};
Ceiling AllowedByRepeats(std::span<const RepeatablePlace> places, double heard_s);

// By how much each place differs from the nearest of the others with its notes in where the onset
// lies in the window, seconds; infinite where there is none.
std::vector<double> NearestRepeats(std::span<const RepeatablePlace> places);

// Where else a score shows the notes of [start_s, start_s + length_s), nearly literally: an onset
// F1 of at least 0.9 within 50 ms. The beginnings of those stretches, seconds, ascending, at least
// `apart_s` from each other and from start_s. Empty for a stretch without notes.
std::vector<double> RepeatsOf(std::span<const music::Note> notes, double start_s, double length_s,
                              double apart_s);

}  // namespace antiphon::trainer::metrics

#endif  // ANTIPHON_TRAINER_METRICS_REPEATS_H_
