// A change as a row of the journal: its fields as columns, and the hash over all of them. Free of
// state. Internal to core/catalog.
//
// A journal is of one of three versions. The second has the column work_id, the third with_parts as
// well; each is made of the one before by adding its column, so that no row has to be written anew.
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

// Statements that make a table of a former version one of the present. SQLite puts the columns into
// the text of the table so that it becomes ChangesTable(kJournalVersion).
std::string AddColumns(int version);

// Statements that write a row of the present version, and read rows of a version: all in order, or
// the one of a number.
inline constexpr char kInsertChange[] =
    "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
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
