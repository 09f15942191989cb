// Random scores, and what must hold for every score whatever it was made from.
#ifndef ANTIPHON_TESTS_SUPPORT_SCORES_H_
#define ANTIPHON_TESTS_SUPPORT_SCORES_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "core/music/midi_text.h"
#include "core/music/score.h"

namespace antiphon::testing {

using Rng = std::mt19937;

inline double Uniform(Rng& rng, double low, double high) {
  return std::uniform_real_distribution(low, high)(rng);
}
inline int UniformInt(Rng& rng, int low, int high) {
  return std::uniform_int_distribution(low, high)(rng);
}

inline bool SortedByOnsetThenPitch(const std::vector<music::Note>& notes) {
  return std::is_sorted(notes.begin(), notes.end(), [](const music::Note& a, const music::Note& b) {
    return std::tie(a.onset_s, a.pitch) < std::tie(b.onset_s, b.pitch);
  });
}

// The promises of score.h.
inline ::testing::AssertionResult IsSane(const music::Score& score) {
  const auto failure = [] { return ::testing::AssertionFailure(); };
  if (!std::isfinite(score.duration_s) || score.duration_s < 0)
    return failure() << "duration " << score.duration_s;
  if (!SortedByOnsetThenPitch(score.notes)) return failure() << "notes are not sorted";
  if (music::CleanMidiText(score.title) != score.title) return failure() << "title is not clean";
  double bar_line = 0;
  for (const music::PlayedBar& bar : score.bars) {
    if (!(bar.length > 0 && bar.beat >= bar_line - 1e-6 && bar.pass >= 1))
      return failure() << "a bar at " << bar.beat << " of " << bar.length << " quarter notes";
    bar_line = bar.beat + bar.length;
  }
  for (const music::Note& note : score.notes) {
    if (!(0 <= note.onset_s && note.onset_s < note.offset_s &&
          note.offset_s <= note.sounding_offset_s && note.sounding_offset_s <= score.duration_s)) {
      return failure() << "times " << note.onset_s << ", " << note.offset_s << ", "
                       << note.sounding_offset_s << " of " << score.duration_s;
    }
    if (note.pitch < 0 || note.pitch > 127 || note.velocity < 1 || note.velocity > 127 ||
        note.channel < 0 || note.channel > 15 || note.channel == 9 || note.track < 0) {
      return failure() << "pitch " << note.pitch << ", velocity " << note.velocity << ", channel "
                       << note.channel << ", track " << note.track;
    }
  }
  return ::testing::AssertionSuccess();
}

// Up to eight tempi, metres and keys over about 40 beats. Tempi are whole microseconds per beat, as
// MIDI has them.
inline music::TempoMap RandomTempoMap(Rng& rng) {
  std::vector<music::TempoChange> tempi;
  std::vector<music::TimeSignature> signatures;
  std::vector<music::KeySignature> keys;
  const auto beat = [&rng] { return UniformInt(rng, 0, 40 * 480) / 480.0; };
  for (int i = UniformInt(rng, 0, 8); i > 0; --i)
    tempi.push_back({beat(), UniformInt(rng, 100'000, 2'000'000) * 1e-6});
  for (int i = UniformInt(rng, 0, 8); i > 0; --i) {
    signatures.push_back({beat(), UniformInt(rng, 1, 13), 1 << UniformInt(rng, 0, 4)});
  }
  for (int i = UniformInt(rng, 0, 8); i > 0; --i) {
    keys.push_back({beat(), UniformInt(rng, -7, 7), UniformInt(rng, 0, 1) == 1});
  }
  return music::TempoMap::Create(std::move(tempi), std::move(signatures), std::move(keys)).value();
}

// Up to 80 notes on three tracks and two channels, on any double, overlapping as chance has it.
inline music::Score RandomScore(Rng& rng) {
  music::Score score;
  score.title = "Sonate f\xc3\xbcr Klavier";
  score.tempo_map = RandomTempoMap(rng);
  for (int i = UniformInt(rng, 0, 80); i > 0; --i) {
    music::Note note;
    note.onset_s = Uniform(rng, 0, 20);
    note.offset_s = note.onset_s + Uniform(rng, 0.01, 3);
    note.sounding_offset_s = note.offset_s + (UniformInt(rng, 0, 1) == 1 ? Uniform(rng, 0, 2) : 0);
    note.pitch = UniformInt(rng, music::kLowestPianoPitch, music::kHighestPianoPitch);
    note.velocity = UniformInt(rng, 1, 127);
    note.channel = UniformInt(rng, 0, 1);
    note.track = UniformInt(rng, 1, 3);
    score.notes.push_back(note);
    score.duration_s = std::max(score.duration_s, note.sounding_offset_s);
  }
  std::sort(score.notes.begin(), score.notes.end(), [](const music::Note& a, const music::Note& b) {
    return std::tie(a.onset_s, a.pitch) < std::tie(b.onset_s, b.pitch);
  });
  return score;
}

}  // namespace antiphon::testing

#endif  // ANTIPHON_TESTS_SUPPORT_SCORES_H_
