// Streaming mono sample rate conversion (libsoxr, high quality, linear phase). Internal to
// core/audio.
//
// One Resampler converts one stream, from one thread; it owns its state. The delay of the filter is
// compensated: output sample i stands for time i / output_rate of the input. How the input is cut
// into pieces does not change the result.
#ifndef ANTIPHON_CORE_AUDIO_RESAMPLER_H_
#define ANTIPHON_CORE_AUDIO_RESAMPLER_H_

#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace antiphon::audio {

class Resampler {
 public:
  // Rates in Hz, both > 0. Equal rates pass samples through unchanged.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Resampler>> Create(int input_rate,
                                                                         int output_rate);
  ~Resampler();

  // Appends to `output` what can be said by now.
  [[nodiscard]] absl::Status Push(std::span<const float> input, std::vector<float>& output);

  // Appends the rest: in total round(input * output_rate / input_rate) samples, within one. Call
  // once, last.
  [[nodiscard]] absl::Status Finish(std::vector<float>& output);

 private:
  struct Impl;
  explicit Resampler(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_AUDIO_RESAMPLER_H_
