#include "server/services/catalog_requests.h"

#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/catalog/checks.h"
#include "server/services/decode.h"
#include "server/wire/field_checks.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

absl::Status CheckTitle(absl::string_view field, const std::string& text) {
  return CheckText(field, text, 0, catalog::kMaxTextBytes);
}

absl::Status CheckCollection(absl::string_view field, const std::string& text) {
  return CheckText(field, text, 0, catalog::kMaxCollectionBytes);
}

template <typename Request>
std::optional<std::string> TitleOf(const Request& request, const std::string& id) {
  if (!request.has_title()) return std::nullopt;
  return request.title().empty() ? id : request.title();
}

// What a caller is told where a change could not be stored: that, and not how changes are stored.
absl::Status OfStorage(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kResourceExhausted:
      return absl::ResourceExhaustedError(
          "the server has no room for the change; nothing has been changed");
    case absl::StatusCode::kUnavailable:
      return absl::UnavailableError(
          "the server cannot store changes; whether this one was is not known");
    case absl::StatusCode::kAborted:
      return CallerError(status.code(),
                         "the collection is being changed by somebody else; try again");
    case absl::StatusCode::kPermissionDenied:
      return CallerError(absl::StatusCode::kFailedPrecondition,
                         "this server may only read its collection");
    default:
      return status;
  }
}

}  // namespace

absl::StatusOr<catalog::Piece> ToPiece(const v1::AddPieceRequest& request, const Limits& limits) {
  if (!request.has_piece()) return FieldError(kInvalid, "piece", "missing");
  const v1::NewPiece& piece = request.piece();
  RETURN_IF_ERROR(
      FirstFailure({CheckId("piece.id", piece.id()), CheckTitle("piece.title", piece.title()),
                    CheckTitle("piece.composer", piece.composer()),
                    CheckCollection("piece.collection", piece.collection())}));
  // Read here only to say what is wrong with it; the store reads it again.
  ASSIGN_OR_RETURN(const auto score, DecodeScore(request.has_score(), request.score(), limits));
  catalog::Piece out;
  out.id = piece.id();
  out.title = piece.title().empty() ? piece.id() : piece.title();
  out.composer = piece.composer();
  out.collection = piece.collection();
  return out;
}

absl::StatusOr<catalog::Recording> ToRecording(const v1::AddRecordingRequest& request,
                                               const Limits& limits) {
  if (!request.has_recording()) return FieldError(kInvalid, "recording", "missing");
  const v1::NewRecording& recording = request.recording();
  RETURN_IF_ERROR(FirstFailure(
      {CheckId("recording.id", recording.id()), CheckTitle("recording.title", recording.title()),
       CheckTitle("recording.composer", recording.composer()),
       CheckCollection("recording.collection", recording.collection()),
       CheckText("recording.piece_id", recording.piece_id(), 0, catalog::kMaxIdBytes)}));
  RETURN_IF_ERROR(CheckAudioFile("audio_file", request.audio_file(), limits));
  catalog::Recording out;
  out.id = recording.id();
  out.title = recording.title().empty() ? recording.id() : recording.title();
  out.composer = recording.composer();
  out.collection = recording.collection();
  out.piece_id = recording.piece_id();
  return out;
}

absl::StatusOr<editing::PieceUpdate> ToUpdate(const v1::UpdatePieceRequest& request,
                                              const Limits& limits) {
  editing::PieceUpdate out;
  out.title = TitleOf(request, request.piece_id());
  if (request.has_composer()) out.composer = request.composer();
  if (request.has_collection()) out.collection = request.collection();
  RETURN_IF_ERROR(
      FirstFailure({CheckId("piece_id", request.piece_id()), CheckTitle("title", request.title()),
                    CheckTitle("composer", request.composer()),
                    CheckCollection("collection", request.collection())}));
  if (!request.has_score()) return out;
  ASSIGN_OR_RETURN(const auto score, DecodeScore(true, request.score(), limits));
  out.midi = request.score().midi();
  return out;
}

absl::StatusOr<editing::RecordingUpdate> ToUpdate(const v1::UpdateRecordingRequest& request,
                                                  const Limits& limits) {
  editing::RecordingUpdate out;
  out.title = TitleOf(request, request.recording_id());
  if (request.has_composer()) out.composer = request.composer();
  if (request.has_collection()) out.collection = request.collection();
  if (request.has_piece_id()) out.piece_id = request.piece_id();
  RETURN_IF_ERROR(FirstFailure(
      {CheckId("recording_id", request.recording_id()), CheckTitle("title", request.title()),
       CheckTitle("composer", request.composer()),
       CheckCollection("collection", request.collection()),
       CheckText("piece_id", request.piece_id(), 0, catalog::kMaxIdBytes)}));
  if (!request.has_audio_file()) return out;
  RETURN_IF_ERROR(CheckAudioFile("audio_file", request.audio_file(), limits));
  out.audio = request.audio_file();
  return out;
}

absl::Status BlameEdit(const absl::Status& status, absl::string_view id,
                       absl::string_view content) {
  if (IsForCaller(status)) return status;
  const std::string message(status.message());
  if (absl::StartsWith(message, "SQLite:")) return OfStorage(status);
  switch (status.code()) {
    case absl::StatusCode::kAlreadyExists:
      return FieldError(status.code(), id, "is taken");
    case absl::StatusCode::kNotFound:
      return FieldError(status.code(), id, "there is none of that id");
    case absl::StatusCode::kAborted:
      if (!absl::StrContains(message, " version: ")) return CallerError(status.code(), message);
      return FieldError(
          status.code(), "expected_version",
          absl::StrCat("somebody else has changed it in between (", message, "); read it again"));
    case absl::StatusCode::kFailedPrecondition:
      return FieldError(status.code(), "with_recordings",
                        "there are recordings of the piece: delete them first, or set this");
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kResourceExhausted:
      return AtField(status, content);
    default:
      return status;
  }
}

}  // namespace antiphon::server
