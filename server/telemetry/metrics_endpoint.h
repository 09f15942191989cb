// Answers GET /metrics and GET /healthz over HTTP/1.0, and nothing else: an address that can be
// left open while gRPC asks for keys.
//
// Why not prometheus-cpp's own exposer: its web server (CivetWeb) starts threads with stacks of 100
// KiB, and LibTorch's libraries need more than that for thread-local storage alone, so that no
// thread starts. One connection is served at a time, with limits on its size and time. Owns its
// thread and socket.
#ifndef ANTIPHON_SERVER_TELEMETRY_METRICS_ENDPOINT_H_
#define ANTIPHON_SERVER_TELEMETRY_METRICS_ENDPOINT_H_

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "server/runtime/lifecycle.h"

namespace antiphon::server {

struct MetricsEndpointOptions {
  // "host:port" ("[::1]:9464" for IPv6; port 0 takes a free one); empty or "0": no endpoint
  std::string listen = "127.0.0.1:9464";

  bool enabled() const { return !listen.empty() && listen != "0"; }
};

class MetricsEndpoint {
 public:
  // Listens until destroyed. `text` makes the answer to /metrics; /healthz is 200 where `state` is
  // kServing and 503 otherwise, with its name. Both are called on the endpoint's thread.
  // InvalidArgument on an address that is none, Unavailable when it cannot be bound.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Start(
      const MetricsEndpointOptions& options, std::function<std::string()> text,
      std::function<ServerState()> state);
  ~MetricsEndpoint();

  int port() const { return port_; }

 private:
  MetricsEndpoint(int listener, int wake_read, int wake_write, int port,
                  std::function<std::string()> text, std::function<ServerState()> state);

  void Serve();
  void Answer(int connection) const;

  const int listener_;
  const int wake_read_;   // readable once the endpoint is to stop
  const int wake_write_;  // closed to say so
  const int port_;
  const std::function<std::string()> text_;
  const std::function<ServerState()> state_;
  std::thread thread_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_TELEMETRY_METRICS_ENDPOINT_H_
