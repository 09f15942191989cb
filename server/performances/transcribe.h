// Retrieval.Transcribe: the notes of a sound. Stateless; safe from any thread.
#ifndef ANTIPHON_SERVER_PERFORMANCES_TRANSCRIBE_H_
#define ANTIPHON_SERVER_PERFORMANCES_TRANSCRIBE_H_

#include "absl/status/status.h"
#include "antiphon/v1/retrieval.pb.h"
#include "server/calls/call.h"
#include "server/services/service_streams.h"

namespace antiphon::server {

// Failures are InvalidArgument and ResourceExhausted for a field, or as the collection's.
[[nodiscard]] absl::Status Transcribe(const StreamContext& context, Call& call,
                                      const v1::TranscribeRequest& request,
                                      v1::TranscribeResponse* response);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_PERFORMANCES_TRANSCRIBE_H_
