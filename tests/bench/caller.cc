#include "tests/bench/caller.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "antiphon/v1/admin.grpc.pb.h"
#include "client/rpc/channel.h"
#include "client/rpc/rpc_status.h"
#include "core/base/status_macros.h"

namespace antiphon::bench {
namespace {

constexpr char kIdentify[] = "/antiphon.v1.Retrieval/Identify";

std::chrono::system_clock::time_point Deadline(double timeout_s) {
  return std::chrono::system_clock::now() +
         std::chrono::microseconds(static_cast<int64_t>(timeout_s * 1e6));
}

absl::Status ToStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

// The client's own reading: a message that is too large for gRPC has another code there, and one
// that is too large for the server blames a field.
bool IsRefusal(const grpc::Status& status) {
  const absl::Status failure = client::FromGrpc(status, /*server=*/"", /*timeout_s=*/0);
  return absl::IsResourceExhausted(failure) && !client::FieldOf(failure);
}

Answer AnswerOf(const grpc::Status& status, grpc::ByteBuffer& bytes) {
  Answer answer;
  grpc::Status outcome = status;
  if (outcome.ok()) {
    outcome =
        grpc::SerializationTraits<v1::IdentifyResponse>::Deserialize(&bytes, &answer.response);
  }
  if (outcome.ok()) {
    answer.outcome = Outcome::kAnswered;
    return answer;
  }
  if (IsRefusal(outcome)) answer.outcome = Outcome::kRefused;
  answer.error = ToStatus(outcome).ToString();
  answer.retry_delay_s = client::RetryDelayOf(outcome);
  return answer;
}

// What a call needs until it has ended.
struct Pending {
  grpc::ClientContext context;
  grpc::ByteBuffer request, response;
};

}  // namespace

// The stub sends bytes as they are: the time that the client takes is not what is measured.
struct Caller::Line {
  explicit Line(client::Channel opened) : channel(std::move(opened)), stub(channel.channel) {}

  client::Channel channel;
  grpc::GenericStub stub;
};

Caller::Caller(double timeout_s) : timeout_s_(timeout_s) {}
Caller::~Caller() = default;

absl::StatusOr<std::unique_ptr<Caller>> Caller::Connect(const CallerOptions& options) {
  std::unique_ptr<Caller> caller(new Caller(options.timeout_s));
  for (int i = 0; i < options.connections; ++i) {
    ASSIGN_OR_RETURN(client::Channel channel,
                     client::OpenChannel({.server = options.target, .own_connection = true}));
    if (!channel.channel->WaitForConnected(Deadline(options.timeout_s)))
      return absl::UnavailableError(absl::StrCat(options.target, " does not answer"));
    caller->lines_.push_back(std::make_unique<Line>(std::move(channel)));
  }
  return caller;
}

void Caller::Identify(int connection, const std::string& request,
                      std::function<void(Answer)> done) {
  // Callbacks come from a queue of gRPC's own, which the channels that have made calls keep.
  // gRPC 1.51 aborts now and then when the last of them goes, so the first stays until the process
  // ends.
  static const auto& kept =
      *new std::shared_ptr<grpc::Channel>(lines_[connection]->channel.channel);
  static_cast<void>(kept);
  auto pending = std::make_shared<Pending>();
  pending->context.set_deadline(Deadline(timeout_s_));
  const grpc::Slice slice(request.data(), request.size(), grpc::Slice::STATIC_SLICE);
  pending->request = grpc::ByteBuffer(&slice, 1);
  lines_[connection]->stub.UnaryCall(&pending->context, kIdentify, {}, &pending->request,
                                     &pending->response,
                                     [pending, done = std::move(done)](const grpc::Status& status) {
                                       done(AnswerOf(status, pending->response));
                                     });
}

absl::StatusOr<v1::StatusResponse> Caller::Status() {
  grpc::ClientContext context;
  context.set_deadline(Deadline(timeout_s_));
  v1::StatusResponse response;
  RETURN_IF_ERROR(
      ToStatus(v1::Admin::NewStub(lines_[0]->channel.channel)->Status(&context, {}, &response)));
  return response;
}

}  // namespace antiphon::bench
