// The methods of antiphon.v1.Retrieval that bring a sound and a score together: Align, AlignLong,
// Follow and Transcribe. Safe from any thread.
#ifndef ANTIPHON_SERVER_PERFORMANCES_PERFORMANCE_SERVICE_H_
#define ANTIPHON_SERVER_PERFORMANCES_PERFORMANCE_SERVICE_H_

#include <vector>

#include "server/calls/call_runner.h"
#include "server/calls/stream_runner.h"
#include "server/services/service_streams.h"

namespace antiphon::server {

class PerformanceService {
 public:
  // All but `limits` are borrowed, and outlive every call.
  PerformanceService(CallRunner& runner, StreamRunner& streams, const Store& store,
                     Metrics& metrics, const Limits& limits);

  // This object outlives every call.
  std::vector<Method> Methods();

 private:
  CallRunner& runner_;
  StreamRunner& streams_;
  const Limits limits_;
  const StreamContext context_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_PERFORMANCES_PERFORMANCE_SERVICE_H_
