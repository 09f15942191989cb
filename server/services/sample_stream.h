// A stream that begins with options and goes on with raw samples: what all such calls share.
//
// Stateless; safe from any thread, each stream belonging to its own. Failures are InvalidArgument
// for "part", "options.…" and "samples" (status_map.h).
#ifndef ANTIPHON_SERVER_SERVICES_SAMPLE_STREAM_H_
#define ANTIPHON_SERVER_SERVICES_SAMPLE_STREAM_H_

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "antiphon/v1/types.pb.h"
#include "core/audio/pcm_stream.h"
#include "core/base/status_macros.h"
#include "server/calls/message_stream.h"
#include "server/wire/limits.h"
#include "server/wire/status_map.h"

namespace antiphon::server {

// Of samples as they come, converted at once: at the lowest rate that is a few megabytes.
inline constexpr size_t kBytesAtOnce = 64 << 10;

// Fields: "options.encoding", "options.sample_rate", "options.channels".
[[nodiscard]] absl::StatusOr<audio::PcmFormat> ToPcmFormat(v1::Pcm::Encoding encoding,
                                                           int sample_rate, int channels,
                                                           const Limits& limits);

// The format of the samples that a stream with these options carries.
template <typename Options>
absl::StatusOr<audio::PcmFormat> ToPcmFormat(const Options& options, const Limits& limits) {
  return ToPcmFormat(options.encoding(), options.sample_rate(), options.channels(), limits);
}

// Reads the first message, which must have options. They are request->options() then.
template <typename Request>
absl::Status ReadOptions(MessageReader<Request>& stream, Request* request) {
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  if (!stream.Read(request)) {
    RETURN_IF_ERROR(stream.status());
    return FieldError(kInvalid, "part", "the stream is empty", "options first");
  }
  if (!request->has_options()) return FieldError(kInvalid, "part", "no options", "options first");
  return absl::OkStatus();
}

// Hands over all samples up to the end of the stream, at most kBytesAtOnce at a time. `take` gets a
// std::string_view and returns a status; a failure ends the reading.
template <typename Request, typename Take>
absl::Status ReadSamples(MessageReader<Request>& stream, Take&& take) {
  Request request;
  while (stream.Read(&request)) {
    if (request.part_case() != Request::kSamples) {
      return FieldError(absl::StatusCode::kInvalidArgument, "part",
                        request.has_options() ? "options again" : "neither options nor samples",
                        "options once, then samples");
    }
    std::string_view bytes = request.samples();
    for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kBytesAtOnce)))
      RETURN_IF_ERROR(take(bytes.substr(0, kBytesAtOnce)));
  }
  return stream.status();
}

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVICES_SAMPLE_STREAM_H_
