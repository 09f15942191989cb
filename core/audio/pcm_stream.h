// Raw samples that come in chunks of bytes as mono sound at another rate.
//
// Chunks may be cut anywhere, also within a sample; the result does not depend on it. Input is
// untrusted. One stream belongs to one thread; it owns its state, which does not grow.
#ifndef ANTIPHON_CORE_AUDIO_PCM_STREAM_H_
#define ANTIPHON_CORE_AUDIO_PCM_STREAM_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace antiphon::audio {

enum class PcmEncoding { kFloat32, kInt16 };  // little-endian; full scale is ±1, ±32,768

struct PcmFormat {
  PcmEncoding encoding = PcmEncoding::kInt16;
  int channels = 1;         // interleaved; their mean is used
  int sample_rate = 22050;  // Hz
};

class PcmStream {
 public:
  // Converts to `sample_rate`, Hz. InvalidArgument or ResourceExhausted for a format outside the
  // default limits of DecodeOptions.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<PcmStream>> Create(const PcmFormat& format,
                                                                         int sample_rate);
  ~PcmStream();

  // Appends to `output` what can be said by now. InvalidArgument for samples that are NaN, infinite
  // or beyond 1e10.
  [[nodiscard]] absl::Status Push(std::string_view bytes, std::vector<float>& output);

  // Appends the rest. InvalidArgument when the last frame is not whole. Call once, last.
  [[nodiscard]] absl::Status Finish(std::vector<float>& output);

 private:
  struct Impl;
  explicit PcmStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_AUDIO_PCM_STREAM_H_
