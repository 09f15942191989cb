// Collects interleaved PCM, chunk by chunk, into a mono waveform at another rate. Internal to
// core/audio and core/decoding.
//
// Checks the limits of DecodeOptions as the samples come. One builder serves one stream, from one
// thread.
#ifndef ANTIPHON_CORE_AUDIO_MONO_BUILDER_H_
#define ANTIPHON_CORE_AUDIO_MONO_BUILDER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/audio/decode_options.h"
#include "core/audio/mono_mixer.h"
#include "core/audio/resampler.h"
#include "core/audio/waveform.h"

namespace antiphon::audio {

// The frames of a stream that DecodeOptions asks for.
struct FrameRange {
  int64_t start = 0;
  int64_t count = 0;  // never more than max_duration_s allows
};

// Checks the options' own ranges (InvalidArgument).
[[nodiscard]] absl::Status CheckDecodeOptions(const DecodeOptions& options);

// Checks what a stream says of itself against the limits (InvalidArgument, ResourceExhausted).
// `declared_frames` is empty when the stream doesn't say.
[[nodiscard]] absl::Status CheckLimits(int channels, int source_rate,
                                       std::optional<int64_t> declared_frames,
                                       const DecodeOptions& options);

// Besides, the part that is asked for, before anything is allocated (InvalidArgument,
// ResourceExhausted). Requires CheckDecodeOptions().ok().
[[nodiscard]] absl::StatusOr<FrameRange> CheckStream(int channels, int source_rate,
                                                     std::optional<int64_t> declared_frames,
                                                     const DecodeOptions& options);

class MonoBuilder {
 public:
  // Requires channels and rate that CheckStream has accepted. Memory for `expected_frames` source
  // frames is set aside.
  [[nodiscard]] static absl::StatusOr<MonoBuilder> Create(int channels, int source_rate,
                                                          int64_t expected_frames,
                                                          const DecodeOptions& options);

  // `interleaved` has whole frames. Fails with InvalidArgument on a sample that is not finite or
  // absurdly loud.
  [[nodiscard]] absl::Status Push(std::span<const float> interleaved);

  // Sound with so many channels at this rate follows: another stream in the same file. As Create.
  [[nodiscard]] absl::Status Change(int channels, int source_rate);

  // Moves what is ready by now to the end of `output`.
  void Drain(std::vector<float>& output);

  // The waveform, without what has been drained; InvalidArgument when nothing was pushed. Call
  // once, last.
  [[nodiscard]] absl::StatusOr<Waveform> Finish();

 private:
  MonoBuilder() : mixer_(1) {}

  int channels_ = 1;
  int source_rate_ = 0;
  int64_t frames_ = 0;
  bool drained_ = false;  // something of the result has been handed out
  MonoMixer mixer_;
  std::unique_ptr<Resampler> resampler_;
  std::vector<float> mono_;  // one chunk, down-mixed
  Waveform waveform_;
};

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_AUDIO_MONO_BUILDER_H_
