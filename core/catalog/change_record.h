// A change as a row of the journal: its fields as columns, and the hash over all of them. Free of
// state. Internal to core/catalog.
//
// A journal is of one of two versions. The second has the column work_id; it is made of the first
// by adding that column, so that no row has to be written anew.
#ifndef ANTIPHON_CORE_CATALOG_CHANGE_RECORD_H_
#define ANTIPHON_CORE_CATALOG_CHANGE_RECORD_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/catalog/change_journal.h"
#include "core/catalog/database.h"

namespace antiphon::catalog {

inline constexpr int kJournalVersion = ChangeJournal::kVersion;  // that is written
inline constexpr int kOldestJournalVersion = 1;                  // that is read

// The table as a version has it. SQLite stores this text, and a file whose text differs is refused:
// these characters are part of the format.
std::string ChangesTable(int version);

// Makes a table of version 1 one of version 2. SQLite puts the column into the text of the table so
// that it becomes ChangesTable(2).
inline constexpr char kAddWorks[] =
    "ALTER TABLE changes ADD COLUMN work_id TEXT NOT NULL DEFAULT ''";

// Statements that write a row of version 2, and read rows of a version: all in order, or the one of
// a number.
inline constexpr char kInsertChange[] =
    "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
std::string SelectChanges(int version);
std::string SelectChange(int version);

// InvalidArgument says which field cannot be kept, ResourceExhausted that the change is too large.
[[nodiscard]] absl::Status CheckChange(const Change& change);

// Runs the statement kInsertChange, and fills in the change's hash. Requires a change that
// CheckChange accepts, with its number.
[[nodiscard]] absl::Status InsertChange(Statement& insert, std::string_view origin, Change& change);

struct ReadChange {
  std::string origin;
  Change change;
};

// The row that such a statement stands on; DataLoss, with the reason, when its hash does
// not hold or its fields are not those of a change.
[[nodiscard]] absl::StatusOr<ReadChange> ReadRow(const Statement& select);

// Its hash, whether it holds or not.
std::string_view StoredHash(const Statement& select);

}  // namespace antiphon::catalog

#endif  // ANTIPHON_CORE_CATALOG_CHANGE_RECORD_H_
