// Why an operation failed, for callers that act on it: a reason beside the code and the message of
// a status, as a payload.
//
//   return WithReason(absl::NotFoundError("piece id: there is none"), ErrorReason::kIdUnknown);
//
// Set where the failure arises; nothing decides by the text of a message. A status made anew, with
// another code or message, has no reason: see Reworded. Payloads stay in the process: what goes to
// a client is chosen in server/wire/status_map.
#ifndef ANTIPHON_CORE_BASE_ERROR_REASON_H_
#define ANTIPHON_CORE_BASE_ERROR_REASON_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

namespace antiphon {

// Numbered from 0 without gaps.
enum class ErrorReason {
  // Of an edit.
  kIdTaken,             // there is a source of the new one's id
  kIdUnknown,           // there is no source of the id to edit
  kPieceUnknown,        // there is no piece of the id that a recording refers to
  kVersionMismatch,     // the source is not in the version expected
  kHasRecordings,       // the piece has recordings, and is not to go with them
  kAudioDamaged,        // less than half of a recording can be decoded, and that is not accepted
  kCollectionReplaced,  // the collection was replaced meanwhile, again and again

  // Of storage (SQLite).
  kStorageFull,         // no room or no memory for it, or larger than can be stored
  kStorageUnavailable,  // it cannot be said whether it is stored
  kStorageBusy,         // another process is in the way
  kStorageReadOnly,     // this process may not write
  kStorageDamaged       // the file is not what it should be, or anything else
};
inline constexpr ErrorReason kLastErrorReason = ErrorReason::kStorageDamaged;

constexpr absl::string_view ErrorReasonName(ErrorReason reason) {
  switch (reason) {
    case ErrorReason::kIdTaken:
      return "ID_TAKEN";
    case ErrorReason::kIdUnknown:
      return "ID_UNKNOWN";
    case ErrorReason::kPieceUnknown:
      return "PIECE_UNKNOWN";
    case ErrorReason::kVersionMismatch:
      return "VERSION_MISMATCH";
    case ErrorReason::kHasRecordings:
      return "HAS_RECORDINGS";
    case ErrorReason::kAudioDamaged:
      return "AUDIO_DAMAGED";
    case ErrorReason::kCollectionReplaced:
      return "COLLECTION_REPLACED";
    case ErrorReason::kStorageFull:
      return "STORAGE_FULL";
    case ErrorReason::kStorageUnavailable:
      return "STORAGE_UNAVAILABLE";
    case ErrorReason::kStorageBusy:
      return "STORAGE_BUSY";
    case ErrorReason::kStorageReadOnly:
      return "STORAGE_READ_ONLY";
    case ErrorReason::kStorageDamaged:
      return "STORAGE_DAMAGED";
  }
  return "";
}

inline constexpr char kErrorReasonUrl[] = "antiphon/error-reason";

// The same failure with its reason, in place of any that it had. OK stays OK.
inline absl::Status WithReason(absl::Status status, ErrorReason reason) {
  if (!status.ok()) status.SetPayload(kErrorReasonUrl, absl::Cord(ErrorReasonName(reason)));
  return status;
}

// None: the status is OK, or nothing has said why it failed.
inline std::optional<ErrorReason> ReasonOf(const absl::Status& status) {
  const auto name = status.GetPayload(kErrorReasonUrl);
  if (!name.has_value()) return std::nullopt;
  for (int i = 0; i <= static_cast<int>(kLastErrorReason); ++i) {
    const auto reason = static_cast<ErrorReason>(i);
    if (*name == ErrorReasonName(reason)) return reason;
  }
  return std::nullopt;
}

// The same code and reason, in other words: for a layer that adds what it was doing. Other payloads
// do not come along. OK stays OK.
inline absl::Status Reworded(const absl::Status& status, absl::string_view message) {
  const std::optional<ErrorReason> reason = ReasonOf(status);
  const absl::Status reworded(status.code(), message);
  return reason.has_value() ? WithReason(reworded, *reason) : reworded;
}

}  // namespace antiphon

#endif  // ANTIPHON_CORE_BASE_ERROR_REASON_H_
