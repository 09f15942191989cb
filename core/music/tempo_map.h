// Maps between the three ways to say where one is in a score: seconds at nominal tempo,
// quarter-note beats, and bar and beat as a musician counts them.
//
// Immutable once made; safe to share between threads; cheap to copy relative to the score that owns
// it.
#ifndef ANTIPHON_CORE_MUSIC_TEMPO_MAP_H_
#define ANTIPHON_CORE_MUSIC_TEMPO_MAP_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace antiphon::music {

// From `beat` on, a quarter note lasts `seconds_per_beat` seconds.
struct TempoChange {
  double beat = 0;                // quarter notes from the start
  double seconds_per_beat = 0.5;  // > 0; 0.5 is the MIDI default of 120 quarter notes per minute
};

// From `beat` on, bars are `numerator`/`denominator` long. A new signature starts a new bar.
//
// An upbeat is a first bar that the second signature ends: shorter than a bar of its own (4/4, and
// 4/4 again from beat 1 on), or of that signature (1/4, then 3/4 from beat 1 on). If the latter is
// more than half of it, and the first metre returns later (5/4, 6/4, 5/4), it is a bar like others.
struct TimeSignature {
  double beat = 0;      // quarter notes from the start
  int numerator = 4;    // 1 to 255
  int denominator = 4;  // a power of two, 1 to 64
};

struct KeySignature {
  double beat = 0;  // quarter notes from the start
  int fifths = 0;   // -7 (seven flats) to 7 (seven sharps)
  bool minor = false;
};

// As printed: bars from 1, which is the first complete one, and beats from 1 in units of the
// signature's denominator (an eighth in 6/8). An upbeat is bar 0, and its beats are those of the
// complete bar that it is the end of: an upbeat of a quarter note in 3/4 is beat 3.
struct BarPosition {
  int bar = 1;
  double beat = 1.0;
};

class TempoMap {
 public:
  // 120 quarter notes per minute, 4/4.
  TempoMap();

  // The lists may be in any order and may be empty; of several entries at one beat the last one
  // given counts. Fails with InvalidArgument on a beat that is negative or not finite, a tempo that
  // is not positive and finite, or a signature outside the ranges above.
  [[nodiscard]] static absl::StatusOr<TempoMap> Create(std::vector<TempoChange> tempi,
                                                       std::vector<TimeSignature> signatures,
                                                       std::vector<KeySignature> keys = {});

  // Both are continuous, strictly increasing, and inverses of each other; positions before 0 use
  // the first tempo.
  double BeatsAt(double seconds) const;
  double SecondsAt(double beats) const;

  // Length of the upbeat in quarter notes; 0 without one.
  double upbeat() const { return upbeat_; }

  // Bar and beat at a position in quarter notes, and back. Positions before 0 clamp to 0.
  BarPosition BarAt(double beats) const;
  double BeatsAtBar(const BarPosition& position) const;

  const std::vector<TempoChange>& tempi() const { return tempi_; }
  const std::vector<TimeSignature>& time_signatures() const { return signatures_; }
  const std::vector<KeySignature>& key_signatures() const { return keys_; }

 private:
  // Sets the upbeat, if there is one, and the bars of the signatures around it. Requires them
  // sorted.
  void FindUpbeat(const std::vector<TimeSignature>& signatures);

  std::vector<TempoChange> tempi_;           // sorted by beat, first at 0
  std::vector<double> tempo_start_seconds_;  // parallel to tempi_
  std::vector<TimeSignature> signatures_;    // sorted by beat, first at 0
  std::vector<int> signature_start_bar_;     // parallel to signatures_, from 1, or 0 with an upbeat
  double upbeat_ = 0;                        // quarter notes
  TimeSignature upbeat_bar_;                 // what the upbeat is the end of a bar of
  std::vector<KeySignature> keys_;           // sorted by beat, may be empty
};

}  // namespace antiphon::music

#endif  // ANTIPHON_CORE_MUSIC_TEMPO_MAP_H_
