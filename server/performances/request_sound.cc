#include "server/performances/request_sound.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/base/status_macros.h"
#include "core/features/audible.h"
#include "core/features/audio_front_end.h"
#include "server/services/decode.h"
#include "server/services/request_options.h"
#include "server/services/warnings.h"

namespace antiphon::server {

absl::StatusOr<audio::Waveform> DecodeSound(Call& call, bool present, const v1::Audio& audio,
                                            int sample_rate, const matching::QueryExcerpt& excerpt,
                                            const Limits& limits) {
  audio::DecodeReport report;
  ASSIGN_OR_RETURN(audio::Waveform sound, call.InStage(v1::STAGE_DECODE, [&] {
    return DecodeAudio(present, audio, sample_rate, limits, report);
  }));
  WarnOfDecoding(call, "audio.file", report);
  RETURN_IF_ERROR(CheckExcerpt("", excerpt, sound.duration_s()));
  return sound;
}

void CutTo(const matching::QueryExcerpt& excerpt, audio::Waveform& sound) {
  const auto size = static_cast<int64_t>(sound.samples.size());
  const auto sample_at = [&](double seconds) {
    return std::llround(std::clamp(seconds * sound.sample_rate, 0.0, static_cast<double>(size)));
  };
  if (excerpt.end_s) sound.samples.resize(sample_at(*excerpt.end_s));
  sound.samples.erase(sound.samples.begin(), sound.samples.begin() + sample_at(excerpt.start_s));
}

absl::StatusOr<features::FeatureSequence> SpectrogramOf(Call& call, const audio::Waveform& sound,
                                                        const features::FeatureSettings& settings) {
  ASSIGN_OR_RETURN(const auto front_end, features::AudioFrontEnd::Create(settings));
  return call.InStage(v1::STAGE_FEATURES, [&]() -> absl::StatusOr<features::FeatureSequence> {
    const float gain = features::GainFor(features::PeakOf(sound.samples));
    if (gain == 1) return features::ComputeSpectrogram(*front_end, sound.samples);
    std::vector<float> raised = sound.samples;
    for (float& sample : raised) sample *= gain;
    return features::ComputeSpectrogram(*front_end, raised);
  });
}

}  // namespace antiphon::server
