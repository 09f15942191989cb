#include "server/services/catalog_requests.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "core/base/error_reason.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

using grpc::StatusCode;

struct Expected {
  StatusCode code;
  std::string field;  // empty: none is blamed
};

// Of adding a recording, the edit that can fail for most reasons.
Expected ExpectedFor(ErrorReason reason) {
  switch (reason) {
    case ErrorReason::kIdTaken:
      return {StatusCode::ALREADY_EXISTS, "recording.id"};
    case ErrorReason::kIdUnknown:
      return {StatusCode::NOT_FOUND, "recording.id"};
    case ErrorReason::kPieceUnknown:
      return {StatusCode::NOT_FOUND, "recording.piece_id"};
    case ErrorReason::kVersionMismatch:
      return {StatusCode::ABORTED, "expected_version"};
    case ErrorReason::kHasRecordings:
      return {StatusCode::FAILED_PRECONDITION, "with_recordings"};
    case ErrorReason::kAudioDamaged:
      return {StatusCode::FAILED_PRECONDITION, "audio_file"};
    case ErrorReason::kCollectionReplaced:
      return {StatusCode::ABORTED, ""};
    case ErrorReason::kStorageFull:
      return {StatusCode::RESOURCE_EXHAUSTED, ""};
    case ErrorReason::kStorageUnavailable:
      return {StatusCode::UNAVAILABLE, ""};
    case ErrorReason::kStorageBusy:
      return {StatusCode::ABORTED, ""};
    case ErrorReason::kStorageReadOnly:
      return {StatusCode::FAILED_PRECONDITION, ""};
    case ErrorReason::kStorageDamaged:
      return {StatusCode::DATA_LOSS, ""};
  }
  return {StatusCode::UNKNOWN, ""};
}

std::string FieldOf(const grpc::Status& status) {
  const auto detail = DetailOf(status);
  return detail.has_value() ? detail->field() : "";
}

grpc::Status Told(const absl::Status& status, const editing::EditRequest& edit) {
  return ToGrpc(BlameEdit(status, edit));
}

TEST(BlameEdit, EveryReasonHasItsCodeAndField) {
  for (int i = 0; i <= static_cast<int>(kLastErrorReason); ++i) {
    const auto reason = static_cast<ErrorReason>(i);
    const grpc::Status status =
        Told(WithReason(absl::DataLossError("below"), reason), editing::AddRecording());
    const Expected expected = ExpectedFor(reason);
    EXPECT_EQ(status.error_code(), expected.code) << ErrorReasonName(reason);
    EXPECT_EQ(FieldOf(status), expected.field) << ErrorReasonName(reason);
    EXPECT_FALSE(status.error_message().empty()) << ErrorReasonName(reason);
    EXPECT_EQ(status.error_details().find(kErrorReasonUrl), std::string::npos)
        << "the reason stays in the process";
  }
}

TEST(BlameEdit, EachEditHasFieldsOfItsOwn) {
  const auto blamed = [](ErrorReason reason, const editing::EditRequest& edit) {
    return FieldOf(Told(WithReason(absl::InternalError("below"), reason), edit));
  };
  EXPECT_EQ(blamed(ErrorReason::kIdTaken, editing::AddPiece()), "piece.id");
  EXPECT_EQ(blamed(ErrorReason::kIdUnknown, editing::UpdatePiece()), "piece_id");
  EXPECT_EQ(blamed(ErrorReason::kIdUnknown, editing::DeletePiece()), "piece_id");
  EXPECT_EQ(blamed(ErrorReason::kIdTaken, editing::AddRecording()), "recording.id");
  EXPECT_EQ(blamed(ErrorReason::kIdUnknown, editing::UpdateRecording()), "recording_id");
  EXPECT_EQ(blamed(ErrorReason::kPieceUnknown, editing::UpdateRecording()), "piece_id");
  EXPECT_EQ(blamed(ErrorReason::kIdUnknown, editing::DeleteRecording()), "recording_id");
}

TEST(BlameEdit, WithoutAReasonOnlyScoreOrSoundCanBeToBlame) {
  const absl::Status unreadable = absl::InvalidArgumentError("no score");
  EXPECT_EQ(FieldOf(Told(unreadable, editing::AddPiece())), "score.midi");
  EXPECT_EQ(FieldOf(Told(unreadable, editing::UpdatePiece())), "score.midi");
  EXPECT_EQ(FieldOf(Told(unreadable, editing::AddRecording())), "audio_file");
  EXPECT_EQ(FieldOf(Told(unreadable, editing::UpdateRecording())), "audio_file");
  EXPECT_EQ(FieldOf(Told(absl::ResourceExhaustedError("too long"), editing::AddPiece())),
            "score.midi");
  // What an index or a file below says is no word about the request, whatever its code.
  for (const absl::StatusCode code :
       {absl::StatusCode::kNotFound, absl::StatusCode::kAlreadyExists, absl::StatusCode::kAborted,
        absl::StatusCode::kFailedPrecondition, absl::StatusCode::kInternal}) {
    const grpc::Status status =
        Told(absl::Status(code, "piece version: SQLite: secret"), editing::AddPiece());
    EXPECT_EQ(status.error_code(), ToGrpcCode(code));
    EXPECT_EQ(FieldOf(status), "");
    EXPECT_EQ(status.error_message(), "a fault of the server; its log says more");
  }
}

TEST(BlameEdit, WhatIsForTheCallerStaysAsItIs) {
  const absl::Status status =
      WithReason(CallerError(absl::StatusCode::kFailedPrecondition, "read only"),
                 ErrorReason::kStorageDamaged);
  EXPECT_EQ(BlameEdit(status, editing::AddPiece()), status);
}

}  // namespace
}  // namespace antiphon::server
