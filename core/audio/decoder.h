// Turns encoded audio (WAV, AIFF, AU, CAF, W64, FLAC, Ogg with Vorbis or Opus, MP3: read by
// libsndfile) or raw PCM into mono at a wanted rate.
//
// Decoding, down-mixing (mean of the channels) and resampling (libsoxr) go chunk by chunk, so that
// memory is the result's size plus a constant, or a constant where the result is handed over in
// pieces. The result has round(frames * sample_rate / source rate) samples, within one, and is not
// delayed. Input is untrusted: a length that a header claims is checked, never allocated on trust.
// Stateless functions; safe from any thread.
#ifndef ANTIPHON_CORE_AUDIO_DECODER_H_
#define ANTIPHON_CORE_AUDIO_DECODER_H_

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"
#include "core/base/check_range.h"

namespace antiphon::audio {

// What is accepted; exceeding one is ResourceExhausted and names it. Options out of their own range
// are InvalidArgument.
struct DecodeOptions {
  static constexpr Range<int> kSampleRateRange = {1000, 192'000};
  int sample_rate = 22050;        // Hz of the result
  double max_duration_s = 3600;   // seconds of the whole input, whatever part is decoded; > 0
  int max_channels = 8;           // >= 1
  int min_source_rate = 1000;     // Hz
  int max_source_rate = 384'000;  // Hz
  double start_s = 0;             // the part to decode: from here (seconds of the input, >= 0) …
  double length_s = 0;            // … for so long; 0 is to the end
};

// Fails with InvalidArgument (unknown or damaged format; samples that are NaN, infinite or beyond
// 1e10; no samples at all; start_s beyond the end) or ResourceExhausted (a limit). A stream that
// ends early, or a part that does, gives what was decoded before, unless that is nothing. Silence
// is fine.
[[nodiscard]] absl::StatusOr<Waveform> DecodeMemory(std::string_view bytes,
                                                    const DecodeOptions& options = {});

// As above, from a file. Adds NotFound and the path to the messages.
[[nodiscard]] absl::StatusOr<Waveform> DecodeFile(const std::string& path,
                                                  const DecodeOptions& options = {});

// The same, handed over in pieces of a few seconds, so that memory does not grow with the length;
// together they are the waveform of DecodeMemory or DecodeFile. A failure of `sink` ends the work
// and is returned as it is.
using SampleSink = std::function<absl::Status(std::span<const float>)>;
[[nodiscard]] absl::Status DecodeMemoryInPieces(std::string_view bytes,
                                                const DecodeOptions& options,
                                                const SampleSink& sink);
[[nodiscard]] absl::Status DecodeFileInPieces(const std::string& path, const DecodeOptions& options,
                                              const SampleSink& sink);

// Interleaved PCM, float32 with full scale ±1: interleaved.size() must be a multiple of `channels`.
// Fails as above.
[[nodiscard]] absl::StatusOr<Waveform> FromPcm(std::span<const float> interleaved, int channels,
                                               int source_rate, const DecodeOptions& options = {});

// Resamples mono sound (libsoxr, high quality, linear phase). Both rates must be in DecodeOptions'
// default ranges, else InvalidArgument; so are samples that are not finite. An empty waveform stays
// empty.
[[nodiscard]] absl::StatusOr<Waveform> Resample(const Waveform& waveform, int sample_rate);

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_AUDIO_DECODER_H_
