// The messages of a streaming call, as its handler sees them: blocking, in order, without gRPC.
//
// A stream belongs to the thread that handles it.
#ifndef ANTIPHON_SERVER_CALLS_MESSAGE_STREAM_H_
#define ANTIPHON_SERVER_CALLS_MESSAGE_STREAM_H_

#include "absl/status/status.h"

namespace antiphon::server {

template <typename Request>
class MessageReader {
 public:
  virtual ~MessageReader() = default;

  // Waits for the caller's next message. False when there is none to come: status() is OK when the
  // caller has said so, and otherwise says why it is over: DeadlineExceeded (the caller's deadline,
  // or too long a silence), Cancelled.
  [[nodiscard]] virtual bool Read(Request* message) = 0;

  // Why the last Read or Write failed. A handler hands it back as the call's own.
  virtual absl::Status status() const = 0;
};

template <typename Request, typename Response>
class MessageStream : public MessageReader<Request> {
 public:
  // Waits until the message is on its way. False when nobody takes it any more; see status().
  [[nodiscard]] virtual bool Write(const Response& message) = 0;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CALLS_MESSAGE_STREAM_H_
