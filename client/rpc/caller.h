// The way from a call to the server and back: stubs, metadata, timeouts, retries and failures.
// Internal to client/rpc.
//
// A Caller is immutable, and safe from any thread. A Watchdog is used by the threads of one call.
#ifndef ANTIPHON_CLIENT_RPC_CALLER_H_
#define ANTIPHON_CLIENT_RPC_CALLER_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <thread>
#include <tuple>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "antiphon/v1/admin.grpc.pb.h"
#include "antiphon/v1/catalog.grpc.pb.h"
#include "antiphon/v1/retrieval.grpc.pb.h"
#include "client/rpc/channel.h"
#include "client/rpc/connection_options.h"
#include "core/base/status_macros.h"
#include "core/base/steady_mutex.h"
#include "core/base/steady_time.h"

namespace antiphon::client {

enum class Repeatable { kNo, kYes };  // kYes: asking twice does no harm

class Caller {
 public:
  Caller(const ConnectionOptions& options, Channel channel)
      : options_(options),
        channel_(std::move(channel)),
        stubs_(v1::Retrieval::NewStub(channel_.channel), v1::Catalog::NewStub(channel_.channel),
               v1::Admin::NewStub(channel_.channel)) {}

  const ConnectionOptions& options() const { return options_; }

  // That of a service, such as v1::Catalog::Stub.
  template <typename Stub>
  Stub& stub() const {
    return *std::get<std::unique_ptr<Stub>>(stubs_);
  }

  // Adds the metadata of every call, but no deadline.
  void Prepare(grpc::ClientContext& context) const;

  // FromGrpc, with the id that the server gave the request.
  absl::Status FailureOf(const grpc::Status& status, const grpc::ClientContext& context) const;

  // Calls until it succeeds or fails for good. A server that names a time at which asking again
  // helps is asked again then, three times at most and within the timeout.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request, Repeatable repeatable) const {
    Response response;
    const auto once = [&](grpc::ClientContext& context) {
      return (stub<Stub>().*method)(&context, request, &response);
    };
    RETURN_IF_ERROR(Try(once, repeatable));
    return response;
  }

 private:
  absl::Status Try(const std::function<grpc::Status(grpc::ClientContext&)>& once,
                   Repeatable repeatable) const;

  const ConnectionOptions options_;
  const Channel channel_;
  const std::tuple<std::unique_ptr<v1::Retrieval::Stub>, std::unique_ptr<v1::Catalog::Stub>,
                   std::unique_ptr<v1::Admin::Stub>>
      stubs_;
};

// Cancels a streaming call when the server lets its caller wait too long.
class Watchdog {
 public:
  Watchdog(grpc::ClientContext& context, double timeout_s);
  ~Watchdog();

  void Wait();     // a wait for the server begins
  void Rest();     // it is over
  void Restart();  // the server has done something: a wait under way begins anew
  bool barked() const;

 private:
  void Watch();

  grpc::ClientContext& context_;
  const absl::Duration timeout_;
  mutable SteadyMutex mutex_;
  SteadyTime until_ ABSL_GUARDED_BY(mutex_) = kNever;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  bool barked_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses the members above
};

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_RPC_CALLER_H_
