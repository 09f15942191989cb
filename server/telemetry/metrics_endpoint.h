// Answers GET and HEAD of /metrics and /healthz over HTTP/1.0, and nothing else: an address that
// can be left open while gRPC asks for keys.
//
// Why not prometheus-cpp's own exposer, or another library: its web server (CivetWeb) starts
// threads with stacks of 100 KiB, and LibTorch's libraries need more than that for thread-local
// storage alone, so that no thread starts; and those of others close a connection when nothing has
// come for a while, so that a byte now and then keeps it for ever. Here every connection ends in
// time, and the oldest gives way when there are too many: nobody can keep the others from being
// answered.
//
// Owns its thread and sockets.
#ifndef ANTIPHON_SERVER_TELEMETRY_METRICS_ENDPOINT_H_
#define ANTIPHON_SERVER_TELEMETRY_METRICS_ENDPOINT_H_

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "core/base/descriptor.h"
#include "core/base/steady_time.h"
#include "server/runtime/listening_sockets.h"

namespace antiphon::server {

struct MetricsEndpointOptions {
  // "host:port" ("[::1]:9464" for IPv6; port 0 takes a free one); empty or "0": no endpoint
  std::string listen = "127.0.0.1:9464";

  bool enabled() const { return !listen.empty() && listen != "0"; }
};

class MetricsEndpoint {
 public:
  struct Health {
    bool serving = false;
    std::string state;  // a word
  };

  // Listens until destroyed. `text` makes the answer to /metrics; /healthz is 200 where `health`
  // says serving and 503 otherwise, with its state. Both are called on the endpoint's thread, and
  // must not take long. Fails as Listen does.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Start(
      const MetricsEndpointOptions& options, std::function<std::string()> text,
      std::function<Health()> health);
  ~MetricsEndpoint();

  int port() const { return listening_.port; }

 private:
  struct Connection {
    Descriptor socket;
    SteadyTime ends;
    std::string request;
    std::string answer;  // once all of the request is there
    size_t sent = 0;
  };

  MetricsEndpoint(ListeningSockets listening, Descriptor wake_read, Descriptor wake_write,
                  std::function<std::string()> text, std::function<Health()> health);

  void Serve();
  void Accept(int listener);
  bool GoOn(Connection& connection) const;  // false: it is over
  std::string AnswerTo(const std::string& request) const;

  const ListeningSockets listening_;
  const Descriptor wake_read_;  // readable once the endpoint is to stop
  Descriptor wake_write_;       // closed to say so
  const std::function<std::string()> text_;
  const std::function<Health()> health_;
  std::list<Connection> connections_;  // of the thread; the oldest first
  std::thread thread_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_TELEMETRY_METRICS_ENDPOINT_H_
