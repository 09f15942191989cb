// What every call goes through: let in or refused, queued, timed, dropped when its caller has gone, counted, logged and
// answered. The services only say what a call is about.
//
// A CallRunner is safe from any thread; a Call belongs to the thread that works on it.
#ifndef ANTIPHON_SERVER_CALL_RUNNER_H_
#define ANTIPHON_SERVER_CALL_RUNNER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "antiphon/v1/types.pb.h"
#include "core/retrieval/collection.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "server/lifecycle.h"
#include "server/metrics.h"
#include "server/store.h"
#include "server/work_queue.h"

namespace antiphon::server {

// One call, as its handler sees it.
class Call {
 public:
  Call(absl::Time arrived, absl::Time deadline, Metrics& metrics);

  const Engine& engine() const { return *engine_; }

  // DeadlineExceeded or Cancelled when nobody waits for the answer any more. Asked before every expensive stage.
  absl::Status KeepGoing() const;

  // For the collection: its stages are timed, and asked KeepGoing before, too.
  retrieval::RequestContext context();

  // Runs `work` as a stage: not at all when nobody waits, timed however it ends. `work` returns a Status or a StatusOr.
  template <typename Work>
  auto InStage(v1::Stage stage, Work&& work) -> decltype(work()) {
    if (absl::Status status = KeepGoing(); !status.ok()) return status;
    const absl::Time start = absl::Now();
    auto result = std::forward<Work>(work)();
    RecordStage(stage, absl::ToDoubleSeconds(absl::Now() - start));
    return result;
  }

  // From here on FillInfo tells of what follows only: for calls that answer several queries, one after the other.
  void BeginPart();

  // Generation, model and timings, into a response.
  void FillInfo(double query_s, v1::ResponseInfo* info) const;

 private:
  friend class CallRunner;

  void RecordStage(v1::Stage stage, double seconds);

  const absl::Time arrived_;
  const absl::Time deadline_;
  Metrics& metrics_;
  std::shared_ptr<const Engine> engine_;  // pinned when work starts
  std::atomic<bool> cancelled_ = false;   // set by gRPC's thread
  absl::Time part_began_;
  std::vector<std::pair<v1::Stage, double>> stages_;  // of the part
};

enum class Placement {
  kQueued,  // on a worker, while the server serves
  kInline,  // on gRPC's thread and in any state: for what takes no time and must answer when all else is busy
};

class CallRunner {
 public:
  // All are borrowed, and outlive every call. `queue` is stopped before this object goes.
  CallRunner(Store& store, WorkQueue& queue, Lifecycle& lifecycle, Metrics& metrics);

  using Handler = std::function<absl::Status(Call&)>;

  // Answers `response` when `handler` returns OK, its status otherwise. What it throws becomes Internal, or
  // ResourceExhausted for memory. `request` and `response` are gRPC's, and live until the call is answered.
  grpc::ServerUnaryReactor* Run(const char* method, Placement placement, grpc::CallbackServerContext* context,
                                const google::protobuf::Message& request, google::protobuf::Message* response,
                                Handler handler);

 private:
  class Reactor;

  void Execute(Reactor* reactor, const Handler& handler);
  void Complete(Reactor* reactor, const absl::Status& status);

  Store& store_;
  WorkQueue& queue_;
  Lifecycle& lifecycle_;
  Metrics& metrics_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CALL_RUNNER_H_
