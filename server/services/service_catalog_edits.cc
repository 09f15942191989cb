#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "core/base/status_macros.h"
#include "server/services/catalog_requests.h"
#include "server/services/service_catalog.h"
#include "server/wire/conversions.h"
#include "server/wire/field_checks.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

template <typename Request>
std::optional<int64_t> ExpectedVersion(const Request& request) {
  if (!request.has_expected_version()) return std::nullopt;
  return request.expected_version();
}

}  // namespace

grpc::ServerUnaryReactor* CatalogService::AddPiece(grpc::CallbackServerContext* context,
                                                   const v1::AddPieceRequest* request,
                                                   v1::AddPieceResponse* response) {
  return runner_.Run("Catalog.AddPiece", Placement::kQueued, context, *request, response,
                     [=, this](Call& call) { return DoAddPiece(call, *request, response); });
}

grpc::ServerBidiReactor<v1::AddPieceRequest, v1::AddPiecesResponse>* CatalogService::AddPieces(
    grpc::CallbackServerContext* context) {
  return streams_.RunDialogue<v1::AddPieceRequest, v1::AddPiecesResponse>(
      "Catalog.AddPieces", context,
      [this](Call& call, auto& stream) { return DoAddPieces(call, stream); });
}

grpc::ServerUnaryReactor* CatalogService::UpdatePiece(grpc::CallbackServerContext* context,
                                                      const v1::UpdatePieceRequest* request,
                                                      v1::UpdatePieceResponse* response) {
  return runner_.Run("Catalog.UpdatePiece", Placement::kQueued, context, *request, response,
                     [=, this](Call& call) { return DoUpdatePiece(call, *request, response); });
}

grpc::ServerUnaryReactor* CatalogService::DeletePiece(grpc::CallbackServerContext* context,
                                                      const v1::DeletePieceRequest* request,
                                                      v1::DeletePieceResponse* response) {
  return runner_.Run("Catalog.DeletePiece", Placement::kQueued, context, *request, response,
                     [=, this](Call& call) { return DoDeletePiece(call, *request, response); });
}

grpc::ServerUnaryReactor* CatalogService::AddRecording(grpc::CallbackServerContext* context,
                                                       const v1::AddRecordingRequest* request,
                                                       v1::AddRecordingResponse* response) {
  return runner_.Run("Catalog.AddRecording", Placement::kQueued, context, *request, response,
                     [=, this](Call& call) { return DoAddRecording(call, *request, response); });
}

grpc::ServerUnaryReactor* CatalogService::UpdateRecording(grpc::CallbackServerContext* context,
                                                          const v1::UpdateRecordingRequest* request,
                                                          v1::UpdateRecordingResponse* response) {
  return runner_.Run("Catalog.UpdateRecording", Placement::kQueued, context, *request, response,
                     [=, this](Call& call) { return DoUpdateRecording(call, *request, response); });
}

grpc::ServerUnaryReactor* CatalogService::DeleteRecording(grpc::CallbackServerContext* context,
                                                          const v1::DeleteRecordingRequest* request,
                                                          v1::DeleteRecordingResponse* response) {
  return runner_.Run("Catalog.DeleteRecording", Placement::kQueued, context, *request, response,
                     [=, this](Call& call) { return DoDeleteRecording(call, *request, response); });
}

absl::StatusOr<v1::Piece> CatalogService::Add(Call& call,
                                              const v1::AddPieceRequest& request) const {
  ASSIGN_OR_RETURN(auto piece,
                   call.InStage(v1::STAGE_DECODE, [&] { return ToPiece(request, limits_); }));
  const auto added = store_.AddPiece(std::move(piece), request.score().midi(), call.context());
  if (!added.ok()) return BlameEdit(added.status(), "piece.id", "score.midi");
  return ToWire(*added);
}

absl::Status CatalogService::DoAddPiece(Call& call, const v1::AddPieceRequest& request,
                                        v1::AddPieceResponse* response) const {
  ASSIGN_OR_RETURN(v1::Piece piece, Add(call, request));
  *response->mutable_piece() = std::move(piece);
  return absl::OkStatus();
}

