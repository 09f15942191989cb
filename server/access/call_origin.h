// What a call brings with it besides its message: how long its caller waits, the key he shows, the
// id he gives it. Nothing of it has been checked but for the id's form. Plain values; functions are
// safe from any thread.
#ifndef ANTIPHON_SERVER_ACCESS_CALL_ORIGIN_H_
#define ANTIPHON_SERVER_ACCESS_CALL_ORIGIN_H_

#include <string>
#include <string_view>

#include "core/base/steady_time.h"
#include "grpcpp/server_context.h"
#include "server/telemetry/trace_context.h"

namespace antiphon::server {

struct CallOrigin {
  SteadyTime deadline = kNever;
  std::string request_id;   // the caller's, or one made up; see RequestIdFor
  std::string api_key;      // empty when none was shown
  std::string certificate;  // whom the client's certificate names; empty without one
  std::string peer;         // as gRPC writes it: "ipv4:127.0.0.1:50123"
  TraceContext trace;       // that the caller says it belongs to
};

// Also hands the request id back, in the initial metadata: to be asked once, before anything is
// sent.
CallOrigin OriginOf(grpc::CallbackServerContext& context);

// The id that a caller gave, if it is 1 to 128 characters of printable ASCII; otherwise 16
// hexadecimal digits, others every time.
std::string RequestIdFor(std::string_view given);

// The key of an "authorization" header: what follows "Bearer ", upper and lower case alike. Empty
// when there is none.
std::string_view BearerKey(std::string_view authorization);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_ACCESS_CALL_ORIGIN_H_
