#include "trainer/data/performance.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

namespace antiphon::trainer {
namespace {

// General MIDI's pianos and how often each is drawn: acoustic grand, bright acoustic, electric grand, honky-tonk.
constexpr std::array<double, 4> kProgramWeights = {0.55, 0.25, 0.12, 0.08};

}  // namespace

Variation PlainVariation(const std::string& soundfont) {
  Variation variation;
  variation.soundfont = soundfont;
  return variation;
}

Variation DrawVariation(const VariationOptions& options, const std::vector<std::string>& soundfonts, uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto uniform = [&random](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  Variation variation;
  variation.soundfont = soundfonts[random() % soundfonts.size()];
  variation.tempo_ratio = std::exp(uniform(std::log(options.min_tempo_ratio), std::log(options.max_tempo_ratio)));
  variation.velocity_scale = uniform(options.min_velocity_scale, options.max_velocity_scale);
  variation.reverb = uniform(0, 1) < options.reverb_share;
  variation.render.program = std::discrete_distribution<int>(kProgramWeights.begin(), kProgramWeights.end())(random);
  variation.render.tuning_cents = std::normal_distribution<double>(0, options.tuning_deviation_cents)(random);
  variation.note_seed = random() | 1;  // 0 stands for no deviation
  return variation;
}

std::vector<music::Note> Perform(const music::Score& score, const VariationOptions& options,
                                 const Variation& variation) {
  std::mt19937_64 random(variation.note_seed);
  std::normal_distribution<double> normal;
  std::vector<music::Note> notes = score.notes;
  for (music::Note& note : notes) {
    double shift = 0, velocity = note.velocity * variation.velocity_scale;
    if (variation.note_seed != 0) {
      shift = normal(random) * options.onset_deviation_s;
      velocity += normal(random) * options.velocity_deviation;
    }
    const double onset = std::max(0.0, note.onset_s / variation.tempo_ratio + shift);
    const double length = (note.offset_s - note.onset_s) / variation.tempo_ratio;
    const double sounding = (note.sounding_offset_s - note.onset_s) / variation.tempo_ratio;
    note.onset_s = onset;
    note.offset_s = onset + length;
    note.sounding_offset_s = onset + sounding;
    note.velocity = static_cast<int>(std::clamp(std::lround(velocity), 1L, 127L));
  }
  std::stable_sort(notes.begin(), notes.end(), [](const music::Note& a, const music::Note& b) {
    return a.onset_s != b.onset_s ? a.onset_s < b.onset_s : a.pitch < b.pitch;
  });
  return notes;
}

}  // namespace antiphon::trainer
