// One call, as its handler sees it: who waits for it and how long, which collection answers, and
// how long each stage took.
//
// A Call belongs to the thread that works on it; Abandon and KeepGoing may be called from any.
#ifndef ANTIPHON_SERVER_CALLS_CALL_H_
#define ANTIPHON_SERVER_CALLS_CALL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "antiphon/v1/types.pb.h"
#include "core/base/status_macros.h"
#include "core/base/steady_time.h"
#include "core/retrieval/collection.h"
#include "server/access/call_origin.h"
#include "server/access/caller.h"
#include "server/telemetry/metrics.h"

namespace antiphon::server {

class Call {
 public:
  // `method` is a literal such as "Retrieval.Identify". `metrics` is borrowed.
  Call(const char* method, CallOrigin origin, Metrics& metrics);

  const char* method() const { return method_; }
  SteadyTime arrived() const { return arrived_; }
  SteadyTime deadline() const { return origin_.deadline; }
  const CallOrigin& origin() const { return origin_; }

  // Who it is from, as far as the gate has found out.
  const Caller& caller() const { return caller_; }
  void set_caller(Caller caller) { caller_ = std::move(caller); }

  // The collection that this call started on, and keeps. Pinned before the handler runs.
  const retrieval::Collection& collection() const { return *collection_; }
  void Pin(std::shared_ptr<const retrieval::Collection> collection) {
    collection_ = std::move(collection);
  }

  // Why nobody waits for the answer any more: DeadlineExceeded, or what the call was abandoned
  // with. Asked before every expensive stage.
  absl::Status KeepGoing() const;

  // From now on KeepGoing gives `why`; the first one counts. `why` must not be OK.
  void Abandon(absl::Status why);

  // Is called after every Abandon. Set before anybody else knows of the call.
  void set_on_abandon(std::function<void()> on_abandon) { on_abandon_ = std::move(on_abandon); }

  // For the collection: its stages are timed, and asked KeepGoing before, too.
  matching::RequestContext context();

  // Runs `work` as a stage: not at all when nobody waits, timed however it ends. `work` returns a
  // Status or a StatusOr.
  template <typename Work>
  auto InStage(v1::Stage stage, Work&& work) -> decltype(work()) {
    RETURN_IF_ERROR(KeepGoing());
    const SteadyTime start = SteadyNow();
    auto result = std::forward<Work>(work)();
    RecordStage(stage, SecondsSince(start));
    return result;
  }

  void RecordStage(v1::Stage stage, double seconds);

  // In the order they first ran, each with the sum of its seconds.
  using StageSeconds = std::vector<std::pair<v1::Stage, double>>;
  const StageSeconds& stages() const { return stages_; }

  // A stage as it was reported, of a call that is traced: the first kMostRuns of them.
  struct StageRun {
    v1::Stage stage;
    double seconds;
    SteadyTime reported;
  };
  static constexpr size_t kMostRuns = 128;
  const std::vector<StageRun>& runs() const { return runs_; }
  void set_traced(bool traced) { is_traced_ = traced; }
  bool is_traced() const { return is_traced_; }

  // Something about the request that the caller should know though it succeeds: a field of it, or
  // "", and a sentence.
  void AddWarning(absl::string_view field, absl::string_view message);
  void FillWarnings(google::protobuf::RepeatedPtrField<v1::Warning>* warnings) const;

  // From here on FillInfo tells of what follows only: for calls that answer several queries, one
  // after the other.
  void BeginPart();

  // Generation, model, timings and warnings, into a response.
  void FillInfo(double query_s, v1::ResponseInfo* info) const;

 private:
  const char* const method_;
  const SteadyTime arrived_ = SteadyNow();
  const CallOrigin origin_;
  Metrics& metrics_;
  Caller caller_;
  std::function<void()> on_abandon_;
  std::shared_ptr<const retrieval::Collection> collection_;
  StageSeconds stages_;
  bool is_traced_ = false;
  std::vector<StageRun> runs_;
  SteadyTime part_began_ = arrived_;
  StageSeconds part_stages_;
  std::vector<v1::Warning> part_warnings_;

  std::atomic<bool> abandoned_ = false;  // spares the mutex while all is well
  mutable absl::Mutex mutex_;
  absl::Status why_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CALLS_CALL_H_
