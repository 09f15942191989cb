// What the server tells Prometheus about itself (served by metrics_endpoint.h). docs/operations.md lists every metric
// with its meaning.
//
// Safe from any thread. Label values come from closed sets (methods, codes, stages), so that no client can make more
// series.
#ifndef ANTIPHON_SERVER_METRICS_H_
#define ANTIPHON_SERVER_METRICS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "antiphon/v1/types.pb.h"
#include "core/bundle/manifest.h"
#include "grpcpp/support/status.h"
#include "server/lifecycle.h"

namespace antiphon::server {

class Metrics {
 public:
  Metrics();
  ~Metrics();

  // One call, refused ones included; `seconds` from arrival to answer.
  void RecordCall(absl::string_view method, grpc::StatusCode code, double seconds);

  // One stage of one call, on failure too.
  void RecordStage(v1::Stage stage, double seconds);

  // One run of an encoder; `modality` is "audio" or "score".
  void RecordBatch(absl::string_view modality, int windows);

  // One answer of Identify: "match", "no_match" or "insufficient_input".
  void RecordVerdict(absl::string_view verdict);

  // What is loaded; replaces what was said before.
  void SetCollection(const bundle::Manifest& manifest, const std::string& device);

  void SetState(ServerState state);

  // Read when /metrics is. Must be safe from any thread and outlive this object; empty ends it.
  void SetQueueDepthSource(std::function<int()> depth);
  void SetInFlightSource(std::function<int()> in_flight);

  // The text that /metrics gives.
  std::string Text() const;

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_METRICS_H_
