// The unary methods of the API, for Connection::Call.
//
// One declaration here and one definition in methods.cc for each, so that a new method of proto/
// takes two lines. Constants; safe from any thread.
#ifndef ANTIPHON_CLIENT_RPC_METHODS_H_
#define ANTIPHON_CLIENT_RPC_METHODS_H_

#include "absl/status/statusor.h"
#include "antiphon/v1/admin.pb.h"
#include "antiphon/v1/catalog.pb.h"
#include "antiphon/v1/retrieval.pb.h"

namespace antiphon::client {

class Caller;

// Asks the server of `caller`, and waits for its answer.
template <typename Request, typename Response>
using Method = absl::StatusOr<Response> (*)(const Caller& caller, const Request& request);

extern const Method<v1::SearchScoresRequest, v1::SearchResponse> kSearchScores;
extern const Method<v1::SearchRecordingsRequest, v1::SearchResponse> kSearchRecordings;
extern const Method<v1::IdentifyRequest, v1::IdentifyResponse> kIdentify;
extern const Method<v1::BatchRequest, v1::BatchResponse> kBatch;
extern const Method<v1::AlignRequest, v1::AlignResponse> kAlign;
extern const Method<v1::TranscribeRequest, v1::TranscribeResponse> kTranscribe;
extern const Method<v1::EmbedRequest, v1::EmbedResponse> kEmbed;

extern const Method<v1::ListPiecesRequest, v1::ListPiecesResponse> kListPieces;
extern const Method<v1::GetPieceRequest, v1::GetPieceResponse> kGetPiece;
extern const Method<v1::ListRecordingsRequest, v1::ListRecordingsResponse> kListRecordings;
extern const Method<v1::GetRecordingRequest, v1::GetRecordingResponse> kGetRecording;
extern const Method<v1::ListSameMusicRequest, v1::ListSameMusicResponse> kListSameMusic;
extern const Method<v1::GetSnippetRequest, v1::GetSnippetResponse> kGetSnippet;
extern const Method<v1::AddPieceRequest, v1::AddPieceResponse> kAddPiece;
extern const Method<v1::UpdatePieceRequest, v1::UpdatePieceResponse> kUpdatePiece;
extern const Method<v1::DeletePieceRequest, v1::DeletePieceResponse> kDeletePiece;
extern const Method<v1::AddRecordingRequest, v1::AddRecordingResponse> kAddRecording;
// As kAddRecording, asked again where the server says when: if it was carried out after all, the id
// is there already.
extern const Method<v1::AddRecordingRequest, v1::AddRecordingResponse> kAddRecordingAgain;
extern const Method<v1::UpdateRecordingRequest, v1::UpdateRecordingResponse> kUpdateRecording;
extern const Method<v1::DeleteRecordingRequest, v1::DeleteRecordingResponse> kDeleteRecording;

extern const Method<v1::StatusRequest, v1::StatusResponse> kStatus;
extern const Method<v1::ReloadRequest, v1::ReloadResponse> kReload;
extern const Method<v1::MergeRequest, v1::MergeResponse> kMerge;
extern const Method<v1::SnapshotRequest, v1::SnapshotResponse> kSnapshot;
extern const Method<v1::RestoreRequest, v1::RestoreResponse> kRestore;
extern const Method<v1::ListSnapshotsRequest, v1::ListSnapshotsResponse> kListSnapshots;
extern const Method<v1::DeleteSnapshotRequest, v1::DeleteSnapshotResponse> kDeleteSnapshot;

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_RPC_METHODS_H_
