// A watch is in watches_ from when its request is there until it ends. The lock of the service
// comes before that of a watch, and gRPC's threads take the one or the other.
#include "server/services/service_health.h"

#include <optional>
#include <utility>

#include "server/calls/handover.h"
#include "server/calls/messages.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

constexpr int64_t kMaxRequestBytes = 4096;
constexpr size_t kMaxWatches = 1000;

// Of HealthCheckResponse.ServingStatus.
constexpr int kServing = 1;
constexpr int kNotServing = 2;
constexpr int kServiceUnknown = 3;  // told to those who watch only

}  // namespace

// Lives until gRPC is done with the call.
class HealthService::Watch final : public grpc::ServerGenericBidiReactor {
 public:
  Watch(HealthService& service, grpc::CallbackServerContext* context)
      : service_(service), call_("Health.Watch", OriginOf(*context), service.gate_.metrics()) {}

  void Begin() {
    const auto admission = service_.gate_.Admit(call_, CallPolicy::kOpen);
    if (!admission.ok()) return End(admission.status());
    auto receipt =
        service_.runner_.monitor().Begin(call_.origin().peer, call_.caller(), kMaxRequestBytes,
                                         [this](const absl::Status& why) { End(why); });
    if (!receipt.ok()) return End(receipt.status());
    receipt_ = *std::move(receipt);
    read_.Give();
    StartRead(&incoming_);
  }

  void OnReadDone(bool ok) override {
    read_.Take();
    if (!receipt_->End(static_cast<int64_t>(incoming_.Length()))) return;
    if (!ok) return End(FieldError(absl::StatusCode::kInvalidArgument, "request", "is missing"));
    Request request;
    if (absl::Status status = ParseMessage(incoming_, kMaxRequestBytes, &request); !status.ok())
      return End(status);
    name_ = request.value();
    absl::Status refused;
    {
      absl::MutexLock lock(&service_.mutex_);
      if (service_.stopped_) {
        refused = absl::UnavailableError("the server is shutting down");
      } else if (service_.watches_.size() >= kMaxWatches) {
        refused = absl::ResourceExhaustedError("too many watch the health already");
      } else {
        service_.watches_.insert(this);
        Tell(service_.serving_);
      }
    }
    if (!refused.ok()) End(refused);
  }

  // With the service's lock held, so that nothing older is told after it.
  void Tell(bool serving) {
    absl::MutexLock lock(&mutex_);
    const bool known = service_.services_.contains(name_);
    wanted_ = !known ? kServiceUnknown : serving ? kServing : kNotServing;
    Write();
  }

  void OnWriteDone(bool ok) override {
    std::optional<grpc::Status> end;
    bool last = false;
    {
      absl::MutexLock lock(&mutex_);
      writing_ = false;
      end.swap(end_);
      if (end.has_value()) {
        last = ok && IsNews();
      } else if (ok) {
        Write();
      }
    }
    if (end.has_value()) FinishWith(*end, last);
  }

  void OnCancel() override {
    {
      absl::MutexLock lock(&service_.mutex_);
      if (service_.watches_.erase(this) == 0) return;  // it has ended, or never began
    }
    End(absl::CancelledError("the caller has gone"));
  }
  void OnDone() override {
    finish_.Take();
    delete this;
  }

  // Once, and Tell not after it. What there is to tell still comes before the end.
  void End(const absl::Status& why) {
    grpc::Status status = service_.gate_.Close(call_, why, {});
    bool last = false;
    {
      absl::MutexLock lock(&mutex_);
      if (writing_) {
        end_ = std::move(status);  // OnWriteDone goes on
        return;
      }
      last = IsNews();
    }
    FinishWith(status, last);
  }

 private:
  void Write() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_ || !IsNews()) return;
    writing_ = true;
    StartWrite(&outgoing_);
  }

  // Whether there is something to tell; it is in outgoing_ then.
  bool IsNews() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (told_ == wanted_) return false;
    Response response;
    response.set_value(wanted_);
    if (!SerializeMessage(response, &outgoing_).ok()) return false;
    told_ = wanted_;
    return true;
  }

  // gRPC may delete this object before it returns. Nobody writes any more: without a lock.
  void FinishWith(const grpc::Status& status, bool last) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    finish_.Give();
    if (last) {
      StartWriteAndFinish(&outgoing_, grpc::WriteOptions(), status);
    } else {
      Finish(status);
    }
  }

  HealthService& service_;
  Call call_;
  Handover read_, finish_;
  std::shared_ptr<ReceiveMonitor::Receipt> receipt_;
  grpc::ByteBuffer incoming_;
  std::string name_;
  absl::Mutex mutex_;
  int wanted_ ABSL_GUARDED_BY(mutex_) = 0;
  int told_ ABSL_GUARDED_BY(mutex_) = 0;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);  // waits for the write under way
  grpc::ByteBuffer outgoing_ ABSL_GUARDED_BY(mutex_);
};

HealthService::HealthService(CallRunner& runner, CallGate& gate, std::set<std::string> services)
    : runner_(runner), gate_(gate), services_([&] {
        services.insert("");  // the server as a whole
        return std::move(services);
      }()) {}

std::vector<Method> HealthService::Methods() {
  Method check = runner_.Unary<Request, Response>(
      "Health.Check", CallPolicy::kOpen,
      [this](Call& call, const Request& request, Response* response) {
        return Check(call, request, response);
      },
      kMaxRequestBytes);
  return {std::move(check), {"Health.Watch", [this](grpc::CallbackServerContext* context) {
                               auto* watch = new Watch(*this, context);
                               watch->Begin();
                               return watch;
                             }}};
}

absl::Status HealthService::Check(Call& /*call*/, const Request& request,
                                  Response* response) const {
  if (!services_.contains(request.value()))
    return FieldError(absl::StatusCode::kNotFound, "service", "there is none of that name");
  absl::MutexLock lock(&mutex_);
  response->set_value(serving_ ? kServing : kNotServing);
  return absl::OkStatus();
}

void HealthService::SetServing(bool serving) {
  absl::MutexLock lock(&mutex_);
  serving_ = serving;
  for (Watch* watch : watches_) watch->Tell(serving);
}

void HealthService::Stop() {
  std::set<Watch*> watches;
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    watches.swap(watches_);  // who takes a watch out ends it
  }
  for (Watch* watch : watches) watch->End(absl::UnavailableError("the server is shutting down"));
}

}  // namespace antiphon::server
