// The edits that can be asked of a collection, and the answer to one. Plain values.
#ifndef ANTIPHON_CORE_EDITING_EDIT_REQUEST_H_
#define ANTIPHON_CORE_EDITING_EDIT_REQUEST_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "core/audio/decode_report.h"
#include "core/catalog/catalog.h"
#include "core/music/score.h"

namespace antiphon::editing {

struct AddPiece {
  catalog::Piece piece;  // id, title, composer, collection and work_id; the rest is filled in
  std::string midi;      // Standard MIDI File bytes
  std::shared_ptr<const music::Score> score =
      {};  // as notation::ReadScore reads `midi`; null: read it
  // Whether its parts are indexed one by one as well; left out: as the bundle's pieces are.
  std::optional<bool> with_parts = {};
};

struct AddRecording {
  catalog::Recording recording;  // all but duration and version, which are filled in
  std::string audio;             // encoded
  bool accept_damaged = false;   // though less than half of it can be decoded
};

// Of an update, what is left out stays as it is. Where an edit expects a version, it is refused
// when the source has another.
struct UpdatePiece {
  std::string id;
  std::optional<std::string> title = {}, composer = {}, collection = {}, work_id = {};
  std::optional<std::string> midi = {};
  std::shared_ptr<const music::Score> score = {};  // as above
  std::optional<bool> with_parts = {};             // as above
  std::optional<int64_t> expected_version = {};
};

struct UpdateRecording {
  std::string id;
  std::optional<std::string> title = {}, composer = {}, collection = {}, piece_id = {};
  std::optional<std::string> audio = {};
  bool accept_damaged = false;  // as above
  std::optional<int64_t> expected_version = {};
};

struct DeletePiece {
  std::string id;
  std::optional<int64_t> expected_version = {};
  bool with_recordings = false;  // else a piece with recordings is not deleted
};

struct DeleteRecording {
  std::string id;
  std::optional<int64_t> expected_version = {};
};

using EditRequest = std::variant<AddPiece, UpdatePiece, DeletePiece, AddRecording, UpdateRecording,
                                 DeleteRecording>;

struct EditResult {
  int64_t version = 0;                // of the last change that the edit made
  catalog::Piece piece = {};          // as it is now, after AddPiece and UpdatePiece
  catalog::Recording recording = {};  // as it is now, after AddRecording and UpdateRecording
  audio::DecodeReport decoding = {};  // of the sound that these brought
  int recordings_deleted = 0;         // along with the piece, by DeletePiece
};

}  // namespace antiphon::editing

#endif  // ANTIPHON_CORE_EDITING_EDIT_REQUEST_H_
