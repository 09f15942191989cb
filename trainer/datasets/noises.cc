#include "trainer/datasets/noises.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <random>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "trainer/base/fingerprint.h"

namespace antiphon::trainer::datasets {
namespace {

using Samples = std::vector<float>;
using Random = std::mt19937_64;

double Uniform(Random& random, double low, double high) {
  return low + (high - low) * static_cast<double>(random() >> 11) * 0x1p-53;
}

void White(Samples& out, int, Random& random) {
  for (float& sample : out) sample = static_cast<float>(Uniform(random, -1, 1));
}

// Paul Kellet's filter: white noise through a sum of one-pole filters, within 0.05 dB of 3 dB per
// octave.
void Pink(Samples& out, int, Random& random) {
  constexpr std::array<double, 6> kPoles = {0.99886, 0.99332, 0.96900, 0.86650, 0.55000, -0.7616};
  constexpr std::array<double, 6> kGains = {0.0555179, 0.0750759, 0.1538520,
                                            0.3104856, 0.5329522, -0.0168980};
  std::array<double, 6> state = {};
  double last = 0;
  for (float& sample : out) {
    const double white = Uniform(random, -1, 1);
    double sum = last + white * 0.5362;
    for (size_t i = 0; i < state.size(); ++i)
      sum += state[i] = kPoles[i] * state[i] + kGains[i] * white;
    last = white * 0.115926;
    sample = static_cast<float>(sum);
  }
}

void Hum(Samples& out, int rate, Random& random) {
  const double mains = Uniform(random, 0, 1) < 0.5 ? 50 : 60;
  std::array<double, 8> level, phase;
  for (size_t k = 0; k < level.size(); ++k) {
    level[k] = Uniform(random, 0.3, 1) / static_cast<double>(k + 1);
    phase[k] = Uniform(random, 0, 2 * std::numbers::pi);
  }
  for (size_t i = 0; i < out.size(); ++i) {
    double sum = 0;
    for (size_t k = 0; k < level.size(); ++k) {
      sum += level[k] *
             std::sin(2 * std::numbers::pi * mains * (k + 1) * static_cast<double>(i) / rate +
                      phase[k]);
    }
    out[i] = static_cast<float>(sum);
  }
}

void Clicks(Samples& out, int rate, Random& random) {
  for (double at = Uniform(random, 0, 0.5) * rate; at < static_cast<double>(out.size());
       at += Uniform(random, 0.1, 0.6) * rate) {
    const double level = Uniform(random, 0.3, 1), decay = Uniform(random, 0.0005, 0.004) * rate;
    for (size_t i = static_cast<size_t>(at);
         i < out.size() && static_cast<double>(i) < at + 8 * decay; ++i) {
      out[i] += static_cast<float>(level * Uniform(random, -1, 1) *
                                   std::exp((at - static_cast<double>(i)) / decay));
    }
  }
}

// A resonance at `frequency` with the given width, Hz (a two-pole filter).
struct Resonator {
  double y1 = 0, y2 = 0;
  double Next(double x, double frequency, double width, int rate) {
    const double r = std::exp(-std::numbers::pi * width / rate);
    const double y =
        x * (1 - r) + 2 * r * std::cos(2 * std::numbers::pi * frequency / rate) * y1 - r * r * y2;
    y2 = y1;
    return y1 = y;
  }
};

// Syllables of 120 to 300 ms, each with a pitch glide and formants of its own, every fourth one a
// pause.
void Speech(Samples& out, int rate, Random& random) {
  std::array<Resonator, 3> formants;
  const double voice = Uniform(random, 90, 210);
  double phase = 0, last = 0;
  for (size_t begin = 0; begin < out.size();) {
    const auto length = static_cast<size_t>(Uniform(random, 0.12, 0.3) * rate);
    const bool pause = Uniform(random, 0, 1) < 0.25;
    const double from = voice * Uniform(random, 0.85, 1.2), to = voice * Uniform(random, 0.8, 1.15);
    const std::array<double, 3> centres = {Uniform(random, 280, 850), Uniform(random, 900, 2300),
                                           Uniform(random, 2300, 3200)};
    for (size_t i = begin; i < std::min(out.size(), begin + length); ++i) {
      const double part = static_cast<double>(i - begin) / static_cast<double>(length);
      phase += (from + (to - from) * part) / rate;
      const double source = (phase >= 1 ? 1.0 : 0.0) + 0.02 * Uniform(random, -1, 1);
      phase -= std::floor(phase);
      const double excitation = pause ? 0 : source - 0.9 * last;
      last = source;
      double sum = 0;
      for (size_t k = 0; k < formants.size(); ++k)
        sum += formants[k].Next(excitation, centres[k], 60 + 40.0 * k, rate);
      out[i] = static_cast<float>(sum * std::sin(std::numbers::pi * part));
    }
    begin += length;
  }
}

struct Noise {
  const char* name;
  void (*make)(Samples&, int, Random&);
};

constexpr std::array<Noise, 6> kNoises = {{{"silence", nullptr},
                                           {"white", &White},
                                           {"pink", &Pink},
                                           {"hum", &Hum},
                                           {"clicks", &Clicks},
                                           {"speech", &Speech}}};

}  // namespace

std::vector<std::string> NoiseNames() {
  std::vector<std::string> names;
  for (const Noise& noise : kNoises) names.push_back(noise.name);
  return names;
}

absl::StatusOr<audio::Waveform> MakeNoise(std::string_view name, double seconds, int sample_rate,
                                          uint64_t seed) {
  const auto noise =
      std::find_if(kNoises.begin(), kNoises.end(), [&](const Noise& n) { return n.name == name; });
  if (noise == kNoises.end())
    return absl::NotFoundError(absl::StrCat("no noise is called ", std::string(name)));
  audio::Waveform audio;
  audio.sample_rate = sample_rate;
  audio.samples.assign(static_cast<size_t>(std::llround(seconds * sample_rate)), 0.0f);
  if (noise->make == nullptr) return audio;
  Random random(seed);
  noise->make(audio.samples, sample_rate, random);
  float peak = 1e-9f;
  for (const float sample : audio.samples) peak = std::max(peak, std::abs(sample));
  for (float& sample : audio.samples) sample *= 0.5f / peak;
  return audio;
}

absl::Status ForEachNoise(std::string_view seed, std::span<const double> lengths_s, int of_each,
                          int sample_rate,
                          const std::function<absl::Status(const std::string& kind, double length_s,
                                                           const audio::Waveform& audio)>& ask) {
  for (const std::string& kind : NoiseNames()) {
    for (const double length_s : lengths_s) {
      for (int i = 0; i < of_each; ++i) {
        ASSIGN_OR_RETURN(
            const audio::Waveform audio,
            MakeNoise(kind, length_s, sample_rate,
                      HashOf(absl::StrCat(std::string(seed), kind, length_s, "/", i))));
        RETURN_IF_ERROR(ask(kind, length_s, audio));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace antiphon::trainer::datasets
