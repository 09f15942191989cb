// Sends traces of calls to a collector of OpenTelemetry (OTLP over gRPC, opentelemetry/): a span
// for each call and, below it, one for each stage.
//
// Safe from any thread. A call never waits for the collector: what doesn't fit into the queue, or
// isn't taken in time, is dropped, and the log says so, once a minute at most.
#ifndef ANTIPHON_SERVER_TELEMETRY_TRACER_H_
#define ANTIPHON_SERVER_TELEMETRY_TRACER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/base/check_range.h"
#include "grpcpp/support/status.h"
#include "server/telemetry/trace_context.h"

namespace antiphon::server {

struct TracingOptions {
  std::string endpoint;  // of a collector, as in listen_address.h; empty: nothing is traced
  static constexpr Range<double> kShareRange = {0, 1};
  double share = 0.01;  // of the calls whose callers name no trace

  bool enabled() const { return !endpoint.empty(); }
};

// A call that has ended.
struct CallTrace {
  TraceContext parent;
  std::string method;  // "Retrieval.Identify"
  absl::Time began, ended;
  grpc::StatusCode code = grpc::StatusCode::OK;
  std::string message;  // why it failed
  std::string request_id;
  int64_t request_bytes = 0, response_bytes = 0;

  struct Stage {
    std::string name;  // "decode"
    absl::Time began, ended;
  };
  std::vector<Stage> stages;
};

class Tracer {
 public:
  static constexpr size_t kMostWaiting = 1024;  // calls

  // Connects when there is something to send. Requires options.enabled().
  explicit Tracer(const TracingOptions& options);
  // Sends what waits, for two seconds at most.
  ~Tracer();

  // Whether a call is to be recorded: as its caller says, or by lot where he says nothing.
  bool Wants(const TraceContext& parent) const;

  void Record(CallTrace trace);

 private:
  class Exporter;

  void Run();
  void NoteLost(size_t calls, const std::string& why) ABSL_LOCKS_EXCLUDED(mutex_);

  const double share_;
  const std::unique_ptr<Exporter> exporter_;
  absl::Mutex mutex_;
  std::vector<CallTrace> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  size_t lost_ ABSL_GUARDED_BY(mutex_) = 0;  // since the log said so
  absl::Time logged_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_TELEMETRY_TRACER_H_
