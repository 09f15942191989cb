#include "core/audio/mono_builder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace antiphon::audio {
namespace {

// Beyond it squares and sums of squares would overflow float32 in what comes after. Integers of 32
// bits stay below.
constexpr float kLoudest = 1e10f;

// Frames in `seconds`, saturating far above any stream's length.
int64_t Frames(double seconds, int rate) { return std::llround(std::min(seconds * rate, 4e18)); }

}  // namespace

absl::Status CheckDecodeOptions(const DecodeOptions& options) {
  RETURN_IF_ERROR(CheckRange("sample_rate", options.sample_rate, DecodeOptions::kSampleRateRange));
  if (!(options.max_duration_s > 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_duration_s ", options.max_duration_s, " is not positive"));
  }
  if (options.max_channels < 1 || options.min_source_rate < 1 ||
      options.max_source_rate < options.min_source_rate) {
    return absl::InvalidArgumentError(
        "max_channels, min_source_rate and max_source_rate leave nothing to accept");
  }
  if (!(options.start_s >= 0) || !std::isfinite(options.start_s)) {
    return absl::InvalidArgumentError(
        absl::StrCat("start_s ", options.start_s, " is not a time from 0 on"));
  }
  if (!(options.length_s >= 0) || !std::isfinite(options.length_s)) {
    return absl::InvalidArgumentError(
        absl::StrCat("length_s ", options.length_s, " is not a length, or 0 for all"));
  }
  return absl::OkStatus();
}

absl::Status CheckLimits(int channels, int source_rate, std::optional<int64_t> declared_frames,
                         const DecodeOptions& options) {
  if (channels < 1)
    return absl::InvalidArgumentError(absl::StrCat("the audio has ", channels, " channels"));
  if (channels > options.max_channels) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the audio has ", channels, " channels; the limit is ", options.max_channels));
  }
  if (source_rate < options.min_source_rate || source_rate > options.max_source_rate) {
    return absl::ResourceExhaustedError(absl::StrCat("the audio's sample rate is ", source_rate,
                                                     " Hz; accepted are ", options.min_source_rate,
                                                     " to ", options.max_source_rate, " Hz"));
  }
  if (declared_frames.value_or(0) > Frames(options.max_duration_s, source_rate)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the audio lasts ", static_cast<double>(*declared_frames) / source_rate,
                     " s; the limit is ", options.max_duration_s, " s"));
  }
  return absl::OkStatus();
}

absl::StatusOr<FrameRange> CheckStream(int channels, int source_rate,
                                       std::optional<int64_t> declared_frames,
                                       const DecodeOptions& options) {
  RETURN_IF_ERROR(CheckLimits(channels, source_rate, declared_frames, options));
  const int64_t max_frames = Frames(options.max_duration_s, source_rate);
  FrameRange range;
  range.start = Frames(options.start_s, source_rate);
  if (range.start > 0 && range.start >= declared_frames.value_or(max_frames)) {
    return absl::InvalidArgumentError(
        absl::StrCat("start_s ", options.start_s, " is beyond the end of the audio"));
  }
  range.count = declared_frames.value_or(max_frames) - range.start;
  if (options.length_s > 0) {
    range.count =
        std::min(range.count, std::max<int64_t>(1, Frames(options.length_s, source_rate)));
  }
  return range;
}

absl::StatusOr<MonoBuilder> MonoBuilder::Create(int channels, int source_rate,
                                                int64_t expected_frames,
                                                const DecodeOptions& options) {
  ASSIGN_OR_RETURN(auto resampler, Resampler::Create(source_rate, options.sample_rate));
  MonoBuilder builder;
  builder.channels_ = channels;
  builder.source_rate_ = source_rate;
  builder.mixer_ = MonoMixer(channels);
  builder.resampler_ = std::move(resampler);
  builder.waveform_.sample_rate = options.sample_rate;
  const double ratio = static_cast<double>(options.sample_rate) / source_rate;
  builder.waveform_.samples.reserve(static_cast<size_t>(std::ceil(expected_frames * ratio)) + 1);
  return builder;
}

absl::Status MonoBuilder::Push(std::span<const float> interleaved) {
  const size_t frames = interleaved.size() / channels_;
  for (size_t i = 0; i < interleaved.size(); ++i) {
    if (!(std::abs(interleaved[i]) <= kLoudest)) {  // so written, NaN fails
      const char* what = std::isnan(interleaved[i])   ? "NaN"
                         : std::isinf(interleaved[i]) ? "infinite"
                                                      : "beyond 1e10";
      return absl::InvalidArgumentError(
          absl::StrCat("the audio's sample at frame ", frames_ + i / channels_, " is ", what));
    }
  }
  frames_ += frames;
  if (channels_ == 1) return resampler_->Push(interleaved, waveform_.samples);
  mono_.clear();
  mixer_.Push(interleaved, mono_);
  return resampler_->Push(mono_, waveform_.samples);
}

absl::Status MonoBuilder::Change(int channels, int source_rate) {
  if (channels != channels_) {
    mono_.clear();
    mixer_.Finish(mono_);
    RETURN_IF_ERROR(resampler_->Push(mono_, waveform_.samples));
    mixer_ = MonoMixer(channels);
    channels_ = channels;
  }
  if (source_rate != source_rate_) {
    RETURN_IF_ERROR(resampler_->Finish(waveform_.samples));
    ASSIGN_OR_RETURN(resampler_, Resampler::Create(source_rate, waveform_.sample_rate));
    source_rate_ = source_rate;
  }
  return absl::OkStatus();
}

void MonoBuilder::Drain(std::vector<float>& output) {
  drained_ = drained_ || !waveform_.samples.empty();
  output.insert(output.end(), waveform_.samples.begin(), waveform_.samples.end());
  waveform_.samples.clear();
}

absl::StatusOr<Waveform> MonoBuilder::Finish() {
  if (frames_ == 0) return absl::InvalidArgumentError("the audio has no samples");
  mono_.clear();
  mixer_.Finish(mono_);
  RETURN_IF_ERROR(resampler_->Push(mono_, waveform_.samples));
  RETURN_IF_ERROR(resampler_->Finish(waveform_.samples));
  if (waveform_.samples.empty() && !drained_)
    return absl::InvalidArgumentError("the audio is too short: less than one sample");
  return std::move(waveform_);
}

}  // namespace antiphon::audio
