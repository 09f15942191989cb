// The calls that the program makes, over one gRPC channel.
//
// Used by one thread. Every call blocks until the answer, the failure or the timeout; failures are those of FromGrpc
// (rpc_status.h). The channel is opened by the first call.
#ifndef ANTIPHON_CLIENT_CONNECTION_H_
#define ANTIPHON_CLIENT_CONNECTION_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "antiphon/v1/admin.pb.h"
#include "antiphon/v1/catalog.pb.h"
#include "antiphon/v1/retrieval.pb.h"

namespace antiphon::client {

struct ConnectionOptions {
  std::string server = "127.0.0.1:50051";  // HOST:PORT or unix:PATH
  double timeout_s = 120;                  // of each call, seconds, > 0
};

class Connection {
 public:
  explicit Connection(const ConnectionOptions& options);
  ~Connection();

  absl::StatusOr<v1::SearchResponse> SearchScores(const v1::SearchScoresRequest& request);
  absl::StatusOr<v1::SearchResponse> SearchRecordings(const v1::SearchRecordingsRequest& request);
  absl::StatusOr<v1::IdentifyResponse> Identify(const v1::IdentifyRequest& request);
  absl::StatusOr<v1::EmbedResponse> Embed(const v1::EmbedRequest& request);
  absl::StatusOr<v1::ListPiecesResponse> ListPieces(const v1::ListPiecesRequest& request);
  absl::StatusOr<v1::GetPieceResponse> GetPiece(const v1::GetPieceRequest& request);
  absl::StatusOr<v1::GetSnippetResponse> GetSnippet(const v1::GetSnippetRequest& request);
  absl::StatusOr<v1::StatusResponse> Status();

  const std::string& server() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_CONNECTION_H_
