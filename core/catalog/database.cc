#include "core/catalog/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/base/error_reason.h"
#include "core/base/status_macros.h"
#include "core/catalog/checks.h"

namespace antiphon::catalog {
namespace {

// What the caller can do about it decides the status: free some space, wait for the other process,
// mend permissions. Anything else that SQLite finds wrong is taken as damage to the file.
ErrorReason ReasonFor(int code) {
  switch (code) {
    // Extended codes first; their low byte, SQLITE_IOERR, would make damage of them.
    case SQLITE_IOERR_WRITE:  // for instance a quota
    case SQLITE_IOERR_TRUNCATE:
      return ErrorReason::kStorageFull;
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC:
      return ErrorReason::kStorageUnavailable;
    default:
      break;
  }
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorReason::kStorageBusy;
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
    case SQLITE_FULL:
      return ErrorReason::kStorageFull;
    case SQLITE_CANTOPEN:
      return ErrorReason::kStorageUnavailable;
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return ErrorReason::kStorageReadOnly;
    default:
      return ErrorReason::kStorageDamaged;
  }
}

absl::StatusCode CodeOf(ErrorReason reason) {
  if (reason == ErrorReason::kStorageFull) return absl::StatusCode::kResourceExhausted;
  if (reason == ErrorReason::kStorageUnavailable) return absl::StatusCode::kUnavailable;
  if (reason == ErrorReason::kStorageBusy) return absl::StatusCode::kAborted;
  if (reason == ErrorReason::kStorageReadOnly) return absl::StatusCode::kPermissionDenied;
  return absl::StatusCode::kDataLoss;
}

absl::Status ToStatus(int code, absl::string_view doing) {
  const ErrorReason reason = ReasonFor(code);
  return WithReason(
      absl::Status(CodeOf(reason), absl::StrCat("SQLite: ", doing, ": ", sqlite3_errstr(code))),
      reason);
}

// A path as SQLite's URI names want it.
std::string ToUri(const std::string& path, absl::string_view query) {
  std::string uri = "file:";
  for (const char c : path) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '/' || c == '.' || c == '-' || c == '_';
    if (plain) {
      uri += c;
    } else {
      char escaped[4];
      std::snprintf(escaped, sizeof(escaped), "%%%02X", static_cast<unsigned char>(c));
      uri += escaped;
    }
  }
  return absl::StrCat(uri, "?", query);
}

