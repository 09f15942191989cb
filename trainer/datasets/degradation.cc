#include "trainer/datasets/degradation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/audio/encoder.h"
#include "core/audio/from_pcm.h"
#include "core/base/status_macros.h"
#include "core/decoding/decoder.h"
#include "trainer/data/recording_chain.h"

namespace antiphon::trainer::datasets {
namespace {

using audio::Waveform;
using Degraded = absl::StatusOr<Waveform>;

float Peak(const Waveform& audio) {
  float peak = 0;
  for (const float x : audio.samples) peak = std::max(peak, std::abs(x));
  return peak;
}

void Scale(double factor, Waveform& audio) {
  for (float& sample : audio.samples) sample = static_cast<float>(sample * factor);
}

double Speed(double cents) { return std::exp2(cents / 1200); }

// Eight bits on a logarithmic scale about the peak, and back.
void MuLaw(Waveform& audio) {
  constexpr double kMu = 255;
  const double peak = Peak(audio);
  if (!(peak > 0)) return;
  for (float& sample : audio.samples) {
    const double compressed = std::log1p(kMu * std::abs(sample) / peak) / std::log1p(kMu);
    const double expanded =
        std::expm1(std::round(compressed * 127) / 127 * std::log1p(kMu)) / kMu * peak;
    sample = static_cast<float>(std::copysign(expanded, sample));
  }
}

Degraded Telephone(const Waveform& audio, uint64_t seed) {
  const Waveform band = data::ApplyRecordingChain(audio, {.equalisation_db = 2,
                                                          .low_cut_hz = 300,
                                                          .low_cut_order = 6,
                                                          .high_cut_hz = 3400,
                                                          .high_cut_order = 10,
                                                          .seed = seed});
  ASSIGN_OR_RETURN(Waveform line, audio::Resample(band, 8000));
  MuLaw(line);
  Degraded result = audio::Resample(line, audio.sample_rate);
  if (result.ok()) result->samples.resize(audio.samples.size());
  return result;
}

Degraded SmallLoudspeaker(const Waveform& audio, uint64_t seed) {
  Waveform result = data::ApplyRecordingChain(audio, {.equalisation_db = 5,
                                                      .low_cut_hz = 250,
                                                      .low_cut_order = 4,
                                                      .high_cut_hz = 9000,
                                                      .seed = seed});
  const double peak = Peak(result);
  if (!(peak > 0)) return result;
  // Saturates softly and, through the offset, not symmetrically: odd and even harmonics.
  constexpr double kOffset = 0.2;
  for (float& sample : result.samples) {
    const double drive = 1.5 * sample / peak;
    sample = static_cast<float>(peak * (std::tanh(drive + kOffset) - std::tanh(kOffset)));
  }
  return result;
}

Degraded Noise(const Waveform& audio, double snr_db, uint64_t seed) {
  return data::ApplyRecordingChain(audio, {.snr_db = snr_db, .noise_slope_db = -3, .seed = seed});
}

Degraded LargeHall(const Waveform& audio, uint64_t seed) {
  return data::ApplyRecordingChain(audio, {.rt60_s = 3,
                                           .direct_to_reverb_db = -3,
                                           .pre_delay_s = 0.025,
                                           .bass_decay = 1.2,
                                           .treble_decay = 0.6,
                                           .seed = seed});
}

// Halves, in decibels, the distance of the level of the last second or so from the mean one; loud
// sounds pull it down at once.
void AutomaticGain(Waveform& audio) {
  constexpr double kAttack_s = 0.02;
  constexpr double kRelease_s = 1;
  constexpr double kMostGain = 4;
  double mean = 0;
  for (const float x : audio.samples) mean += std::abs(x);
  mean /= static_cast<double>(audio.samples.size());
  if (!(mean > 0)) return;
  const double attack = 1 - std::exp(-1 / (kAttack_s * audio.sample_rate));
  const double release = 1 - std::exp(-1 / (kRelease_s * audio.sample_rate));
  double level = mean;
  for (float& sample : audio.samples) {
    const double now = std::abs(sample);
    level += (now > level ? attack : release) * (now - level);
    sample = static_cast<float>(
        sample * std::min(kMostGain, std::sqrt(mean / std::max(level, mean * 1e-3))));
  }
}

Degraded PhoneRecording(const Waveform& audio, uint64_t seed) {
  Waveform result = data::ApplyRecordingChain(audio, {.rt60_s = 0.6,
                                                      .direct_to_reverb_db = 0,
                                                      .pre_delay_s = 0.006,
                                                      .treble_decay = 0.7,
                                                      .equalisation_db = 4,
                                                      .low_cut_hz = 180,
                                                      .low_cut_order = 3,
                                                      .high_cut_hz = 7000,
                                                      .snr_db = 20,
                                                      .noise_slope_db = -3,
                                                      .seed = seed});
  AutomaticGain(result);
  return data::ApplyRecordingChain(result, {.clip_level = 0.5});
}

Degraded Lossy(const Waveform& audio) {
  // The encoder clips at full scale, which is not what this is about.
  const double peak = Peak(audio);
  const double scale = peak > 0.9 ? 0.9 / peak : 1;
  Waveform quiet = audio;
  Scale(scale, quiet);
  ASSIGN_OR_RETURN(const std::string bytes, audio::EncodeAudio(quiet, audio::AudioFormat::kMp3));
  audio::DecodeOptions options;
  options.sample_rate = audio.sample_rate;
  options.max_duration_s = audio.duration_s() + 10;
  ASSIGN_OR_RETURN(Waveform result, audio::DecodeMemory(bytes, options));
  result.samples.resize(audio.samples.size());
  Scale(1 / scale, result);
  return result;
}

Degraded Overdriven(const Waveform& audio) {
  constexpr double kDrive = 10;
  Waveform result = data::ApplyRecordingChain(audio, {.clip_level = 1 / kDrive});
  Scale(kDrive, result);
  return result;
}

// Resampled to a rate that is said to be the old one.
Degraded Faster(const Waveform& audio, double speed) {
  Degraded result =
      audio::Resample(audio, static_cast<int>(std::lround(audio.sample_rate / speed)));
  if (result.ok()) result->sample_rate = audio.sample_rate;
  return result;
}

struct Named {
  std::string_view name;
  double speed;
  Degraded (*degrade)(const Waveform& audio, double speed, uint64_t seed);
};

const auto& All() {
  static const std::array kAll{
      Named{"telephone", 1,
            [](const Waveform& w, double, uint64_t seed) { return Telephone(w, seed); }},
      Named{"small-loudspeaker", 1,
            [](const Waveform& w, double, uint64_t seed) { return SmallLoudspeaker(w, seed); }},
      Named{"noise-10db", 1,
            [](const Waveform& w, double, uint64_t seed) { return Noise(w, 10, seed); }},
      Named{"noise-0db", 1,
            [](const Waveform& w, double, uint64_t seed) { return Noise(w, 0, seed); }},
      Named{"large-hall", 1,
            [](const Waveform& w, double, uint64_t seed) { return LargeHall(w, seed); }},
      Named{"phone-recording", 1,
            [](const Waveform& w, double, uint64_t seed) { return PhoneRecording(w, seed); }},
      Named{"lossy-64k", 1, [](const Waveform& w, double, uint64_t) { return Lossy(w); }},
      Named{"clipping", 1, [](const Waveform& w, double, uint64_t) { return Overdriven(w); }},
      Named{"sharp-30-cents", Speed(30),
            [](const Waveform& w, double speed, uint64_t) { return Faster(w, speed); }},
      Named{"flat-30-cents", Speed(-30),
            [](const Waveform& w, double speed, uint64_t) { return Faster(w, speed); }},
      Named{"faster-5-percent", 1.05,
            [](const Waveform& w, double speed, uint64_t) { return Faster(w, speed); }},
  };
  return kAll;
}

const Named* Find(std::string_view name) {
  const auto found = std::find_if(All().begin(), All().end(),
                                  [&](const Named& named) { return named.name == name; });
  return found == All().end() ? nullptr : &*found;
}

}  // namespace

std::vector<std::string> DegradationNames() {
  std::vector<std::string> names;
  for (const Named& named : All()) names.emplace_back(named.name);
  return names;
}

double DegradationSpeed(std::string_view name) {
  const Named* const named = Find(name);
  return named == nullptr ? 1 : named->speed;
}

absl::StatusOr<Waveform> Degrade(const Waveform& audio, std::string_view name, uint64_t seed) {
  const Named* const named = Find(name);
  if (named == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no degradation '", std::string(name),
                     "'; there are: ", absl::StrJoin(DegradationNames(), ", ")));
  }
  if (audio.samples.empty()) return absl::InvalidArgumentError("cannot degrade an empty sound");
  for (const float sample : audio.samples) {
    if (!std::isfinite(sample))
      return absl::InvalidArgumentError("cannot degrade samples that are not finite");
  }
  return named->degrade(audio, named->speed, seed);
}

}  // namespace antiphon::trainer::datasets
