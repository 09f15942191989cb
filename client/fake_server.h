// A server in this process, on a free port of the loopback, that answers from a script: for tests of the client.
//
// Answers and failures are set before the first call; what was asked is read after the last.
#ifndef ANTIPHON_CLIENT_FAKE_SERVER_H_
#define ANTIPHON_CLIENT_FAKE_SERVER_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "antiphon/v1/admin.grpc.pb.h"
#include "antiphon/v1/catalog.grpc.pb.h"
#include "antiphon/v1/retrieval.grpc.pb.h"

namespace antiphon::testing {

// As the real server reports it: with the trailer, and the detail in it when a field is named.
inline grpc::Status ServerFailure(grpc::StatusCode code, const std::string& message, const std::string& field = "") {
  v1::ErrorStatus trailer;
  trailer.set_code(code);
  trailer.set_message(message);
  if (!field.empty()) {
    v1::ErrorDetail detail;
    detail.set_field(field);
    trailer.add_details()->PackFrom(detail);
  }
  return grpc::Status(code, message, trailer.SerializeAsString());
}

class FakeServer final : public v1::Retrieval::Service, public v1::Catalog::Service, public v1::Admin::Service {
 public:
  FakeServer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(static_cast<v1::Retrieval::Service*>(this));
    builder.RegisterService(static_cast<v1::Catalog::Service*>(this));
    builder.RegisterService(static_cast<v1::Admin::Service*>(this));
    server_ = builder.BuildAndStart();
  }
  ~FakeServer() override { server_->Shutdown(std::chrono::system_clock::now()); }

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

  // What every call but Status answers; a failure comes before any response.
  grpc::Status failure;
  std::chrono::milliseconds delay{0};
  v1::SearchResponse search_response;
  v1::IdentifyResponse identify_response;
  v1::EmbedResponse embed_response;
  v1::GetPieceResponse piece_response;
  v1::GetSnippetResponse snippet_response;
  v1::StatusResponse status_response;
  int pieces = 0;  // of the list, called piece-0, piece-1, …

  // What was asked last.
  v1::SearchScoresRequest search_scores_request;
  v1::SearchRecordingsRequest search_recordings_request;
  v1::IdentifyRequest identify_request;
  v1::EmbedRequest embed_request;
  v1::ListPiecesRequest list_request;
  v1::GetSnippetRequest snippet_request;
  int calls = 0;

 private:
  template <typename Message>
  grpc::Status Answer(const Message& answer, Message* response) {
    ++calls;
    std::this_thread::sleep_for(delay);
    if (failure.ok()) *response = answer;
    return failure;
  }

  grpc::Status SearchScores(grpc::ServerContext*, const v1::SearchScoresRequest* request,
                            v1::SearchResponse* response) override {
    search_scores_request = *request;
    return Answer(search_response, response);
  }
  grpc::Status SearchRecordings(grpc::ServerContext*, const v1::SearchRecordingsRequest* request,
                                v1::SearchResponse* response) override {
    search_recordings_request = *request;
    return Answer(search_response, response);
  }
  grpc::Status Identify(grpc::ServerContext*, const v1::IdentifyRequest* request,
                        v1::IdentifyResponse* response) override {
    identify_request = *request;
    return Answer(identify_response, response);
  }
  grpc::Status Embed(grpc::ServerContext*, const v1::EmbedRequest* request, v1::EmbedResponse* response) override {
    embed_request = *request;
    return Answer(embed_response, response);
  }
  grpc::Status ListPieces(grpc::ServerContext*, const v1::ListPiecesRequest* request,
                          v1::ListPiecesResponse* response) override {
    list_request = *request;
    v1::ListPiecesResponse page;
    const int first = request->page_token().empty() ? 0 : std::stoi(request->page_token());
    for (int i = first; i < pieces && i < first + request->page_size(); ++i) {
      page.add_pieces()->set_id(absl::StrCat("piece-", i));
    }
    const int next = first + page.pieces_size();
    if (next < pieces) page.set_next_page_token(absl::StrCat(next));
    page.set_total(pieces);
    return Answer(page, response);
  }
  grpc::Status GetPiece(grpc::ServerContext*, const v1::GetPieceRequest*, v1::GetPieceResponse* response) override {
    return Answer(piece_response, response);
  }
  grpc::Status GetSnippet(grpc::ServerContext*, const v1::GetSnippetRequest* request,
                          v1::GetSnippetResponse* response) override {
    snippet_request = *request;
    return Answer(snippet_response, response);
  }
  grpc::Status Status(grpc::ServerContext*, const v1::StatusRequest*, v1::StatusResponse* response) override {
    *response = status_response;
    return grpc::Status::OK;
  }

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace antiphon::testing

#endif  // ANTIPHON_CLIENT_FAKE_SERVER_H_
