// Retrieval.Align and AlignLong: when each beat and note of a score is played in a recording.
// Stateless; safe from any thread.
//
// AlignLong copies the score at its start, and holds on to no generation while it listens. A piece
// that the request does not name is the one that is heard for the longest time. Its memory is that
// of the spectrogram, which Limits::max_align_s bounds, and of the alignment at its end
// (core/alignment/performance.h).
#ifndef ANTIPHON_SERVER_PERFORMANCES_ALIGN_H_
#define ANTIPHON_SERVER_PERFORMANCES_ALIGN_H_

#include "absl/status/status.h"
#include "antiphon/v1/retrieval.pb.h"
#include "server/calls/call.h"
#include "server/calls/message_stream.h"
#include "server/services/service_streams.h"

namespace antiphon::server {

// Failures are InvalidArgument, NotFound and ResourceExhausted for a field, or as the collection's.
[[nodiscard]] absl::Status Align(const StreamContext& context, Call& call,
                                 const v1::AlignRequest& request, v1::AlignResponse* response);

[[nodiscard]] absl::Status AlignLong(const StreamContext& context, Call& call,
                                     MessageReader<v1::AlignStreamRequest>& stream,
                                     v1::AlignResponse* response);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_PERFORMANCES_ALIGN_H_
