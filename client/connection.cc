#include "client/connection.h"

#include <grpcpp/grpcpp.h>

#include <chrono>

#include "absl/strings/match.h"
#include "antiphon/v1/admin.grpc.pb.h"
#include "antiphon/v1/catalog.grpc.pb.h"
#include "antiphon/v1/retrieval.grpc.pb.h"
#include "client/rpc_status.h"

namespace antiphon::client {
namespace {

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& server) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);  // the server's limit is asked for and kept to when a query is made
  // A proxy from the environment is of no use on the way to this machine.
  if (absl::StartsWith(server, "127.") || absl::StartsWith(server, "localhost") || absl::StartsWith(server, "[::1]") ||
      absl::StartsWith(server, "unix:")) {
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  }
  return grpc::CreateCustomChannel(server, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

struct Connection::Impl {
  explicit Impl(const ConnectionOptions& options_in)
      : options(options_in),
        channel(OpenChannel(options.server)),
        retrieval(v1::Retrieval::NewStub(channel)),
        catalog(v1::Catalog::NewStub(channel)),
        admin(v1::Admin::NewStub(channel)) {}

  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(Stub& stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::duration_cast<std::chrono::system_clock::duration>(
                             std::chrono::duration<double>(options.timeout_s)));
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (!status.ok()) return FromGrpc(status, options.server, options.timeout_s);
    return response;
  }

  ConnectionOptions options;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::Retrieval::Stub> retrieval;
  std::unique_ptr<v1::Catalog::Stub> catalog;
  std::unique_ptr<v1::Admin::Stub> admin;
};

Connection::Connection(const ConnectionOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Connection::~Connection() = default;

absl::StatusOr<v1::SearchResponse> Connection::SearchScores(const v1::SearchScoresRequest& request) {
  return impl_->Call(*impl_->retrieval, &v1::Retrieval::Stub::SearchScores, request);
}
absl::StatusOr<v1::SearchResponse> Connection::SearchRecordings(const v1::SearchRecordingsRequest& request) {
  return impl_->Call(*impl_->retrieval, &v1::Retrieval::Stub::SearchRecordings, request);
}
absl::StatusOr<v1::IdentifyResponse> Connection::Identify(const v1::IdentifyRequest& request) {
  return impl_->Call(*impl_->retrieval, &v1::Retrieval::Stub::Identify, request);
}
absl::StatusOr<v1::EmbedResponse> Connection::Embed(const v1::EmbedRequest& request) {
  return impl_->Call(*impl_->retrieval, &v1::Retrieval::Stub::Embed, request);
}
absl::StatusOr<v1::ListPiecesResponse> Connection::ListPieces(const v1::ListPiecesRequest& request) {
  return impl_->Call(*impl_->catalog, &v1::Catalog::Stub::ListPieces, request);
}
absl::StatusOr<v1::GetPieceResponse> Connection::GetPiece(const v1::GetPieceRequest& request) {
  return impl_->Call(*impl_->catalog, &v1::Catalog::Stub::GetPiece, request);
}
absl::StatusOr<v1::GetSnippetResponse> Connection::GetSnippet(const v1::GetSnippetRequest& request) {
  return impl_->Call(*impl_->catalog, &v1::Catalog::Stub::GetSnippet, request);
}
absl::StatusOr<v1::StatusResponse> Connection::Status() {
  return impl_->Call(*impl_->admin, &v1::Admin::Stub::Status, v1::StatusRequest());
}

const std::string& Connection::server() const { return impl_->options.server; }

}  // namespace antiphon::client
