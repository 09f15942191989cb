// What a request says of a piece or a recording, checked, and what a Store says of an edit, as an
// error that names the field to blame.
//
// Stateless; safe from any thread. Failures are InvalidArgument (status_map.h) unless said
// otherwise.
#ifndef ANTIPHON_SERVER_SERVICES_CATALOG_REQUESTS_H_
#define ANTIPHON_SERVER_SERVICES_CATALOG_REQUESTS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "antiphon/v1/catalog.pb.h"
#include "core/editing/edit_request.h"
#include "server/wire/limits.h"

namespace antiphon::server {

// An empty title of a new piece becomes the id. Fields: "piece", "piece.id", "piece.title", …;
// "score", "score.midi", "score.file" as DecodeScore.
[[nodiscard]] absl::StatusOr<editing::AddPiece> ToEdit(const v1::AddPieceRequest& request,
                                                       const Limits& limits);

// Likewise. Fields: "recording", "recording.id", …; "audio_file" as CheckAudioFile.
[[nodiscard]] absl::StatusOr<editing::AddRecording> ToEdit(const v1::AddRecordingRequest& request,
                                                           const Limits& limits);

// Fields: "piece_id", "title", "composer", "collection", "work_id", "score", "score.midi",
// "score.file".
[[nodiscard]] absl::StatusOr<editing::UpdatePiece> ToEdit(const v1::UpdatePieceRequest& request,
                                                          const Limits& limits);

// Fields: "recording_id", "title", "composer", "collection", "piece_id", "audio_file".
[[nodiscard]] absl::StatusOr<editing::UpdateRecording> ToEdit(
    const v1::UpdateRecordingRequest& request, const Limits& limits);

// Field: "piece_id".
[[nodiscard]] absl::StatusOr<editing::DeletePiece> ToEdit(const v1::DeletePieceRequest& request);

// Field: "recording_id".
[[nodiscard]] absl::StatusOr<editing::DeleteRecording> ToEdit(
    const v1::DeleteRecordingRequest& request);

// What a caller is told of an edit that failed in the store, by its reason
// (core/base/error_reason.h) and the fields of its request: the id for one that is taken or not
// there, "expected_version" for one that is not the version, "with_recordings" where recordings
// stand in the way. Score or sound are to blame for what is InvalidArgument or ResourceExhausted
// without a reason. A full disk is nobody's fault: ResourceExhausted without a field.
// `score_field` is the field that a score came in.
absl::Status BlameEdit(const absl::Status& status, const editing::EditRequest& edit,
                       absl::string_view score_field = "score.midi");

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVICES_CATALOG_REQUESTS_H_
