// Notes as sound, for tests that bring a score and a recording together. Header only.
#ifndef ANTIPHON_SERVER_TESTING_PLAYED_SOUND_H_
#define ANTIPHON_SERVER_TESTING_PLAYED_SOUND_H_

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "core/music/score.h"

namespace antiphon::server {

inline constexpr int kPlayedRate = 22050;  // Hz

// Each note a tone of three partials that dies away, at `tempo_ratio` times the tempo written,
// after `silence_s` seconds.
inline std::vector<float> PlayedSound(const music::Score& score, double tempo_ratio = 1,
                                      double silence_s = 0) {
  std::vector<float> samples(
      static_cast<size_t>((silence_s + score.duration_s / tempo_ratio + 0.5) * kPlayedRate));
  for (const music::Note& note : score.notes) {
    const double start_s = silence_s + note.onset_s / tempo_ratio;
    const double hertz = 440 * std::exp2((note.pitch - 69) / 12.0);
    const auto first = static_cast<size_t>(start_s * kPlayedRate);
    const auto length =
        static_cast<size_t>(((note.offset_s - note.onset_s) / tempo_ratio + 0.1) * kPlayedRate);
    for (size_t i = 0; i < length && first + i < samples.size(); ++i) {
      const double t = static_cast<double>(i) / kPlayedRate;
      double value = 0;
      for (int partial = 1; partial <= 3; ++partial)
        value += std::sin(2 * std::numbers::pi * hertz * partial * t) / (partial * partial);
      samples[first + i] += static_cast<float>(0.2 * std::exp(-3 * t) * value);
    }
  }
  return samples;
}

inline std::string FloatBytes(const std::vector<float>& samples) {
  return std::string(reinterpret_cast<const char*>(samples.data()), samples.size() * sizeof(float));
}

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_TESTING_PLAYED_SOUND_H_