absl::Status CatalogService::DoAddPieces(
    Call& call, MessageStream<v1::AddPieceRequest, v1::AddPiecesResponse>& stream) const {
  v1::AddPieceRequest request;
  int64_t added = 0;
  for (int64_t index = 0; stream.Read(&request); ++index) {
    call.Pin(
        store_.Current());  // a long stream must not hold on to the collection that it began with
    absl::StatusOr<v1::Piece> piece = Add(call, request);
    if (IsCallersDoing(piece.status())) return piece.status();
    v1::AddPiecesResponse response;
    response.set_index(index);
    if (piece.ok()) {
      *response.mutable_piece() = *std::move(piece);
      ++added;
    } else {
      *response.mutable_error() = ToErrorStatus(piece.status());
    }
    response.set_added(added);
    if (!stream.Write(response)) return stream.status();
  }
  return stream.status();
}

absl::Status CatalogService::DoUpdatePiece(Call& call, const v1::UpdatePieceRequest& request,
                                           v1::UpdatePieceResponse* response) const {
  ASSIGN_OR_RETURN(const auto update,
                   call.InStage(v1::STAGE_DECODE, [&] { return ToUpdate(request, limits_); }));
  const auto updated =
      store_.UpdatePiece(request.piece_id(), update, ExpectedVersion(request), call.context());
  if (!updated.ok()) return BlameEdit(updated.status(), "piece_id", "score.midi");
  *response->mutable_piece() = ToWire(*updated);
  return absl::OkStatus();
}

absl::Status CatalogService::DoDeletePiece(Call& call, const v1::DeletePieceRequest& request,
                                           v1::DeletePieceResponse* response) const {
  RETURN_IF_ERROR(CheckId("piece_id", request.piece_id()));
  const auto deleted =
      store_.DeletePiece(request.piece_id(), ExpectedVersion(request), request.with_recordings());
  if (!deleted.ok()) return BlameEdit(deleted.status(), "piece_id", "piece_id");
  response->set_version(deleted->version);
  response->set_recordings_deleted(deleted->recordings);
  return absl::OkStatus();
}

absl::Status CatalogService::DoAddRecording(Call& call, const v1::AddRecordingRequest& request,
                                            v1::AddRecordingResponse* response) const {
  ASSIGN_OR_RETURN(auto recording,
                   call.InStage(v1::STAGE_DECODE, [&] { return ToRecording(request, limits_); }));
  const auto added =
      store_.AddRecording(std::move(recording), request.audio_file(), call.context());
  // The id is new here: what is not there is the piece.
  const bool no_piece = added.status().code() == absl::StatusCode::kNotFound;
  if (!added.ok())
    return BlameEdit(added.status(), no_piece ? "recording.piece_id" : "recording.id",
                     "audio_file");
  *response->mutable_recording() = ToWire(*added);
  return absl::OkStatus();
}

absl::Status CatalogService::DoUpdateRecording(Call& call,
                                               const v1::UpdateRecordingRequest& request,
                                               v1::UpdateRecordingResponse* response) const {
  ASSIGN_OR_RETURN(const auto update,
                   call.InStage(v1::STAGE_DECODE, [&] { return ToUpdate(request, limits_); }));
  const auto updated = store_.UpdateRecording(request.recording_id(), update,
                                              ExpectedVersion(request), call.context());
  if (!updated.ok()) {
    const bool is_there = store_.Current()->FindRecording(request.recording_id()).has_value();
    return BlameEdit(updated.status(), is_there ? "piece_id" : "recording_id", "audio_file");
  }
  *response->mutable_recording() = ToWire(*updated);
  return absl::OkStatus();
}

absl::Status CatalogService::DoDeleteRecording(Call& call,
                                               const v1::DeleteRecordingRequest& request,
                                               v1::DeleteRecordingResponse* response) const {
  RETURN_IF_ERROR(CheckId("recording_id", request.recording_id()));
  const auto deleted = store_.DeleteRecording(request.recording_id(), ExpectedVersion(request));
  if (!deleted.ok()) return BlameEdit(deleted.status(), "recording_id", "recording_id");
  response->set_version(deleted->version);
  return absl::OkStatus();
}

}  // namespace antiphon::server
