// A server in this process, on a free port of the loopback, that answers from a script: for tests
// of the client.
//
// Answers and failures are set before the first call; what was asked is read after the last. Calls
// of AddRecording may come at once, all others one after the other.
#ifndef ANTIPHON_CLIENT_FAKE_SERVER_H_
#define ANTIPHON_CLIENT_FAKE_SERVER_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "antiphon/v1/admin.grpc.pb.h"
#include "antiphon/v1/catalog.grpc.pb.h"
#include "antiphon/v1/retrieval.grpc.pb.h"

namespace antiphon::testing {

// As the real server reports it: with the trailer, and the detail in it when a field is named, and
// when to ask again.
grpc::Status ServerFailure(grpc::StatusCode code, const std::string& message,
                           const std::string& field = "",
                           std::optional<std::chrono::milliseconds> retry_delay = std::nullopt);

class FakeServer final : public v1::Retrieval::Service,
                         public v1::Catalog::Service,
                         public v1::Admin::Service {
 public:
  explicit FakeServer(
      std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials());
  ~FakeServer() override;

  std::string address() const;

  // What every call but Status answers; a failure comes before any response.
  grpc::Status failure;
  std::atomic<int> failures = 1'000'000;  // so many calls fail, then they succeed
  std::chrono::milliseconds delay{0};
  std::string request_id = "request-7";  // in the initial metadata of every answer
  v1::SearchResponse search_response;
  v1::IdentifyResponse identify_response;
  v1::EmbedResponse embed_response;
  v1::GetPieceResponse piece_response;
  v1::GetRecordingResponse recording_response;
  v1::GetSnippetResponse snippet_response;
  v1::StatusResponse status_response;
  v1::IdentifyLongResponse long_response;
  std::vector<v1::IdentifyLiveResponse>
      live_responses;                // one for each part with samples, as far as they go
  v1::AlignResponse align_response;  // of AlignLong, too
  grpc::Status align_failure;        // of Align only, in the place of `failure`
  // One for each part with samples, and what is left at the end.
  std::vector<v1::FollowResponse> follow_responses;
  v1::TranscribeResponse transcribe_response;
  int pieces = 0;                             // of the list, called piece-0, piece-1, …
  int recordings = 0;                         // likewise
  std::vector<v1::SameMusicPair> same_music;  // of the collection, and of every piece added
  std::vector<v1::Warning> warnings;          // about everything added
  std::vector<std::string> taken_ids;         // those who add find these there already
  bool stalls = false;                        // streams are read, and never answered

  // What was asked last.
  v1::SearchScoresRequest search_scores_request;
  v1::SearchRecordingsRequest search_recordings_request;
  v1::IdentifyRequest identify_request;
  v1::BatchRequest batch_request;
  v1::EmbedRequest embed_request;
  v1::ListPiecesRequest list_request;
  v1::ListRecordingsRequest list_recordings_request;
  v1::GetSnippetRequest snippet_request;
  v1::UpdatePieceRequest update_piece_request;
  v1::DeletePieceRequest delete_piece_request;
  v1::ListSameMusicRequest same_music_request;
  v1::AddRecordingRequest add_recording_request;
  v1::UpdateRecordingRequest update_recording_request;
  v1::DeleteRecordingRequest delete_recording_request;
  v1::SnapshotRequest snapshot_request;
  v1::DeleteSnapshotRequest delete_snapshot_request;
  std::vector<v1::SnapshotInfo> snapshots;  // in pages of at most two
  v1::RestoreRequest restore_request;
  v1::StreamOptions stream_options;
  std::string stream_samples;  // of all parts
  v1::AlignRequest align_request;
  v1::AlignStreamOptions align_stream_options;
  v1::FollowOptions follow_options;
  v1::TranscribeRequest transcribe_request;
  std::vector<v1::AddPieceRequest> added;            // by AddPiece and AddPieces
  std::vector<v1::AddRecordingRequest> recorded;     // by AddRecording, as they came
  std::vector<std::string> deleted;                  // ids of pieces and recordings
  std::multimap<std::string, std::string> metadata;  // of the last call
  std::atomic<int> calls = 0;                        // but Status

 private:
  void Meet(grpc::ServerContext* context);
  template <typename Message>
  grpc::Status Answer(grpc::ServerContext* context, const Message& answer, Message* response);
  grpc::Status Add(const v1::AddPieceRequest& request, v1::Piece* piece);

  grpc::Status SearchScores(grpc::ServerContext*, const v1::SearchScoresRequest*,
                            v1::SearchResponse*) override;
  grpc::Status SearchRecordings(grpc::ServerContext*, const v1::SearchRecordingsRequest*,
                                v1::SearchResponse*) override;
  grpc::Status Identify(grpc::ServerContext*, const v1::IdentifyRequest*,
                        v1::IdentifyResponse*) override;
  // Every query is answered as Identify and SearchScores would be, but those with top_k 99, which
  // are refused.
  grpc::Status Batch(grpc::ServerContext*, const v1::BatchRequest*, v1::BatchResponse*) override;
  grpc::Status IdentifyLong(grpc::ServerContext*, grpc::ServerReader<v1::IdentifyStreamRequest>*,
                            v1::IdentifyLongResponse*) override;
  grpc::Status IdentifyLive(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::IdentifyLiveResponse, v1::IdentifyStreamRequest>*) override;
  grpc::Status Align(grpc::ServerContext*, const v1::AlignRequest*, v1::AlignResponse*) override;
  grpc::Status AlignLong(grpc::ServerContext*, grpc::ServerReader<v1::AlignStreamRequest>*,
                         v1::AlignResponse*) override;
  grpc::Status Follow(grpc::ServerContext*,
                      grpc::ServerReaderWriter<v1::FollowResponse, v1::FollowRequest>*) override;
  grpc::Status Transcribe(grpc::ServerContext*, const v1::TranscribeRequest*,
                          v1::TranscribeResponse*) override;
  grpc::Status Embed(grpc::ServerContext*, const v1::EmbedRequest*, v1::EmbedResponse*) override;

  grpc::Status ListPieces(grpc::ServerContext*, const v1::ListPiecesRequest*,
                          v1::ListPiecesResponse*) override;
  grpc::Status ListSameMusic(grpc::ServerContext*, const v1::ListSameMusicRequest*,
                             v1::ListSameMusicResponse*) override;
  grpc::Status GetPiece(grpc::ServerContext*, const v1::GetPieceRequest*,
                        v1::GetPieceResponse*) override;
  grpc::Status ListRecordings(grpc::ServerContext*, const v1::ListRecordingsRequest*,
                              v1::ListRecordingsResponse*) override;
  grpc::Status GetRecording(grpc::ServerContext*, const v1::GetRecordingRequest*,
                            v1::GetRecordingResponse*) override;
  grpc::Status GetSnippet(grpc::ServerContext*, const v1::GetSnippetRequest*,
                          v1::GetSnippetResponse*) override;
  grpc::Status AddPiece(grpc::ServerContext*, const v1::AddPieceRequest*,
                        v1::AddPieceResponse*) override;
  grpc::Status AddPieces(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::AddPiecesResponse, v1::AddPieceRequest>*) override;
  grpc::Status UpdatePiece(grpc::ServerContext*, const v1::UpdatePieceRequest*,
                           v1::UpdatePieceResponse*) override;
  grpc::Status DeletePiece(grpc::ServerContext*, const v1::DeletePieceRequest*,
                           v1::DeletePieceResponse*) override;
  grpc::Status AddRecording(grpc::ServerContext*, const v1::AddRecordingRequest*,
                            v1::AddRecordingResponse*) override;
  grpc::Status UpdateRecording(grpc::ServerContext*, const v1::UpdateRecordingRequest*,
                               v1::UpdateRecordingResponse*) override;
  grpc::Status DeleteRecording(grpc::ServerContext*, const v1::DeleteRecordingRequest*,
                               v1::DeleteRecordingResponse*) override;

  grpc::Status Status(grpc::ServerContext*, const v1::StatusRequest*, v1::StatusResponse*) override;
  grpc::Status Reload(grpc::ServerContext*, const v1::ReloadRequest*, v1::ReloadResponse*) override;
  grpc::Status Merge(grpc::ServerContext*, const v1::MergeRequest*, v1::MergeResponse*) override;
  grpc::Status Snapshot(grpc::ServerContext*, const v1::SnapshotRequest*,
                        v1::SnapshotResponse*) override;
  grpc::Status Restore(grpc::ServerContext*, const v1::RestoreRequest*,
                       v1::RestoreResponse*) override;
  grpc::Status ListSnapshots(grpc::ServerContext*, const v1::ListSnapshotsRequest*,
                             v1::ListSnapshotsResponse*) override;
  grpc::Status DeleteSnapshot(grpc::ServerContext*, const v1::DeleteSnapshotRequest*,
                              v1::DeleteSnapshotResponse*) override;

  bool IsTaken(const std::string& id) const;

  int port_ = 0;
  absl::Mutex mutex_;  // of what is noted down: recordings are added several at once
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace antiphon::testing

#endif  // ANTIPHON_CLIENT_FAKE_SERVER_H_
