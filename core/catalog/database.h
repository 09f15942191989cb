// The little of SQLite that catalogue and journal need, with statuses and owners.
//
// Belongs to one thread at a time. Internal to core/catalog.
#ifndef ANTIPHON_CORE_CATALOG_DATABASE_H_
#define ANTIPHON_CORE_CATALOG_DATABASE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/catalog/catalog.h"

struct sqlite3;
struct sqlite3_stmt;

namespace antiphon::catalog {

// Marks a file as ours ("Anti") and says which schema it has.
inline constexpr int kApplicationId = 0x416e7469;
inline constexpr int kSchemaVersion = Catalog::kVersion;  // that is written
inline constexpr int kOldestSchemaVersion = 2;            // that is read
inline constexpr int kSchemaWithWorks = 3;  // the first with the column pieces.work_id
inline constexpr int kSchemaWithParts = 4;  // ... with pieces.with_parts and runs.part

// The statements that make a schema of a version that is read, in order; SQLite keeps their text.
std::vector<std::string> SchemaStatements(int version);

struct CloseDatabase {
  void operator()(sqlite3* database) const;
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

// A new, empty database with the schema, in one transaction that is not yet committed. Not durable
// by itself.
[[nodiscard]] absl::StatusOr<Database> CreateDatabase(const std::string& path);

// An existing database, read-only, with a schema that is one of those versions. The file must not
// change as long as it is open. NotFound or DataLoss.
[[nodiscard]] absl::StatusOr<Database> OpenDatabase(const std::string& path);

// A database that is written to and lasts, made when there is none: whatever is in it runs no code,
// and no other process can open it meanwhile (Aborted). Not yet checked. DataLoss when the file is
// not a plain one, PermissionDenied when it cannot be written.
[[nodiscard]] absl::StatusOr<Database> OpenLastingDatabase(const std::string& path);

// Whether SQLite will not write to it: the file's permissions, or, once something was read, its
// header forbid it.
[[nodiscard]] bool IsReadOnly(sqlite3* database);

// Failures of SQLite, in every function here, have a reason kStorage… (core/base/error_reason.h):
// ResourceExhausted when the disk is full, Unavailable when a write may not have lasted, Aborted
// when another process is in the way, PermissionDenied, DataLoss when the file is not what it
// should be.
[[nodiscard]] absl::Status Execute(sqlite3* database, const char* sql);

// The one number that a query gives, 0 when it gives no row.
[[nodiscard]] absl::StatusOr<int64_t> ReadNumber(sqlite3* database, std::string_view sql);

// The tables and indexes are exactly those that the statements make, in order.
[[nodiscard]] absl::StatusOr<bool> HasExactly(sqlite3* database,
                                              const std::vector<std::string>& statements);

// Makes a file's or a folder's contents durable.
[[nodiscard]] absl::Status SyncPath(const std::string& path);

// A prepared statement. Parameters are numbered from 1, columns from 0. The first failure sticks
// and is what Step returns.
class Statement {
 public:
  Statement(sqlite3* database, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Values stay the caller's and must live until Reset.
  Statement& BindInt(int parameter, int64_t value);
  Statement& BindReal(int parameter, double value);
  Statement& BindText(int parameter, std::string_view value);
  Statement& BindBlob(int parameter, std::string_view value);

  // True when there is a row, false at the end.
  [[nodiscard]] absl::StatusOr<bool> Step();
  void Reset();

  int64_t Int(int column) const;
  double Real(int column) const;
  std::string Bytes(int column) const;      // of a text or a blob
  std::string_view View(int column) const;  // the same, until the next Step or Reset

 private:
  void Note(int code);

  sqlite3_stmt* statement_ = nullptr;
  int code_;
};

}  // namespace antiphon::catalog

#endif  // ANTIPHON_CORE_CATALOG_DATABASE_H_
