// Frames and scores made by chance, and sounds made of those, for the tests of this folder.
#ifndef ANTIPHON_CORE_ALIGNMENT_ALIGNMENT_TEST_UTIL_H_
#define ANTIPHON_CORE_ALIGNMENT_ALIGNMENT_TEST_UTIL_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <vector>

#include "core/alignment/alignment_features.h"
#include "core/features/audio_front_end.h"
#include "core/features/feature_sequence.h"
#include "core/features/settings.h"
#include "core/music/score.h"
#include "core/music/time_map.h"

namespace antiphon::alignment {

inline const features::FeatureSettings kSettings;

// Frames that differ from one another, normalised.
inline FrameFeatures RandomFeatures(int64_t frames, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<float> uniform(0, 1);
  FrameFeatures features{FrameMatrix(frames, 12), FrameMatrix(frames, 12)};
  for (float& cell : features.energies.cells) cell = uniform(random) < 0.3f ? uniform(random) : 0;
  for (float& cell : features.onsets.cells) cell = uniform(random) < 0.1f ? uniform(random) : 0;
  NormaliseFeatures(4, 1, features);
  return features;
}

// Frame i of the result is frame order[i] of `features`.
inline FrameFeatures Reordered(const FrameFeatures& features, const std::vector<int64_t>& order) {
  FrameFeatures result{FrameMatrix(order.size(), 12), FrameMatrix(order.size(), 12)};
  for (size_t i = 0; i < order.size(); ++i) {
    std::copy_n(features.energies.row(order[i]), 12, result.energies.row(i));
    std::copy_n(features.onsets.row(order[i]), 12, result.onsets.row(i));
  }
  return result;
}

// Chords of one to three notes, a quarter, a half or a whole second apart.
inline std::vector<music::Note> RandomScore(double length_s, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<music::Note> notes;
  for (double at = 0; at < length_s;) {
    const double step = std::array{0.25, 0.25, 0.5, 1.0}[random() % 4];
    for (uint64_t voice = 0; voice <= random() % 3; ++voice) {
      music::Note note;
      note.pitch = 45 + static_cast<int>(random() % 36);
      note.onset_s = at;
      note.offset_s = note.sounding_offset_s = at + 0.9 * step;
      notes.push_back(note);
    }
    at += step;
  }
  return notes;
}

// Score to performance: every two seconds are played at their own tempo, from `slowest` to twice
// that.
inline music::TimeMap RandomTempo(double length_s, double slowest, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<music::TimePoint> points = {{0, 0}};
  for (double at = 2; at < length_s + 4; at += 2) {
    const double tempo = slowest * std::exp2(std::uniform_real_distribution<double>(0, 1)(random));
    points.push_back({at, points.back().to_s + 2 / tempo});
  }
  return *music::TimeMap::Create(points);
}

// Decaying partials, as a string has; `lead_s` of silence before.
inline features::FeatureSequence Play(const std::vector<music::Note>& notes,
                                      const music::TimeMap& time, double lead_s = 0) {
  const double end_s = time.To(notes.back().offset_s) + 1 + lead_s;
  std::vector<float> samples(static_cast<size_t>(end_s * kSettings.sample_rate));
  for (const music::Note& note : notes) {
    const double frequency = 440 * std::exp2((note.pitch - 69) / 12.0);
    const auto from = static_cast<size_t>((time.To(note.onset_s) + lead_s) * kSettings.sample_rate);
    const auto to = static_cast<size_t>((time.To(note.offset_s) + lead_s) * kSettings.sample_rate);
    for (int partial = 1; partial <= 4 && partial * frequency < 8000; ++partial) {
      const double step = 2 * std::numbers::pi * frequency * partial / kSettings.sample_rate;
      for (size_t i = from; i < std::min(to, samples.size()); ++i) {
        const double t = static_cast<double>(i - from) / kSettings.sample_rate;
        samples[i] += static_cast<float>(0.1 / partial * std::exp(-2 * t) *
                                         std::sin(step * static_cast<double>(i - from)));
      }
    }
  }
  return features::ComputeSpectrogram(**features::AudioFrontEnd::Create(kSettings), samples);
}

}  // namespace antiphon::alignment

#endif  // ANTIPHON_CORE_ALIGNMENT_ALIGNMENT_TEST_UTIL_H_
