#include "server/services/sample_stream.h"

#include "server/wire/field_checks.h"

namespace antiphon::server {

absl::StatusOr<audio::PcmFormat> ToPcmFormat(v1::Pcm::Encoding encoding, int sample_rate,
                                             int channels, const Limits& limits) {
  audio::PcmFormat format;
  switch (encoding) {
    case v1::Pcm::ENCODING_FLOAT32:
      format.encoding = audio::PcmEncoding::kFloat32;
      break;
    case v1::Pcm::ENCODING_INT16:
      format.encoding = audio::PcmEncoding::kInt16;
      break;
    default:
      return FieldError(absl::StatusCode::kInvalidArgument, "options.encoding",
                        "missing or unknown", "ENCODING_FLOAT32 or ENCODING_INT16");
  }
  RETURN_IF_ERROR(FirstFailure(
      {CheckFieldRange("options.sample_rate", sample_rate,
                       Range<int>{limits.min_audio_rate, limits.max_audio_rate}),
       CheckFieldRange("options.channels", channels, Range<int>{1, limits.max_audio_channels})}));
  format.sample_rate = sample_rate;
  format.channels = channels;
  return format;
}

}  // namespace antiphon::server
