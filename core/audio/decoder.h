// Turns encoded audio (WAV, FLAC, Ogg/Vorbis, Opus, MP3: what libsndfile reads) or raw PCM into mono at a wanted rate.
//
// Decoding, down-mixing (mean of the channels) and resampling (libsoxr) go chunk by chunk, so that memory is the
// result's size plus a constant. Input is untrusted. Stateless functions; safe from any thread.
#ifndef ANTIPHON_CORE_AUDIO_DECODER_H_
#define ANTIPHON_CORE_AUDIO_DECODER_H_

#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"

namespace antiphon::audio {

// What is accepted; exceeding one is ResourceExhausted and names it.
struct DecodeOptions {
  int sample_rate = 22050;       // Hz of the result, 1,000 to 192,000
  double max_duration_s = 3600;  // seconds of the input
  int max_channels = 8;
  int min_source_rate = 1000;     // Hz
  int max_source_rate = 384'000;  // Hz
  double start_s = 0;             // the part to decode: from here (seconds of the input, >= 0) …
  double length_s = 0;            // … for so long; 0 is to the end
};

// Fails with InvalidArgument (unknown or damaged format, NaN or infinite samples, no samples at all) or
// ResourceExhausted (a limit). A stream that ends early gives what was decoded before, unless that is nothing. Silence
// is fine.
[[nodiscard]] absl::StatusOr<Waveform> DecodeMemory(std::string_view bytes, const DecodeOptions& options = {});

// As above, from a file. Adds NotFound and the path to the messages.
[[nodiscard]] absl::StatusOr<Waveform> DecodeFile(const std::string& path, const DecodeOptions& options = {});

// Interleaved PCM, float32 with full scale ±1: interleaved.size() must be a multiple of `channels`.
[[nodiscard]] absl::StatusOr<Waveform> FromPcm(std::span<const float> interleaved, int channels, int source_rate,
                                               const DecodeOptions& options = {});

// Resamples mono sound (libsoxr, high quality, linear phase). Requires both rates in DecodeOptions' range.
[[nodiscard]] absl::StatusOr<Waveform> Resample(const Waveform& waveform, int sample_rate);

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_AUDIO_DECODER_H_
