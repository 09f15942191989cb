#include "core/audio/from_pcm.h"

#include <algorithm>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/audio/mono_builder.h"
#include "core/base/status_macros.h"

namespace antiphon::audio {
namespace {

constexpr int64_t kChunkFrames = 65536;

}  // namespace

absl::StatusOr<Waveform> FromPcm(std::span<const float> interleaved, int channels, int source_rate,
                                 const DecodeOptions& options) {
  RETURN_IF_ERROR(CheckDecodeOptions(options));
  if (channels < 1 || interleaved.size() % channels != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        interleaved.size(), " samples are not whole frames of ", channels, " channels"));
  }
  const int64_t frames = static_cast<int64_t>(interleaved.size() / channels);
  ASSIGN_OR_RETURN(auto range, CheckStream(channels, source_rate, frames, options));
  ASSIGN_OR_RETURN(auto builder, MonoBuilder::Create(channels, source_rate, range.count, options));
  interleaved = interleaved.subspan(range.start * channels, range.count * channels);
  while (!interleaved.empty()) {
    const size_t piece = std::min<size_t>(interleaved.size(), kChunkFrames * channels);
    RETURN_IF_ERROR(builder.Push(interleaved.first(piece)));
    interleaved = interleaved.subspan(piece);
  }
  return builder.Finish();
}

absl::StatusOr<Waveform> Resample(const Waveform& waveform, int sample_rate) {
  DecodeOptions options;
  options.sample_rate = sample_rate;
  options.max_duration_s = 1e12;  // it is in memory already
  if (waveform.samples.empty()) {
    RETURN_IF_ERROR(CheckDecodeOptions(options));
    return Waveform{{}, sample_rate};
  }
  if (waveform.sample_rate < options.min_source_rate ||
      waveform.sample_rate > options.max_source_rate) {
    return absl::InvalidArgumentError(absl::StrCat("cannot resample from ", waveform.sample_rate,
                                                   " Hz: outside ", options.min_source_rate, " to ",
                                                   options.max_source_rate, " Hz"));
  }
  return FromPcm(waveform.samples, 1, waveform.sample_rate, options);
}

}  // namespace antiphon::audio
