// Turns raw PCM into mono at a wanted rate, as decoded sound is (core/decoding/decoder.h).
// Stateless functions; safe from any thread.
#ifndef ANTIPHON_CORE_AUDIO_FROM_PCM_H_
#define ANTIPHON_CORE_AUDIO_FROM_PCM_H_

#include <span>

#include "absl/status/statusor.h"
#include "core/audio/decode_options.h"
#include "core/audio/waveform.h"

namespace antiphon::audio {

// Interleaved PCM, float32 with full scale ±1: interleaved.size() must be a multiple of `channels`.
// Fails as above.
[[nodiscard]] absl::StatusOr<Waveform> FromPcm(std::span<const float> interleaved, int channels,
                                               int source_rate, const DecodeOptions& options = {});

// Resamples mono sound (libsoxr, high quality, linear phase). Both rates must be in DecodeOptions'
// default ranges, else InvalidArgument; so are samples that are not finite. An empty waveform stays
// empty.
[[nodiscard]] absl::StatusOr<Waveform> Resample(const Waveform& waveform, int sample_rate);

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_AUDIO_FROM_PCM_H_
