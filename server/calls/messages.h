// Messages as they come from gRPC's generic interface, and as they go back. Stateless; safe from
// any thread.
#ifndef ANTIPHON_SERVER_CALLS_MESSAGES_H_
#define ANTIPHON_SERVER_CALLS_MESSAGES_H_

#include <cstdint>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"

namespace antiphon::server {

// Empties `bytes`. InvalidArgument for "request" when they are no such message, ResourceExhausted
// when they are more than `max_bytes`.
[[nodiscard]] absl::Status ParseMessage(grpc::ByteBuffer& bytes, int64_t max_bytes,
                                        google::protobuf::Message* message);

// Internal when it is too large to be sent (2 GiB).
[[nodiscard]] absl::Status SerializeMessage(const google::protobuf::Message& message,
                                            grpc::ByteBuffer* bytes);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CALLS_MESSAGES_H_
