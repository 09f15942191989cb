// The calls that the program makes, over one gRPC channel.
//
// Used by one thread. Every call blocks until the answer, the failure or the timeout; failures are
// those of FromGrpc (rpc_status.h). Calls that change nothing are made again when the server says
// when. The channel is opened by the first call.
#ifndef ANTIPHON_CLIENT_RPC_CONNECTION_H_
#define ANTIPHON_CLIENT_RPC_CONNECTION_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "antiphon/v1/admin.pb.h"
#include "antiphon/v1/catalog.pb.h"
#include "antiphon/v1/retrieval.pb.h"
#include "client/rpc/connection_options.h"

namespace antiphon::client {

// What a streaming call sends: calls `send` with one part after the other, and returns when there
// are no more. A failure of `send` means that the call is over, and is to be returned; any other
// failure ends the call.
template <typename Part>
using Feed = std::function<absl::Status(const std::function<absl::Status(const Part&)>& send)>;

// What takes the answers of a streaming call, as they come. A failure ends the call.
template <typename Answer>
using Take = std::function<absl::Status(const Answer&)>;

class Connection {
 public:
  // Fails as OpenChannel does.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Connection>> Open(
      const ConnectionOptions& options);
  ~Connection();

  absl::StatusOr<v1::SearchResponse> SearchScores(const v1::SearchScoresRequest& request);
  absl::StatusOr<v1::SearchResponse> SearchRecordings(const v1::SearchRecordingsRequest& request);
  absl::StatusOr<v1::IdentifyResponse> Identify(const v1::IdentifyRequest& request);
  absl::StatusOr<v1::BatchResponse> Batch(const v1::BatchRequest& request);
  absl::StatusOr<v1::EmbedResponse> Embed(const v1::EmbedRequest& request);

  absl::StatusOr<v1::ListPiecesResponse> ListPieces(const v1::ListPiecesRequest& request);
  absl::StatusOr<v1::GetPieceResponse> GetPiece(const v1::GetPieceRequest& request);
  absl::StatusOr<v1::ListRecordingsResponse> ListRecordings(
      const v1::ListRecordingsRequest& request);
  absl::StatusOr<v1::GetRecordingResponse> GetRecording(const v1::GetRecordingRequest& request);
  absl::StatusOr<v1::GetSnippetResponse> GetSnippet(const v1::GetSnippetRequest& request);

  absl::StatusOr<v1::AddPieceResponse> AddPiece(const v1::AddPieceRequest& request);
  absl::StatusOr<v1::UpdatePieceResponse> UpdatePiece(const v1::UpdatePieceRequest& request);
  absl::StatusOr<v1::DeletePieceResponse> DeletePiece(const v1::DeletePieceRequest& request);
  absl::StatusOr<v1::AddRecordingResponse> AddRecording(const v1::AddRecordingRequest& request);
  absl::StatusOr<v1::UpdateRecordingResponse> UpdateRecording(
      const v1::UpdateRecordingRequest& request);
  absl::StatusOr<v1::DeleteRecordingResponse> DeleteRecording(
      const v1::DeleteRecordingRequest& request);

  absl::StatusOr<v1::StatusResponse> Status();
  absl::StatusOr<v1::ReloadResponse> Reload();
  absl::StatusOr<v1::MergeResponse> Merge();
  absl::StatusOr<v1::SnapshotResponse> Snapshot(const v1::SnapshotRequest& request);
  absl::StatusOr<v1::RestoreResponse> Restore(const v1::RestoreRequest& request);

  // Streams. The timeout holds for each wait for the server, not for the whole. `feed` of the
  // latter two runs on a thread of its own, `take` on the caller's.
  absl::StatusOr<v1::IdentifyLongResponse> IdentifyLong(const v1::StreamOptions& options,
                                                        const Feed<std::string>& samples);
  absl::Status IdentifyLive(const v1::StreamOptions& options, const Feed<std::string>& samples,
                            const Take<v1::IdentifyLiveResponse>& take);
  absl::Status AddPieces(const Feed<v1::AddPieceRequest>& pieces,
                         const Take<v1::AddPiecesResponse>& take);

  // What the server takes; asked for once.
  absl::StatusOr<v1::Limits> Limits();

  const std::string& server() const;

 private:
  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_RPC_CONNECTION_H_
