// A change as a row of the journal: its fields as columns, and the hash over all of them. Free of
// state. Internal to core/catalog.
#ifndef ANTIPHON_CORE_CATALOG_CHANGE_RECORD_H_
#define ANTIPHON_CORE_CATALOG_CHANGE_RECORD_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/catalog/change_journal.h"
#include "core/catalog/database.h"

namespace antiphon::catalog {

// The table, and statements that write a row and read all of them in order. SQLite stores the text
// of the first, and a file whose text differs is refused: these characters are part of the format.
inline constexpr char kChangesTable[] =
    "CREATE TABLE changes (sequence INTEGER PRIMARY KEY, "
    "origin TEXT NOT NULL, kind INTEGER NOT NULL, side INTEGER NOT NULL, id TEXT NOT NULL, "
    "title TEXT NOT NULL, composer TEXT NOT NULL, collection TEXT NOT NULL, "
    "piece_id TEXT NOT NULL, duration_s REAL NOT NULL, beats REAL NOT NULL, "
    "bars INTEGER NOT NULL, notes INTEGER NOT NULL, runs BLOB NOT NULL, vectors BLOB NOT NULL, "
    "content BLOB NOT NULL, sha256 BLOB NOT NULL) STRICT";
inline constexpr char kInsertChange[] =
    "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
inline constexpr char kSelectChanges[] =
    "SELECT sequence, origin, kind, side, id, title, composer, collection, piece_id, duration_s, "
    "beats, bars, notes, runs, vectors, content, sha256 FROM changes ORDER BY sequence";

// InvalidArgument says which field cannot be kept, ResourceExhausted that the change is too large.
[[nodiscard]] absl::Status CheckChange(const Change& change);

// Runs the statement kInsertChange. Requires a change that CheckChange accepts, with its number.
[[nodiscard]] absl::Status InsertChange(Statement& insert, std::string_view origin,
                                        const Change& change);

struct ReadChange {
  std::string origin;
  Change change;
};

// The row that a statement kSelectChanges stands on; DataLoss, with the reason, when its hash does
// not hold or its fields are not those of a change.
[[nodiscard]] absl::StatusOr<ReadChange> ReadRow(const Statement& select);

}  // namespace antiphon::catalog

#endif  // ANTIPHON_CORE_CATALOG_CHANGE_RECORD_H_
