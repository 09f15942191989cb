#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "core/base/status_macros.h"
#include "server/services/catalog_requests.h"
#include "server/services/decode.h"
#include "server/services/response_builder.h"
#include "server/services/service_catalog.h"
#include "server/services/warnings.h"
#include "server/wire/conversions.h"
#include "server/wire/field_checks.h"
#include "server/wire/status_map.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {

absl::StatusOr<editing::EditResult> CatalogService::Apply(Call& call,
                                                          const editing::EditRequest& edit,
                                                          absl::string_view score_field) const {
  return MapError(store_.Apply(edit, call.context()),
                  [&](const absl::Status& status) { return BlameEdit(status, edit, score_field); });
}

void CatalogService::ReportSameMusic(
    Call& call, const std::string& piece_id,
    google::protobuf::RepeatedPtrField<v1::SameMusicPair>* out) const {
  constexpr size_t kMost = 20;
  const auto report = [&](const retrieval::Collection& collection) -> absl::Status {
    const std::optional<int> piece = collection.FindPiece(piece_id);
    if (!piece) return absl::OkStatus();  // somebody has deleted it since
    ASSIGN_OR_RETURN(std::vector<matching::SharedMusic> shared,
                     collection.FindSameMusic(*piece, call.context()));
    shared.resize(std::min(shared.size(), kMost));
    return FillSharedMusic(collection, shared, out);
  };
  const absl::Status reported = report(*store_.Current());
  if (!reported.ok()) spdlog::warn("piece={} same_music={}", piece_id, reported.ToString());
}

absl::StatusOr<v1::Piece> CatalogService::Add(Call& call,
                                              const v1::AddPieceRequest& request) const {
  ASSIGN_OR_RETURN(auto edit,
                   call.InStage(v1::STAGE_DECODE, [&] { return ToEdit(request, limits_); }));
  if (edit.score != nullptr) WarnOfScore(call, ScoreFieldOf("", request.score()), *edit.score);
  ASSIGN_OR_RETURN(const auto added,
                   Apply(call, std::move(edit), ScoreFieldOf("", request.score())));
  return ToWire(added.piece);
}

absl::Status CatalogService::AddPiece(Call& call, const v1::AddPieceRequest& request,
                                      v1::AddPieceResponse* response) const {
  ASSIGN_OR_RETURN(v1::Piece piece, Add(call, request));
  ReportSameMusic(call, piece.id(), response->mutable_same_music());
  *response->mutable_piece() = std::move(piece);
  call.FillWarnings(response->mutable_warnings());
  return absl::OkStatus();
}

absl::Status CatalogService::AddPieces(
    Call& call, MessageStream<v1::AddPieceRequest, v1::AddPiecesResponse>& stream) const {
  v1::AddPieceRequest request;
  int64_t added = 0;
  for (int64_t index = 0; stream.Read(&request); ++index) {
    call.Pin(
        store_.Current());  // a long stream must not hold on to the collection that it began with
    call.BeginPart();
    absl::StatusOr<v1::Piece> piece = Add(call, request);
    if (IsCallersDoing(piece.status())) return piece.status();
    v1::AddPiecesResponse response;
    response.set_index(index);
    if (piece.ok()) {
      ReportSameMusic(call, piece->id(), response.mutable_same_music());
      call.FillWarnings(response.mutable_warnings());
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

absl::Status CatalogService::UpdatePiece(Call& call, const v1::UpdatePieceRequest& request,
                                         v1::UpdatePieceResponse* response) const {
  ASSIGN_OR_RETURN(auto edit,
                   call.InStage(v1::STAGE_DECODE, [&] { return ToEdit(request, limits_); }));
  if (edit.score != nullptr) WarnOfScore(call, ScoreFieldOf("", request.score()), *edit.score);
  ASSIGN_OR_RETURN(const auto updated,
                   Apply(call, std::move(edit), ScoreFieldOf("", request.score())));
  *response->mutable_piece() = ToWire(updated.piece);
  if (request.has_score()) ReportSameMusic(call, updated.piece.id, response->mutable_same_music());
  call.FillWarnings(response->mutable_warnings());
  return absl::OkStatus();
}

absl::Status CatalogService::DeletePiece(Call& call, const v1::DeletePieceRequest& request,
                                         v1::DeletePieceResponse* response) const {
  ASSIGN_OR_RETURN(auto edit, ToEdit(request));
  ASSIGN_OR_RETURN(const auto deleted, Apply(call, std::move(edit)));
  response->set_version(deleted.version);
  response->set_recordings_deleted(deleted.recordings_deleted);
  return absl::OkStatus();
}

absl::Status CatalogService::AddRecording(Call& call, const v1::AddRecordingRequest& request,
                                          v1::AddRecordingResponse* response) const {
  ASSIGN_OR_RETURN(auto edit,
                   call.InStage(v1::STAGE_DECODE, [&] { return ToEdit(request, limits_); }));
  ASSIGN_OR_RETURN(const auto added, Apply(call, std::move(edit)));
  *response->mutable_recording() = ToWire(added.recording);
  WarnOfDecoding(call, "audio_file", added.decoding);
  call.FillWarnings(response->mutable_warnings());
  return absl::OkStatus();
}

absl::Status CatalogService::UpdateRecording(Call& call, const v1::UpdateRecordingRequest& request,
                                             v1::UpdateRecordingResponse* response) const {
  ASSIGN_OR_RETURN(auto edit,
                   call.InStage(v1::STAGE_DECODE, [&] { return ToEdit(request, limits_); }));
  ASSIGN_OR_RETURN(const auto updated, Apply(call, std::move(edit)));
  *response->mutable_recording() = ToWire(updated.recording);
  WarnOfDecoding(call, "audio_file", updated.decoding);
  call.FillWarnings(response->mutable_warnings());
  return absl::OkStatus();
}

absl::Status CatalogService::DeleteRecording(Call& call, const v1::DeleteRecordingRequest& request,
                                             v1::DeleteRecordingResponse* response) const {
  ASSIGN_OR_RETURN(auto edit, ToEdit(request));
  ASSIGN_OR_RETURN(const auto deleted, Apply(call, std::move(edit)));
  response->set_version(deleted.version);
  return absl::OkStatus();
}

}  // namespace antiphon::server
