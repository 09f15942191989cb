#include "server/call_runner.h"

#include <algorithm>
#include <exception>
#include <new>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/message.h"
#include "server/status_map.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

v1::Stage WireStage(retrieval::Stage stage) {
  switch (stage) {
    case retrieval::Stage::kFeatures:
      return v1::STAGE_FEATURES;
    case retrieval::Stage::kEncode:
      return v1::STAGE_ENCODE;
    case retrieval::Stage::kSearch:
      return v1::STAGE_SEARCH;
    case retrieval::Stage::kVote:
      return v1::STAGE_VOTE;
  }
  return v1::STAGE_UNSPECIFIED;
}

absl::Status RunGuarded(const CallRunner::Handler& handler, Call& call) {
  try {
    return handler(call);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("not enough memory for this request");
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("exception: ", error.what()));
  } catch (...) {
    return absl::InternalError("unknown exception");
  }
}

}  // namespace

Call::Call(absl::Time arrived, absl::Time deadline, Metrics& metrics)
    : arrived_(arrived), deadline_(deadline), metrics_(metrics), part_began_(arrived) {}

absl::Status Call::KeepGoing() const {
  if (absl::Now() >= deadline_) return absl::DeadlineExceededError("the caller's deadline has passed");
  if (cancelled_.load(std::memory_order_relaxed)) return absl::CancelledError("the caller has gone");
  return absl::OkStatus();
}

retrieval::RequestContext Call::context() {
  retrieval::RequestContext context;
  context.keep_going = [this] { return KeepGoing(); };
  context.on_stage = [this](retrieval::Stage stage, double seconds) { RecordStage(WireStage(stage), seconds); };
  return context;
}

void Call::RecordStage(v1::Stage stage, double seconds) {
  metrics_.RecordStage(stage, seconds);
  const auto found = std::find_if(stages_.begin(), stages_.end(), [&](const auto& s) { return s.first == stage; });
  if (found != stages_.end()) {
    found->second += seconds;
  } else {
    stages_.emplace_back(stage, seconds);
  }
}

void Call::BeginPart() {
  part_began_ = absl::Now();
  stages_.clear();
}

void Call::FillInfo(double query_s, v1::ResponseInfo* info) const {
  info->set_generation(engine_->manifest().generation);
  info->set_model_id(engine_->manifest().model_id);
  info->set_query_seconds(query_s);
  info->set_total_seconds(absl::ToDoubleSeconds(absl::Now() - part_began_));
  for (const auto& [stage, seconds] : stages_) {
    v1::StageTiming* timing = info->add_stages();
    timing->set_stage(stage);
    timing->set_seconds(seconds);
  }
}

// Lives from the call's arrival until gRPC is done with it.
class CallRunner::Reactor : public grpc::ServerUnaryReactor {
 public:
  Reactor(const char* method, absl::Time deadline, Metrics& metrics, const google::protobuf::Message& request,
          google::protobuf::Message* response)
      : method(method),
        arrived(absl::Now()),
        call(arrived, deadline, metrics),
        request_bytes(static_cast<int64_t>(request.ByteSizeLong())),
        response(response) {}

  void OnCancel() override { call.cancelled_.store(true, std::memory_order_relaxed); }
  void OnDone() override { delete this; }

  const char* const method;  // a literal
  const absl::Time arrived;
  Call call;
  const int64_t request_bytes;
  google::protobuf::Message* const response;
  bool entered = false;  // counted by the lifecycle
};

CallRunner::CallRunner(Store& store, WorkQueue& queue, Lifecycle& lifecycle, Metrics& metrics)
    : store_(store), queue_(queue), lifecycle_(lifecycle), metrics_(metrics) {}

grpc::ServerUnaryReactor* CallRunner::Run(const char* method, Placement placement, grpc::CallbackServerContext* context,
                                          const google::protobuf::Message& request, google::protobuf::Message* response,
                                          Handler handler) {
  auto* reactor = new Reactor(method, absl::FromChrono(context->deadline()), metrics_, request, response);
  if (placement == Placement::kInline) {
    Execute(reactor, handler);
    return reactor;
  }
  absl::Status status = lifecycle_.Enter();
  if (status.ok()) {
    reactor->entered = true;
    status = queue_.Push(
        [this, reactor, handler = std::move(handler)] {
          reactor->call.RecordStage(v1::STAGE_QUEUE, absl::ToDoubleSeconds(absl::Now() - reactor->arrived));
          Execute(reactor, handler);
        },
        reactor->request_bytes);
  }
  if (!status.ok()) Complete(reactor, status);
  return reactor;
}

void CallRunner::Execute(Reactor* reactor, const Handler& handler) {
  absl::Status status = reactor->call.KeepGoing();
  if (status.ok()) {
    reactor->call.engine_ = store_.Current();
    status = RunGuarded(handler, reactor->call);
  }
  Complete(reactor, status);
}

void CallRunner::Complete(Reactor* reactor, const absl::Status& status) {
  const double seconds = absl::ToDoubleSeconds(absl::Now() - reactor->arrived);
  const grpc::Status answer = ToGrpc(status);
  metrics_.RecordCall(reactor->method, answer.error_code(), seconds);
  const int64_t response_bytes = status.ok() ? static_cast<int64_t>(reactor->response->ByteSizeLong()) : 0;
  const bool server_failed =
      answer.error_code() == grpc::StatusCode::INTERNAL || answer.error_code() == grpc::StatusCode::DATA_LOSS ||
      answer.error_code() == grpc::StatusCode::UNKNOWN || answer.error_code() == grpc::StatusCode::FAILED_PRECONDITION;
  spdlog::log(server_failed ? spdlog::level::err : spdlog::level::info,
              "method={} code={} ms={:.1f} request_bytes={} response_bytes={}{}{}", reactor->method,
              CodeName(answer.error_code()), seconds * 1000, reactor->request_bytes, response_bytes,
              status.ok() ? "" : " message=", std::string(status.message()));
  const bool entered = reactor->entered;
  reactor->Finish(answer);  // gRPC may delete the reactor from here on
  if (entered) lifecycle_.Leave();
}

}  // namespace antiphon::server