// NOMUTEX: a connection belongs to one thread at a time, so SQLite's own locking is left out.
absl::StatusOr<Database> OpenUri(const std::string& uri, int flags) {
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(uri.c_str(), &raw, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(raw);
  if (code != SQLITE_OK) return ToStatus(code, "opening");
  sqlite3_extended_result_codes(raw, 1);
  return database;
}

// Whatever is in the file, reading it must run no code of its making and stay inside its bounds: no
// triggers or views, no unsafe functions in the schema, no row longer than ours are, no other
// files. mmap_size 0: a file that shrinks while it is read gives an error, not a SIGBUS.
absl::Status Distrust(sqlite3* database) {
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_limit(database, SQLITE_LIMIT_LENGTH, static_cast<int>(kMaxBlobBytes + 4096));
  sqlite3_limit(database, SQLITE_LIMIT_ATTACHED, 0);
  return Execute(database, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;");
}

absl::Status CheckSchema(sqlite3* database) {
  ASSIGN_OR_RETURN(const int64_t application, ReadNumber(database, "PRAGMA application_id"));
  if (application != kApplicationId) return absl::DataLossError("catalogue: not a catalogue file");
  ASSIGN_OR_RETURN(const int64_t version, ReadNumber(database, "PRAGMA user_version"));
  if (version < kOldestSchemaVersion || version > kSchemaVersion) {
    return absl::DataLossError(
        absl::StrCat("catalogue: has schema version ", version, ", this program reads ",
                     kOldestSchemaVersion, " to ", kSchemaVersion,
                     version < kOldestSchemaVersion
                         ? ": too old for `antiphon-trainer migrate`: index the collection again "
                           "from its files"
                         : ""));
  }
  // Exactly our tables, by their text: a view or a computed column in their place could run for
  // ever.
  ASSIGN_OR_RETURN(const bool ours,
                   HasExactly(database, SchemaStatements(static_cast<int>(version))));
  return ours ? absl::OkStatus() : absl::DataLossError("catalogue: the schema is not ours");
}

}  // namespace

std::vector<std::string> SchemaStatements(int version) {
  // Scores and sound lie apart from the metadata, so that reading all metadata does not walk over
  // them.
  return {
      absl::StrCat("CREATE TABLE pieces (position INTEGER PRIMARY KEY, id TEXT NOT NULL, "
                   "title TEXT NOT NULL, composer TEXT NOT NULL, duration_s REAL NOT NULL, "
                   "beats REAL NOT NULL, bars INTEGER NOT NULL, notes INTEGER NOT NULL, "
                   "collection TEXT NOT NULL, version INTEGER NOT NULL",
                   version < kSchemaWithWorks ? "" : ", work_id TEXT NOT NULL",
                   version < kSchemaWithParts ? "" : ", with_parts INTEGER NOT NULL", ") STRICT"),
      ("CREATE TABLE recordings (position INTEGER PRIMARY KEY, id TEXT NOT NULL, "
       "title TEXT NOT NULL, composer TEXT NOT NULL, piece_id TEXT NOT NULL, "
       "duration_s REAL NOT NULL, collection TEXT NOT NULL, version INTEGER NOT NULL) STRICT"),
      "CREATE TABLE scores (position INTEGER PRIMARY KEY, midi BLOB NOT NULL) STRICT",
      "CREATE TABLE sounds (position INTEGER PRIMARY KEY, audio BLOB NOT NULL) STRICT",
      absl::StrCat("CREATE TABLE runs (side INTEGER NOT NULL, first_vector INTEGER NOT NULL, "
                   "count INTEGER NOT NULL, source INTEGER NOT NULL, tempo_ratio REAL NOT NULL, "
                   "start_s REAL NOT NULL, hop_s REAL NOT NULL, window_s REAL NOT NULL, ",
                   version < kSchemaWithParts ? "" : "part INTEGER NOT NULL, ",
                   "PRIMARY KEY (side, first_vector)) STRICT, WITHOUT ROWID"),
  };
}

void CloseDatabase::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

absl::Status Execute(sqlite3* database, const char* sql) {
  const int code = sqlite3_exec(database, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : ToStatus(code, "executing");
}

absl::StatusOr<Database> CreateDatabase(const std::string& path) {
  ASSIGN_OR_RETURN(Database database,
                   OpenUri(ToUri(path, "mode=rwc"), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  // The file counts only once it is complete and has its name (CatalogWriter::Finish), so no
  // journal has to protect it on the way, and it is synced once, as a whole.
  std::string sql =
      absl::StrCat("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA application_id = ",
                   kApplicationId, "; PRAGMA user_version = ", kSchemaVersion, "; BEGIN;");
  for (const std::string& statement : SchemaStatements(kSchemaVersion))
    absl::StrAppend(&sql, statement, ";");
  RETURN_IF_ERROR(Execute(database.get(), sql.c_str()));
  return database;
}

absl::StatusOr<Database> OpenDatabase(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0)
    return absl::NotFoundError("catalogue: there is no such file");
  if (!S_ISREG(info.st_mode)) return absl::DataLossError("catalogue: not a plain file");
  // immutable: SQLite takes no locks and looks for no journal, so a collection can be opened from a
  // file system that is mounted read-only.
  ASSIGN_OR_RETURN(Database database,
                   OpenUri(ToUri(path, "mode=ro&immutable=1"), SQLITE_OPEN_READONLY));
  RETURN_IF_ERROR(Distrust(database.get()));
  RETURN_IF_ERROR(CheckSchema(database.get()));
  return database;
}

absl::StatusOr<Database> OpenLastingDatabase(const std::string& path) {
  // lstat: a link would let whoever can write to the folder choose the file that is written.
  struct stat info = {};
  if (lstat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
    return absl::DataLossError("not a plain file");
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (access(folder.empty() ? "." : folder.c_str(), W_OK) != 0) {
    return absl::ErrnoToStatus(errno, "its folder cannot be written to");
  }
  ASSIGN_OR_RETURN(Database database,
                   OpenUri(ToUri(path, "mode=rwc"), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  RETURN_IF_ERROR(Distrust(database.get()));
  // SQLite is content with a file that it may only read.
  if (IsReadOnly(database.get())) return absl::PermissionDeniedError("cannot be written");
  // EXCLUSIVE before the first access: the write-ahead log then needs no shared memory, and a
  // second process gets SQLITE_BUSY for as long as this one lives. FULL: a commit returns once its
  // part of the log is on the disk, so what has been acknowledged survives a power cut.
  RETURN_IF_ERROR(
      Execute(database.get(), "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL;"));
  return database;
}

bool IsReadOnly(sqlite3* database) { return sqlite3_db_readonly(database, "main") == 1; }

absl::StatusOr<int64_t> ReadNumber(sqlite3* database, std::string_view sql) {
  Statement statement(database, sql);
  ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Int(0) : 0;
}

absl::StatusOr<bool> HasExactly(sqlite3* database, const std::vector<std::string>& statements) {
  // Indexes that SQLite makes by itself have no text. Everything else must be ours, in our order.
  Statement schema(database, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid");
  for (const std::string& expected : statements) {
    ASSIGN_OR_RETURN(const bool row, schema.Step());
    if (!row || schema.Bytes(0) != expected) return false;
  }
  ASSIGN_OR_RETURN(const bool more, schema.Step());
  return !more;
}

absl::Status SyncPath(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, "cannot be opened to make it durable");
  const int failed = fsync(descriptor) != 0 ? errno : 0;
  close(descriptor);
  return failed == 0 ? absl::OkStatus() : absl::ErrnoToStatus(failed, "cannot be made durable");
}

// Failures stick: after the first, binding does nothing and Step returns it, so that callers check
// once, at Step.
Statement::Statement(sqlite3* database, std::string_view sql)
    : code_(sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement_,
                               nullptr)) {}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::Note(int code) {
  if (code_ == SQLITE_OK) code_ = code;
}

Statement& Statement::BindInt(int parameter, int64_t value) {
  if (code_ == SQLITE_OK) Note(sqlite3_bind_int64(statement_, parameter, value));
  return *this;
}

Statement& Statement::BindReal(int parameter, double value) {
  if (code_ == SQLITE_OK) Note(sqlite3_bind_double(statement_, parameter, value));
  return *this;
}

Statement& Statement::BindText(int parameter, std::string_view value) {
  if (code_ == SQLITE_OK) {
    Note(sqlite3_bind_text64(statement_, parameter, value.data() == nullptr ? "" : value.data(),
                             value.size(), SQLITE_STATIC, SQLITE_UTF8));
  }
  return *this;
}

Statement& Statement::BindBlob(int parameter, std::string_view value) {
  if (code_ == SQLITE_OK) {
    // A null pointer would bind NULL in place of an empty blob.
    Note(sqlite3_bind_blob64(statement_, parameter, value.data() == nullptr ? "" : value.data(),
                             value.size(), SQLITE_STATIC));
  }
  return *this;
}

// SQLITE_STATIC above: SQLite keeps pointers to the caller's bytes instead of copying them, which
// matters for scores and sound of megabytes.
absl::StatusOr<bool> Statement::Step() {
  if (code_ != SQLITE_OK) return ToStatus(code_, "preparing");
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return ToStatus(code, "reading or writing");
}

void Statement::Reset() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::Real(int column) const { return sqlite3_column_double(statement_, column); }

std::string Statement::Bytes(int column) const { return std::string(View(column)); }

std::string_view Statement::View(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data),
          static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

}  // namespace antiphon::catalog
