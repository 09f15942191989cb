// Asks the server whether it answers, again and again, and says so to metrics and /healthz: a
// server that believes to be serving may have a port that takes nothing.
//
// Owns its thread.
#ifndef ANTIPHON_SERVER_SELF_PROBE_H_
#define ANTIPHON_SERVER_SELF_PROBE_H_

#include <functional>
#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/steady_mutex.h"
#include "grpcpp/channel.h"
#include "server/telemetry/metrics.h"

namespace antiphon::server {

class SelfProbe {
 public:
  // Asks once before it returns, and then every `period`. `probe` is called on its thread, and must
  // end by itself. `metrics` is borrowed, and outlives this object.
  SelfProbe(std::function<absl::Status()> probe, absl::Duration period, Metrics& metrics);
  ~SelfProbe();  // waits for a probe under way

 private:
  void Ask();
  void Run();

  const std::function<absl::Status()> probe_;
  const absl::Duration period_;
  Metrics& metrics_;
  SteadyNotification stopped_;
  std::thread thread_;
};

// Health/Check on the channel. OK when it is answered, whatever it says; Unavailable when it isn't
// in time.
[[nodiscard]] absl::Status AskHealth(const std::shared_ptr<grpc::Channel>& channel,
                                     absl::Duration timeout);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SELF_PROBE_H_
