// The gRPC server: services, health and, where it is wanted, reflection on one address, from the
// first call to the last.
//
// Start it, let it serve, Drain it once. Start and Drain belong to one thread; calls come on gRPC's
// and the queue's.
#ifndef ANTIPHON_SERVER_SERVER_H_
#define ANTIPHON_SERVER_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/config.h"
#include "server/runtime/lifecycle.h"
#include "server/serving/store.h"
#include "server/telemetry/metrics.h"

namespace grpc {
class Channel;
}

namespace antiphon::server {

class Server {
 public:
  // Listens and serves; health says SERVING. `store` and `metrics` are borrowed. Unavailable,
  // naming the address, when it cannot be bound; as TlsIdentity::Open and Authenticator::Open,
  // naming the option.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Server>> Start(const Config& config,
                                                                     Store& store,
                                                                     Metrics& metrics);
  ~Server();  // drains with no grace when that has not been done

  // Health says NOT_SERVING from now on. New calls are still answered for `delay`, and then get
  // Unavailable; calls under way may finish for `grace` from then on, and are abandoned then: they
  // stop before their next stage, with Unavailable. Returns when none is left. True when none had
  // to be abandoned.
  bool Drain(absl::Duration grace, absl::Duration delay = absl::ZeroDuration());

  // Takes over from disk what can be taken over, soon and on another thread; see hot_reload.h.
  void ReloadAll(const std::string& why);

  int port() const;  // that was bound; 0 for a Unix socket
  ServerState state() const;
  bool Answers(const std::string& path) const;  // such as "/antiphon.v1.Admin/Status"

  // A way in without a network, for tests.
  std::shared_ptr<grpc::Channel> InProcessChannel();

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVER_H_
