// What a request says of a piece or a recording, checked, and what a Store says of an edit, as an
// error that names the field to blame.
//
// Stateless; safe from any thread. Failures are InvalidArgument (status_map.h) unless said
// otherwise.
#ifndef ANTIPHON_SERVER_SERVICES_CATALOG_REQUESTS_H_
#define ANTIPHON_SERVER_SERVICES_CATALOG_REQUESTS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "antiphon/v1/catalog.pb.h"
#include "core/catalog/catalog.h"
#include "core/editing/collection_store.h"
#include "server/wire/limits.h"

namespace antiphon::server {

// Id, title, composer and collection; an empty title becomes the id. Fields: "piece", "piece.id",
// "piece.title", …; "score", "score.midi" as DecodeScore.
[[nodiscard]] absl::StatusOr<catalog::Piece> ToPiece(const v1::AddPieceRequest& request,
                                                     const Limits& limits);

// Likewise. Fields: "recording", "recording.id", …; "audio_file" as CheckAudioFile.
[[nodiscard]] absl::StatusOr<catalog::Recording> ToRecording(const v1::AddRecordingRequest& request,
                                                             const Limits& limits);

// Fields: "piece_id", "title", "composer", "collection", "score", "score.midi".
[[nodiscard]] absl::StatusOr<editing::PieceUpdate> ToUpdate(const v1::UpdatePieceRequest& request,
                                                            const Limits& limits);

// Fields: "recording_id", "title", "composer", "collection", "piece_id", "audio_file".
[[nodiscard]] absl::StatusOr<editing::RecordingUpdate> ToUpdate(
    const v1::UpdateRecordingRequest& request, const Limits& limits);

// What a caller is told of an edit that failed in the store: `id` is to blame for one that is taken
// or not there, "expected_version" for one that is not the version, "with_recordings" where
// recordings stand in the way, `content` for a score or sound that cannot be used. A full disk is
// nobody's fault: ResourceExhausted without a field.
absl::Status BlameEdit(const absl::Status& status, absl::string_view id, absl::string_view content);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVICES_CATALOG_REQUESTS_H_
