// Retrieval.Follow: where in a score the music is, while it is played. Stateless; safe from any
// thread.
//
// The score is copied at the start, so that a stream of hours holds on to no generation. Answers
// are written as soon as the sound that they are about has come in. Memory of a stream is bounded
// by the length of the score.
#ifndef ANTIPHON_SERVER_PERFORMANCES_FOLLOW_H_
#define ANTIPHON_SERVER_PERFORMANCES_FOLLOW_H_

#include "absl/status/status.h"
#include "antiphon/v1/retrieval.pb.h"
#include "server/calls/call.h"
#include "server/calls/message_stream.h"
#include "server/services/service_streams.h"

namespace antiphon::server {

// Failures are InvalidArgument for "part", "options.…" and "samples", NotFound and
// ResourceExhausted for "options.…", or as the collection's.
[[nodiscard]] absl::Status Follow(const StreamContext& context, Call& call,
                                  MessageStream<v1::FollowRequest, v1::FollowResponse>& stream);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_PERFORMANCES_FOLLOW_H_
