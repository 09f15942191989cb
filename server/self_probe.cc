#include "server/self_probe.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {

SelfProbe::SelfProbe(std::function<absl::Status()> probe, absl::Duration period, Metrics& metrics)
    : probe_(std::move(probe)), period_(period), metrics_(metrics) {
  Ask();
  thread_ = std::thread([this] { Run(); });
}

SelfProbe::~SelfProbe() {
  stopped_.Notify();
  thread_.join();
}

void SelfProbe::Ask() {
  const bool answered = metrics_.port_answers();
  const absl::Status status = probe_();
  metrics_.SetPortAnswers(status.ok());
  if (!status.ok()) {
    spdlog::error("the server's own port does not answer: {}", std::string(status.message()));
  } else if (!answered) {
    spdlog::debug("the server's own port answers");
  }
}

void SelfProbe::Run() {
  while (!stopped_.WaitUntil(After(period_))) Ask();
}

absl::Status AskHealth(const std::shared_ptr<grpc::Channel>& channel, absl::Duration timeout) {
  grpc::CompletionQueue queue;
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  const grpc::Slice nothing("", 0);  // names no service: the server as a whole
  const auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check",
                                          grpc::ByteBuffer(&nothing, 1), &queue);
  call->StartCall();
  grpc::ByteBuffer answer;
  grpc::Status status;
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  if (status.ok()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("health: ", status.error_message()));
}

}  // namespace antiphon::server
