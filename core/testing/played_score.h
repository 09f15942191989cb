// Scores and what they sound like, for tests that listen to music. Header only; for tests.
#ifndef ANTIPHON_CORE_TESTING_PLAYED_SCORE_H_
#define ANTIPHON_CORE_TESTING_PLAYED_SCORE_H_

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "core/audio/waveform.h"
#include "core/music/score.h"

namespace antiphon::music {

// Notes one after the other, each `step_s` long, in chords of one.
inline Score Melody(const std::vector<int>& pitches, double step_s) {
  Score score;
  for (size_t i = 0; i < pitches.size(); ++i) {
    Note note;
    note.onset_s = static_cast<double>(i) * step_s;
    note.offset_s = note.sounding_offset_s = note.onset_s + 0.9 * step_s;
    note.pitch = pitches[i];
    score.notes.push_back(note);
  }
  score.duration_s = static_cast<double>(pitches.size()) * step_s;
  return score;
}

// A melody of so many notes without repeats of more than a few of them.
inline Score WanderingMelody(int notes, double step_s) {
  std::vector<int> pitches;
  unsigned state = 7;
  for (int i = 0; i < notes; ++i) {
    state = state * 1664525u + 1013904223u;
    const int pitch = 60 + static_cast<int>((state >> 16) % 25);
    pitches.push_back(!pitches.empty() && pitch == pitches.back() ? pitch + 1 : pitch);
  }
  return Melody(pitches, step_s);
}

// The notes as decaying tones of five partials; silent until `start_s`.
inline audio::Waveform Play(const std::vector<Note>& notes, int sample_rate, double start_s = 0) {
  audio::Waveform audio;
  audio.sample_rate = sample_rate;
  double end_s = 0;
  for (const Note& note : notes) end_s = std::max(end_s, note.offset_s);
  audio.samples.resize(static_cast<size_t>((start_s + end_s + 0.5) * sample_rate));
  for (const Note& note : notes) {
    const double frequency = 440 * std::exp2((note.pitch - 69) / 12.0);
    const auto first = static_cast<size_t>((start_s + note.onset_s) * sample_rate);
    const auto length = static_cast<size_t>((note.offset_s - note.onset_s + 0.1) * sample_rate);
    for (int partial = 1; partial <= 5; ++partial) {
      if (partial * frequency > 0.45 * sample_rate) break;
      for (size_t i = 0; i < length && first + i < audio.samples.size(); ++i) {
        const double at_s = static_cast<double>(i) / sample_rate;
        const double left_s = static_cast<double>(length - i) / sample_rate;
        const double gain = 0.1 / partial * std::min(1.0, at_s / 0.003) * std::exp(-2 * at_s) *
                            std::min(1.0, left_s / 0.05);
        audio.samples[first + i] +=
            static_cast<float>(gain * std::sin(2 * std::numbers::pi * partial * frequency * at_s));
      }
    }
  }
  return audio;
}

}  // namespace antiphon::music

#endif  // ANTIPHON_CORE_TESTING_PLAYED_SCORE_H_
