#include "server/services/catalog_requests.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/base/error_reason.h"
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

absl::Status CheckWorkId(absl::string_view field, const std::string& text) {
  return CheckText(field, text, 0, catalog::kMaxWorkIdBytes);
}

template <typename Request>
std::optional<std::string> TitleOf(const Request& request, const std::string& id) {
  if (!request.has_title()) return std::nullopt;
  return request.title().empty() ? id : request.title();
}

template <typename Request>
std::optional<int64_t> ExpectedVersion(const Request& request) {
  if (!request.has_expected_version()) return std::nullopt;
  return request.expected_version();
}

// The fields of a request that an edit can fail for.
struct EditFields {
  absl::string_view id;
  absl::string_view piece_id;  // that a recording refers to; of recordings only
  absl::string_view content;   // score or sound; of a deletion the id
};

struct FieldsOf {
  absl::string_view score_field;

  EditFields operator()(const editing::AddPiece&) const { return {"piece.id", "", score_field}; }
  EditFields operator()(const editing::UpdatePiece&) const { return {"piece_id", "", score_field}; }
  EditFields operator()(const editing::DeletePiece&) const { return {"piece_id", "", "piece_id"}; }
  EditFields operator()(const editing::AddRecording&) const {
    return {"recording.id", "recording.piece_id", "audio_file"};
  }
  EditFields operator()(const editing::UpdateRecording&) const {
    return {"recording_id", "piece_id", "audio_file"};
  }
  EditFields operator()(const editing::DeleteRecording&) const {
    return {"recording_id", "", "recording_id"};
  }
};

// What went wrong for a known reason, by the fields of the request. Where a change could not be
// stored the caller is told so, and not how changes are stored.
absl::Status Blame(const absl::Status& status, ErrorReason reason, const EditFields& fields) {
  switch (reason) {
    case ErrorReason::kIdTaken:
      return FieldError(absl::StatusCode::kAlreadyExists, fields.id, "is taken");
    case ErrorReason::kIdUnknown:
      return FieldError(absl::StatusCode::kNotFound, fields.id, "there is none of that id");
    case ErrorReason::kPieceUnknown:
      return FieldError(absl::StatusCode::kNotFound, fields.piece_id, "there is none of that id");
    case ErrorReason::kVersionMismatch:
      return FieldError(absl::StatusCode::kAborted, "expected_version",
                        absl::StrCat("somebody else has changed it in between (", status.message(),
                                     "); read it again"));
    case ErrorReason::kHasRecordings:
      return FieldError(absl::StatusCode::kFailedPrecondition, "with_recordings",
                        "there are recordings of the piece: delete them first, or set this");
    case ErrorReason::kAudioDamaged:
      return FieldError(
          absl::StatusCode::kFailedPrecondition, fields.content,
          absl::StrCat(status.message(), "; send a better copy, or set accept_damaged"));
    case ErrorReason::kCollectionReplaced:
      return CallerError(absl::StatusCode::kAborted, status.message());
    case ErrorReason::kStorageFull:
      return WithReason(absl::ResourceExhaustedError(
                            "the server has no room for the change; nothing has been changed"),
                        reason);
    case ErrorReason::kStorageUnavailable:
      return WithReason(absl::UnavailableError(
                            "the server cannot store changes; whether this one was is not known"),
                        reason);
    case ErrorReason::kStorageBusy:
      return CallerError(absl::StatusCode::kAborted,
                         "the collection is being changed by somebody else; try again");
    case ErrorReason::kStorageReadOnly:
      return CallerError(absl::StatusCode::kFailedPrecondition,
                         "this server may only read its collection");
    case ErrorReason::kStorageDamaged:
      return status;
  }
  return status;
}

}  // namespace

absl::StatusOr<editing::AddPiece> ToEdit(const v1::AddPieceRequest& request, const Limits& limits) {
  if (!request.has_piece()) return FieldError(kInvalid, "piece", "missing");
  const v1::NewPiece& piece = request.piece();
  RETURN_IF_ERROR(
      FirstFailure({CheckId("piece.id", piece.id()), CheckTitle("piece.title", piece.title()),
                    CheckTitle("piece.composer", piece.composer()),
                    CheckCollection("piece.collection", piece.collection()),
                    CheckWorkId("piece.work_id", piece.work_id())}));
  ASSIGN_OR_RETURN(auto score, DecodeScore("", request.has_score(), request.score(), limits));
  const std::string& title = piece.title().empty() ? piece.id() : piece.title();
  return editing::AddPiece{.piece = {.id = piece.id(),
                                     .title = title,
                                     .composer = piece.composer(),
                                     .collection = piece.collection(),
                                     .work_id = piece.work_id()},
                           .midi = ScoreBytesOf(request.score()),
                           .score = std::make_shared<const music::Score>(std::move(score)),
                           .with_parts = piece.has_with_parts()
                                             ? std::optional<bool>(piece.with_parts())
                                             : std::nullopt};
}

