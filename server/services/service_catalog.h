// antiphon.v1.Catalog: what is in the collection (service_catalog.cc), and changes to it
// (service_catalog_edits.cc). Safe from any thread.
#ifndef ANTIPHON_SERVER_SERVICES_SERVICE_CATALOG_H_
#define ANTIPHON_SERVER_SERVICES_SERVICE_CATALOG_H_

#include <string>
#include <vector>

#include "antiphon/v1/catalog.pb.h"
#include "server/calls/call_runner.h"
#include "server/calls/stream_runner.h"
#include "server/serving/store.h"
#include "server/wire/limits.h"

namespace antiphon::server {

class CatalogService {
 public:
  // All references are borrowed, and outlive every call.
  CatalogService(CallRunner& runner, StreamRunner& streams, Store& store, const Limits& limits);

  // This object outlives every call.
  std::vector<Method> Methods();

 private:
  absl::Status ListPieces(Call& call, const v1::ListPiecesRequest& request,
                          v1::ListPiecesResponse* response) const;
  absl::Status GetPiece(Call& call, const v1::GetPieceRequest& request,
                        v1::GetPieceResponse* response) const;
  absl::Status ListRecordings(Call& call, const v1::ListRecordingsRequest& request,
                              v1::ListRecordingsResponse* response) const;
  absl::Status GetRecording(Call& call, const v1::GetRecordingRequest& request,
                            v1::GetRecordingResponse* response) const;
  absl::Status ListSameMusic(Call& call, const v1::ListSameMusicRequest& request,
                             v1::ListSameMusicResponse* response) const;
  absl::Status GetSnippet(Call& call, const v1::GetSnippetRequest& request,
                          v1::GetSnippetResponse* response) const;
  absl::Status PieceSnippet(Call& call, const v1::GetSnippetRequest& request,
                            v1::GetSnippetResponse* response) const;
  absl::Status RecordingSnippet(Call& call, const v1::GetSnippetRequest& request,
                                v1::GetSnippetResponse* response) const;

  absl::Status AddPiece(Call& call, const v1::AddPieceRequest& request,
                        v1::AddPieceResponse* response) const;
  absl::Status AddPieces(Call& call,
                         MessageStream<v1::AddPieceRequest, v1::AddPiecesResponse>& stream) const;
  absl::Status UpdatePiece(Call& call, const v1::UpdatePieceRequest& request,
                           v1::UpdatePieceResponse* response) const;
  absl::Status DeletePiece(Call& call, const v1::DeletePieceRequest& request,
                           v1::DeletePieceResponse* response) const;
  absl::Status AddRecording(Call& call, const v1::AddRecordingRequest& request,
                            v1::AddRecordingResponse* response) const;
  absl::Status UpdateRecording(Call& call, const v1::UpdateRecordingRequest& request,
                               v1::UpdateRecordingResponse* response) const;
  absl::Status DeleteRecording(Call& call, const v1::DeleteRecordingRequest& request,
                               v1::DeleteRecordingResponse* response) const;
  // The edit, and a failure of it as BlameEdit tells it.
  absl::StatusOr<editing::EditResult> Apply(Call& call, const editing::EditRequest& edit,
                                            absl::string_view score_field = "") const;
  // What the collection as it is now holds of the music of a piece just written, at most 20 pairs.
  // The edit is made whatever comes of it: a failure is logged, and there are none.
  void ReportSameMusic(Call& call, const std::string& piece_id,
                       google::protobuf::RepeatedPtrField<v1::SameMusicPair>* out) const;
  absl::StatusOr<v1::Piece> Add(Call& call, const v1::AddPieceRequest& request) const;

  CallRunner& runner_;
  StreamRunner& streams_;
  Store& store_;
  const Limits limits_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVICES_SERVICE_CATALOG_H_
