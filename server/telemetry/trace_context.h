// The trace that a call belongs to, as its caller names it in the header `traceparent` (W3C Trace
// Context, Recommendation of 2021). Plain values; safe from any thread.
#ifndef ANTIPHON_SERVER_TELEMETRY_TRACE_CONTEXT_H_
#define ANTIPHON_SERVER_TELEMETRY_TRACE_CONTEXT_H_

#include <string>
#include <string_view>

namespace antiphon::server {

struct TraceContext {
  std::string trace_id;  // 16 bytes; empty: the caller has named no trace
  std::string span_id;   // 8 bytes, of the caller's span
  bool sampled = false;  // the caller keeps this trace
};

// Empty when the header is missing, malformed, or names nothing ("000…").
TraceContext ParseTraceparent(std::string_view header);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_TELEMETRY_TRACE_CONTEXT_H_