absl::StatusOr<editing::AddRecording> ToEdit(const v1::AddRecordingRequest& request,
                                             const Limits& limits) {
  if (!request.has_recording()) return FieldError(kInvalid, "recording", "missing");
  const v1::NewRecording& recording = request.recording();
  RETURN_IF_ERROR(FirstFailure(
      {CheckId("recording.id", recording.id()), CheckTitle("recording.title", recording.title()),
       CheckTitle("recording.composer", recording.composer()),
       CheckCollection("recording.collection", recording.collection()),
       CheckText("recording.piece_id", recording.piece_id(), 0, catalog::kMaxIdBytes)}));
  RETURN_IF_ERROR(CheckAudioFile("audio_file", request.audio_file(), limits));
  const std::string& title = recording.title().empty() ? recording.id() : recording.title();
  return editing::AddRecording{.recording = {.id = recording.id(),
                                             .title = title,
                                             .composer = recording.composer(),
                                             .piece_id = recording.piece_id(),
                                             .collection = recording.collection()},
                               .audio = request.audio_file(),
                               .accept_damaged = request.accept_damaged()};
}

absl::StatusOr<editing::UpdatePiece> ToEdit(const v1::UpdatePieceRequest& request,
                                            const Limits& limits) {
  editing::UpdatePiece out;
  out.id = request.piece_id();
  out.expected_version = ExpectedVersion(request);
  out.title = TitleOf(request, request.piece_id());
  if (request.has_composer()) out.composer = request.composer();
  if (request.has_collection()) out.collection = request.collection();
  if (request.has_work_id()) out.work_id = request.work_id();
  if (request.has_with_parts()) out.with_parts = request.with_parts();
  RETURN_IF_ERROR(
      FirstFailure({CheckId("piece_id", request.piece_id()), CheckTitle("title", request.title()),
                    CheckTitle("composer", request.composer()),
                    CheckCollection("collection", request.collection()),
                    CheckWorkId("work_id", request.work_id())}));
  if (!request.has_score()) return out;
  ASSIGN_OR_RETURN(auto score, DecodeScore("", true, request.score(), limits));
  out.midi = ScoreBytesOf(request.score());
  out.score = std::make_shared<const music::Score>(std::move(score));
  return out;
}

absl::StatusOr<editing::UpdateRecording> ToEdit(const v1::UpdateRecordingRequest& request,
                                                const Limits& limits) {
  editing::UpdateRecording out;
  out.id = request.recording_id();
  out.expected_version = ExpectedVersion(request);
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
  out.accept_damaged = request.accept_damaged();
  return out;
}

absl::StatusOr<editing::DeletePiece> ToEdit(const v1::DeletePieceRequest& request) {
  RETURN_IF_ERROR(CheckId("piece_id", request.piece_id()));
  return editing::DeletePiece{.id = request.piece_id(),
                              .expected_version = ExpectedVersion(request),
                              .with_recordings = request.with_recordings()};
}

absl::StatusOr<editing::DeleteRecording> ToEdit(const v1::DeleteRecordingRequest& request) {
  RETURN_IF_ERROR(CheckId("recording_id", request.recording_id()));
  return editing::DeleteRecording{.id = request.recording_id(),
                                  .expected_version = ExpectedVersion(request)};
}

absl::Status BlameEdit(const absl::Status& status, const editing::EditRequest& edit,
                       absl::string_view score_field) {
  if (IsForCaller(status)) return status;
  const EditFields fields = std::visit(FieldsOf{score_field}, edit);
  if (const std::optional<ErrorReason> reason = ReasonOf(status); reason.has_value())
    return Blame(status, *reason, fields);
  const bool about_content = absl::IsInvalidArgument(status) || absl::IsResourceExhausted(status);
  return about_content ? AtField(status, fields.content) : status;
}

}  // namespace antiphon::server
