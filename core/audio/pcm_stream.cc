#include "core/audio/pcm_stream.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audio/mono_builder.h"
#include "core/base/status_macros.h"

namespace antiphon::audio {
namespace {

static_assert(std::endian::native == std::endian::little, "samples are read as they lie");

constexpr size_t kFramesAtOnce = 16384;

}  // namespace

struct PcmStream::Impl {
  Impl(const PcmFormat& format_in, MonoBuilder builder_in)
      : format(format_in), builder(std::move(builder_in)) {}

  size_t sample_bytes() const {
    return format.encoding == PcmEncoding::kFloat32 ? sizeof(float) : sizeof(int16_t);
  }
  size_t frame_bytes() const { return sample_bytes() * format.channels; }

  // Whole frames.
  absl::Status Take(std::string_view bytes, std::vector<float>& output);

  const PcmFormat format;
  MonoBuilder builder;
  std::string part;  // of a frame
  bool any = false;
  std::vector<float> samples;
};

PcmStream::PcmStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PcmStream::~PcmStream() = default;

absl::StatusOr<std::unique_ptr<PcmStream>> PcmStream::Create(const PcmFormat& format,
                                                             int sample_rate) {
  DecodeOptions options;
  options.sample_rate = sample_rate;
  RETURN_IF_ERROR(CheckDecodeOptions(options));
  RETURN_IF_ERROR(CheckStream(format.channels, format.sample_rate, std::nullopt, options).status());
  ASSIGN_OR_RETURN(MonoBuilder builder,
                   MonoBuilder::Create(format.channels, format.sample_rate, 0, options));
  return std::unique_ptr<PcmStream>(
      new PcmStream(std::make_unique<Impl>(format, std::move(builder))));
}

absl::Status PcmStream::Impl::Take(std::string_view bytes, std::vector<float>& output) {
  const size_t piece_bytes = kFramesAtOnce * frame_bytes();
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), piece_bytes))) {
    const std::string_view piece = bytes.substr(0, piece_bytes);
    samples.resize(piece.size() / sample_bytes());
    if (format.encoding == PcmEncoding::kFloat32) {
      std::memcpy(samples.data(), piece.data(), piece.size());
    } else {
      for (size_t i = 0; i < samples.size(); ++i) {
        int16_t sample = 0;
        std::memcpy(&sample, piece.data() + i * sizeof(sample), sizeof(sample));
        samples[i] = static_cast<float>(sample) / 32768.0f;
      }
    }
    any = true;
    RETURN_IF_ERROR(builder.Push(samples));
    builder.Drain(output);
  }
  return absl::OkStatus();
}

absl::Status PcmStream::Push(std::string_view bytes, std::vector<float>& output) {
  if (!impl_->part.empty()) {
    const size_t missing = std::min(bytes.size(), impl_->frame_bytes() - impl_->part.size());
    impl_->part.append(bytes.substr(0, missing));
    bytes.remove_prefix(missing);
    if (impl_->part.size() < impl_->frame_bytes()) return absl::OkStatus();
    RETURN_IF_ERROR(impl_->Take(impl_->part, output));
  }
  const size_t whole = bytes.size() - bytes.size() % impl_->frame_bytes();
  impl_->part = bytes.substr(whole);
  return impl_->Take(bytes.substr(0, whole), output);
}

absl::Status PcmStream::Finish(std::vector<float>& output) {
  if (!impl_->part.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("the last frame has ", impl_->part.size(),
                                                   " of ", impl_->frame_bytes(), " bytes"));
  }
  if (!impl_->any) return absl::OkStatus();
  absl::StatusOr<Waveform> rest = impl_->builder.Finish();
  // So little that it is less than one sample at the new rate: nothing.
  if (!rest.ok()) return absl::IsInvalidArgument(rest.status()) ? absl::OkStatus() : rest.status();
  output.insert(output.end(), rest->samples.begin(), rest->samples.end());
  return absl::OkStatus();
}

}  // namespace antiphon::audio
