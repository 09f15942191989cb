// Runs unary calls: let in or refused by their headers (call_gate.h), received within bounds
// (receive_monitor.h), queued, dropped when the caller has gone, answered. The services only say
// what a call is about.
//
// Safe from any thread.
#ifndef ANTIPHON_SERVER_CALLS_CALL_RUNNER_H_
#define ANTIPHON_SERVER_CALLS_CALL_RUNNER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "server/calls/call.h"
#include "server/calls/call_gate.h"
#include "server/calls/dispatcher.h"
#include "server/calls/receive_monitor.h"
#include "server/calls/work_queue.h"

namespace antiphon::server {

class CallRunner {
 public:
  // All are borrowed, and outlive every call. `queue` is stopped before this object goes.
  CallRunner(CallGate& gate, WorkQueue& queue, ReceiveMonitor& monitor, int64_t max_request_bytes);

  ReceiveMonitor& monitor() { return monitor_; }

  // A method that answers `response` when `handler` returns OK, its status otherwise. `policy` is
  // any but kOwnThread; `name` is a literal such as "Retrieval.Identify". `max_bytes` of the
  // request, where they are fewer than usual.
  template <typename Request, typename Response>
  Method Unary(const char* name, CallPolicy policy,
               std::function<absl::Status(Call&, const Request&, Response*)> handler,
               int64_t max_bytes = 0) {
    return MakeMethod(name, policy, max_bytes, [handler = std::move(handler)] {
      return std::make_unique<TypedExchange<Request, Response>>(handler);
    });
  }

  // The same with a member of a service, which outlives every call.
  template <typename Service, typename Request, typename Response>
  Method Unary(const char* name, CallPolicy policy, const Service* service,
               absl::Status (Service::*handler)(Call&, const Request&, Response*) const) {
    return Unary<Request, Response>(name, policy,
                                    [=](Call& call, const Request& request, Response* response) {
                                      return (service->*handler)(call, request, response);
                                    });
  }
  template <typename Service, typename Request, typename Response>
  Method Unary(const char* name, CallPolicy policy, Service* service,
               absl::Status (Service::*handler)(Call&, const Request&, Response*)) {
    return Unary<Request, Response>(name, policy,
                                    [=](Call& call, const Request& request, Response* response) {
                                      return (service->*handler)(call, request, response);
                                    });
  }

 private:
  // A request, its response, and what makes the one of the other.
  class Exchange {
   public:
    virtual ~Exchange() = default;
    virtual google::protobuf::Message& request() = 0;
    virtual google::protobuf::Message& response() = 0;
    virtual absl::Status Handle(Call& call) = 0;
  };
  template <typename Request, typename Response>
  class TypedExchange final : public Exchange {
   public:
    using Handler = std::function<absl::Status(Call&, const Request&, Response*)>;
    explicit TypedExchange(const Handler& handler) : handler_(handler) {}
    Request& request() override { return request_; }
    Response& response() override { return response_; }
    absl::Status Handle(Call& call) override { return handler_(call, request_, &response_); }

   private:
    const Handler& handler_;  // the method's
    Request request_;
    Response response_;
  };
  class Reactor;

  Method MakeMethod(const char* name, CallPolicy policy, int64_t max_bytes,
                    std::function<std::unique_ptr<Exchange>()> make_exchange);

  CallGate& gate_;
  WorkQueue& queue_;
  ReceiveMonitor& monitor_;
  const int64_t max_request_bytes_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CALLS_CALL_RUNNER_H_
