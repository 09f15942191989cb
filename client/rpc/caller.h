// What calls have in common: metadata, timeouts, what becomes of failures, asking again. Internal
// to connection*.cc. Used by one thread, but for Prepare, FailureOf and Watchdog.
#ifndef ANTIPHON_CLIENT_RPC_CALLER_H_
#define ANTIPHON_CLIENT_RPC_CALLER_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/rpc/channel.h"
#include "client/rpc/connection_options.h"
#include "core/base/status_macros.h"

namespace antiphon::client {

enum class Repeatable { kNo, kYes };  // kYes: asking twice does no harm

class Caller {
 public:
  Caller(const ConnectionOptions& options, Channel channel)
      : options_(options), channel_(std::move(channel)) {}

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_.channel; }
  const ConnectionOptions& options() const { return options_; }

  // Metadata; the timeout is the caller's matter.
  void Prepare(grpc::ClientContext& context) const;

  // With the request's id, as the server calls it.
  absl::Status FailureOf(const grpc::Status& status, const grpc::ClientContext& context) const;

  // Calls until it succeeds or fails for good. A server that names a time at which asking again
  // helps is asked again then, three times at most and within the timeout.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(Stub& stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request, Repeatable repeatable) const {
    Response response;
    const auto once = [&](grpc::ClientContext& context) {
      return (stub.*method)(&context, request, &response);
    };
    RETURN_IF_ERROR(Try(once, repeatable));
    return response;
  }

 private:
  absl::Status Try(const std::function<grpc::Status(grpc::ClientContext&)>& once,
                   Repeatable repeatable) const;

  const ConnectionOptions options_;
  const Channel channel_;
};

// Cancels a streaming call when the server lets its caller wait too long.
class Watchdog {
 public:
  Watchdog(grpc::ClientContext& context, double timeout_s);
  ~Watchdog();

  void Wait();        // a wait for the server begins
  void Rest();        // it is over
  void PlayedSpan();  // the server has done something: a wait under way begins anew
  bool barked() const;

 private:
  void Watch();

  grpc::ClientContext& context_;
  const absl::Duration timeout_;
  mutable absl::Mutex mutex_;
  absl::Time until_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  bool barked_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses the members above
};

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_RPC_CALLER_H_
