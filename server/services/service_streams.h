// The streaming half of antiphon.v1.Retrieval: reads sound as it comes, tells what is played in it.
// Stateless; safe from any thread. Called by RetrievalService, on the thread of the stream.
//
// The collection asked is the one that is current whenever sound has come in: a stream of hours
// holds on to no generation. Memory of a stream is bounded, whatever its length and the sizes of
// its messages.
#ifndef ANTIPHON_SERVER_SERVICES_SERVICE_STREAMS_H_
#define ANTIPHON_SERVER_SERVICES_SERVICE_STREAMS_H_

#include "absl/status/status.h"
#include "antiphon/v1/retrieval.pb.h"
#include "server/calls/call.h"
#include "server/calls/message_stream.h"
#include "server/serving/store.h"
#include "server/telemetry/metrics.h"
#include "server/wire/limits.h"

namespace antiphon::server {

// What both calls need. All are borrowed.
struct StreamContext {
  const Store& store;
  Metrics& metrics;
  const Limits& limits;
};

// Failures are InvalidArgument for "part", "options.…" and "samples", or as the collection's.
[[nodiscard]] absl::Status IdentifyLong(const StreamContext& context, Call& call,
                                        MessageReader<v1::IdentifyStreamRequest>& stream,
                                        v1::IdentifyLongResponse* response);

[[nodiscard]] absl::Status IdentifyLive(
    const StreamContext& context, Call& call,
    MessageStream<v1::IdentifyStreamRequest, v1::IdentifyLiveResponse>& stream);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVICES_SERVICE_STREAMS_H_
