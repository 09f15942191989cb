// What repeats of the same notes leave to be told. Pure functions; safe from any thread.
#ifndef ANTIPHON_TRAINER_EVALUATION_REPEATS_H_
#define ANTIPHON_TRAINER_EVALUATION_REPEATS_H_

#include <cstdint>
#include <span>

namespace antiphon::trainer {

// A place that snippets are cut at. Numbers are equal where what they stand for is.
struct RepeatablePlace {
  uint64_t notes = 0;         // that surround the onset, whatever its fraction of a frame
  uint64_t score_window = 0;  // bit for bit
  double into_window_s = 0;   // where in its window the onset lies
};

// The share of numbers that stand there more than once; 0 of none.
double RepeatedShare(std::span<const uint64_t> numbers);

// The R@1 that repeats leave to a system that hears where in its frame an onset lies as exactly as a renderer places it
// (`heard_s`, seconds), and guesses among places that not even this tells apart. Score windows that are equal bit for
// bit are ties, which count against.
struct Ceiling {
  double to_score = 0, to_audio = 0;
};
Ceiling AllowedByRepeats(std::span<const RepeatablePlace> places, double heard_s);

}  // namespace antiphon::trainer

#endif  // ANTIPHON_TRAINER_EVALUATION_REPEATS_H_
