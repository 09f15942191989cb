// What holds after each step of an Append, and so after a crash at that step:
//   1. The transaction has begun: nothing of it counts. The next opening rolls it back.
//   2. COMMIT has returned: rows and state are in the write-ahead log, and that is on the disk
//      (PRAGMA synchronous = FULL). The changes are acknowledged from here on.
//   3. The log is folded into the file: the same, in one file.
// Rows and the state that counts them change in one transaction, so the two can disagree only where
// the file was damaged or edited by hand.
#include "core/catalog/change_journal.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "core/base/error_reason.h"
#include "core/base/status_macros.h"
#include "core/catalog/change_record.h"
#include "core/catalog/database.h"
#include "core/hash/sha256.h"

namespace antiphon::catalog {
namespace {

constexpr int kJournalApplicationId = 0x416e4a6f;  // "AnJo"
// How many changes there are and which number was the last. A row's own hash tells that it was
// altered, but not that it is missing; the count does. The last number outlives its row, so that no
// number is given out twice. The text is part of the format (ChangesTable).
constexpr char kStateTable[] =
    "CREATE TABLE state (one INTEGER PRIMARY KEY, last_sequence INTEGER NOT NULL, "
    "changes INTEGER NOT NULL, sha256 BLOB NOT NULL) STRICT";

struct State {
  int64_t last_sequence = 0;
  int64_t changes = 0;  // rows
};

std::string HashOf(const State& state) {
  return hash::Sha256(absl::StrCat("antiphon journal 1 ", state.last_sequence, " ", state.changes));
}

// A failure of SQLite's, as one of the journal.
absl::Status OfTheJournal(const absl::Status& failure) {
  return Reworded(failure, absl::StrCat("journal: ", failure.message()));
}

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("journal: ", what));
}

absl::Status WriteState(sqlite3* database, const State& state) {
  const std::string sha256 = HashOf(state);
  Statement statement(database, "INSERT OR REPLACE INTO state VALUES (1, ?, ?, ?)");
  return statement.BindInt(1, state.last_sequence)
      .BindInt(2, state.changes)
      .BindBlob(3, sha256)
      .Step()
      .status();
}

absl::StatusOr<State> ReadState(sqlite3* database) {
  Statement select(database, "SELECT last_sequence, changes, sha256 FROM state WHERE one = 1");
  ASSIGN_OR_RETURN(const bool row, MapError(select.Step(), OfTheJournal));
  if (!row) return Damaged("its state is missing");
  const State state = {select.Int(0), select.Int(1)};
  if (select.View(2) != HashOf(state)) return Damaged("its state's SHA-256 does not hold");
  return state;
}

// All of `work` or none of it is in the database, durably, when this returns. IMMEDIATE takes the
// write lock at once: a transaction that began by reading could fail half way when it first writes.
template <typename Work>
absl::Status InTransaction(sqlite3* database, Work&& work) {
  RETURN_IF_ERROR(Execute(database, "BEGIN IMMEDIATE"));
  absl::Status status = work();
  if (status.ok()) status = Execute(database, "COMMIT");
  if (!status.ok()) {
    // Some failures have ended the transaction already; then this one says so.
    Execute(database, "ROLLBACK").IgnoreError();
  }
  return status;
}

absl::Status CreateSchema(sqlite3* database) {
  return InTransaction(database, [&]() -> absl::Status {
    const std::string sql = absl::StrCat("PRAGMA application_id = ", kJournalApplicationId,
                                         "; PRAGMA user_version = ", kJournalVersion, "; ",
                                         ChangesTable(kJournalVersion), "; ", kStateTable, ";");
    RETURN_IF_ERROR(Execute(database, sql.c_str()));
    return WriteState(database, {});
  });
}

absl::StatusOr<int> ReadVersion(sqlite3* database) {
  ASSIGN_OR_RETURN(const int64_t version, ReadNumber(database, "PRAGMA user_version"));
  if (version < kOldestJournalVersion || version > kJournalVersion) {
    return absl::DataLossError(absl::StrCat("has version ", version, ", this program reads ",
                                            kOldestJournalVersion, " to ", kJournalVersion));
  }
  return static_cast<int>(version);
}

absl::Status CheckSchema(sqlite3* database) {
  ASSIGN_OR_RETURN(const int64_t application, ReadNumber(database, "PRAGMA application_id"));
  if (application != kJournalApplicationId) return absl::DataLossError("not a journal file");
  ASSIGN_OR_RETURN(const int version, ReadVersion(database));
  ASSIGN_OR_RETURN(const bool ours, HasExactly(database, {ChangesTable(version), kStateTable}));
  return ours ? absl::OkStatus() : absl::DataLossError("the schema is not ours");
}

// Brings the file to the present version, within the caller's transaction. Checked, because the
// next start refuses any other schema: then it stays as it is.
absl::Status Upgrade(sqlite3* database) {
  ASSIGN_OR_RETURN(const int version, ReadVersion(database));
  RETURN_IF_ERROR(Execute(database, AddColumns(version).c_str()));
  RETURN_IF_ERROR(
      Execute(database, absl::StrCat("PRAGMA user_version = ", kJournalVersion).c_str()));
  return CheckSchema(database);
}

// True for an empty file, also one left by a start that died before it created the schema: the
// schema and the application id are written in one transaction.
absl::StatusOr<bool> IsNew(sqlite3* database) {
  ASSIGN_OR_RETURN(const int64_t application, ReadNumber(database, "PRAGMA application_id"));
  ASSIGN_OR_RETURN(const bool empty, HasExactly(database, {}));
  return application == 0 && empty;
}

// Walks the whole file, so that damage is found now and not by an edit months later. One message is
// enough.
absl::Status CheckStructure(sqlite3* database) {
  Statement check(database, "PRAGMA quick_check(1)");
  ASSIGN_OR_RETURN(const bool row, check.Step());
  if (!row || check.View(0) != "ok") return absl::DataLossError("the file is damaged");
  // SQLite reads a file whose header has a write version that it does not know, and never writes
  // to it.
  if (IsReadOnly(database))
    return absl::DataLossError("its header says that it is only to be read");
  return absl::OkStatus();
}

// Opens or makes the file, with nothing but a journal's schema in it.
absl::StatusOr<Database> OpenFile(const std::string& path) {
  ASSIGN_OR_RETURN(Database database, OpenLastingDatabase(path));
  ASSIGN_OR_RETURN(const bool is_new, IsNew(database.get()));
  // auto_vacuum can only be set before the first table. It lets pages that are free again be given
  // back to the file system (Prune).
  RETURN_IF_ERROR(is_new ? Execute(database.get(), "PRAGMA auto_vacuum = INCREMENTAL")
                         : CheckSchema(database.get()));
  // The log is folded into the file after every change (FoldLog) instead of every thousand pages. A
  // damaged log is cut off by SQLite at the first bad frame without a word; what is in the file is
  // covered by the rows' hashes and the state's count.
  RETURN_IF_ERROR(
      Execute(database.get(), "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"));
  if (is_new) {
    RETURN_IF_ERROR(CreateSchema(database.get()));
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    // The file's name must survive a power cut as well.
    RETURN_IF_ERROR(SyncPath(folder.empty() ? "." : folder.string()));
  }
  RETURN_IF_ERROR(CheckStructure(database.get()));
  return database;
}

}  // namespace

struct ChangeJournal::Impl {
  // Puts what the log holds into the file and empties the log. What is in the log is durable too,
  // so that a failure (a full disk, say) does no harm; the next change tries again.
  void FoldLog() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    Execute(database.get(), "PRAGMA wal_checkpoint(TRUNCATE)").IgnoreError();
  }

  // Makes the state what `work` leaves in it, together with what `work` does to the database, or
  // changes nothing. The state in memory follows only after COMMIT has returned.
  template <typename Work>
  absl::Status Commit(Work&& work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    State next = state;
    sqlite3* const open = database.get();
    const auto work_and_state = [&work, &next, open]() -> absl::Status {
      RETURN_IF_ERROR(work(next));
      return WriteState(open, next);
    };
    RETURN_IF_ERROR(MapError(InTransaction(open, work_and_state), OfTheJournal));
    state = next;
    FoldLog();
    return absl::OkStatus();
  }

  mutable absl::Mutex mutex;
  Database database ABSL_GUARDED_BY(mutex);
  State state ABSL_GUARDED_BY(mutex);
  int version ABSL_GUARDED_BY(mutex) = kJournalVersion;  // of the file
};

ChangeJournal::ChangeJournal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ChangeJournal::~ChangeJournal() = default;

absl::StatusOr<std::unique_ptr<ChangeJournal>> ChangeJournal::Open(const std::string& path) {
  const auto unopened = [](const absl::Status& failure) {
    return absl::IsAborted(failure) ? absl::AbortedError("journal: another process has it open")
                                    : OfTheJournal(failure);
  };
  ASSIGN_OR_RETURN(Database database, MapError(OpenFile(path), unopened));
  ASSIGN_OR_RETURN(const int version, MapError(ReadVersion(database.get()), OfTheJournal));
  ASSIGN_OR_RETURN(const State state, ReadState(database.get()));
  ASSIGN_OR_RETURN(
      const int64_t changes,
      MapError(ReadNumber(database.get(), "SELECT count(*) FROM changes"), OfTheJournal));
  if (changes != state.changes) {
    return Damaged(absl::StrCat("holds ", changes, " changes and should hold ", state.changes));
  }
  auto impl = std::make_unique<Impl>();
  {
    absl::MutexLock lock(&impl->mutex);
    impl->database = std::move(database);
    impl->state = state;
    impl->version = version;
    impl->FoldLog();  // of a process that died
  }
  return std::unique_ptr<ChangeJournal>(new ChangeJournal(std::move(impl)));
}

absl::StatusOr<int64_t> ChangeJournal::Append(const std::string& origin,
                                              std::span<Change> changes) {
  for (const Change& change : changes) {
    RETURN_IF_ERROR(CheckChange(change));
  }
  // Numbers are given out under the lock that guards the transaction, so a failed Append uses up
  // none.
  absl::MutexLock lock(&impl_->mutex);
  const int64_t before = impl_->state.last_sequence;
  for (size_t i = 0; i < changes.size(); ++i) {
    Change& change = changes[i];
    change.sequence = before + 1 + static_cast<int64_t>(i);
    change.source.piece.version = change.source.recording.version = change.sequence;
  }
  RETURN_IF_ERROR(impl_->Commit([&](State& next) {
    impl_->mutex.AssertHeld();
    if (impl_->version < kJournalVersion) {
      RETURN_IF_ERROR(Upgrade(impl_->database.get()));
    }
    Statement insert(impl_->database.get(), kInsertChange);
    for (Change& change : changes) {
      RETURN_IF_ERROR(InsertChange(insert, origin, change));
    }
    next.last_sequence += static_cast<int64_t>(changes.size());
    next.changes += static_cast<int64_t>(changes.size());
    return absl::OkStatus();
  }));
  impl_->version = kJournalVersion;
  return impl_->state.last_sequence;
}

absl::Status ChangeJournal::ReadAfter(
    const std::string& origin, int64_t sequence, const std::function<absl::Status(Change)>& change,
    const std::function<void(int64_t sequence, const std::string& what)>& damaged) {
  absl::MutexLock lock(&impl_->mutex);
  // All rows, not only those of the origin: nothing in a damaged row can be believed, its origin
  // and its number included. It may be one of ours, so it is told.
  Statement select(impl_->database.get(), SelectChanges(impl_->version));
  int64_t seen = 0;
  for (;; ++seen) {
    ASSIGN_OR_RETURN(const bool more, MapError(select.Step(), OfTheJournal));
    if (!more) break;
    absl::StatusOr<ReadChange> read = ReadRow(select);
    if (read.ok() && read->change.sequence > impl_->state.last_sequence) {
      // Only by hand can a row of another journal have come here. Its hash holds, but its number
      // will be given out again.
      read = absl::DataLossError(
          absl::StrCat("is numbered beyond the last, ", impl_->state.last_sequence));
    }
    if (!read.ok()) {
      if (damaged)
        damaged(select.Int(0),
                absl::StrCat("change ", select.Int(0), ": ", read.status().message()));
      continue;
    }
    if (read->origin != origin || read->change.sequence <= sequence) continue;
    RETURN_IF_ERROR(change(std::move(read->change)));
  }
  if (seen == impl_->state.changes) return absl::OkStatus();
  return Damaged(absl::StrCat("holds ", seen, " changes and should hold ", impl_->state.changes));
}

absl::Status ChangeJournal::Prune(const std::string& origin, int64_t sequence,
                                  std::span<const std::string> keep_origins) {
  absl::MutexLock lock(&impl_->mutex);
  sqlite3* database = impl_->database.get();
  RETURN_IF_ERROR(impl_->Commit([&](State& next) {
    Statement forget(database, "DELETE FROM changes WHERE origin = ? AND sequence <= ?");
    RETURN_IF_ERROR(forget.BindText(1, origin).BindInt(2, sequence).Step().status());
    std::string others = "DELETE FROM changes WHERE origin <> ?";
    for (size_t i = 0; i < keep_origins.size(); ++i) absl::StrAppend(&others, " AND origin <> ?");
    Statement drop(database, others);
    drop.BindText(1, origin);
    for (size_t i = 0; i < keep_origins.size(); ++i)
      drop.BindText(static_cast<int>(i) + 2, keep_origins[i]);
    RETURN_IF_ERROR(drop.Step().status());
    ASSIGN_OR_RETURN(const int64_t left, ReadNumber(database, "SELECT count(*) FROM changes"));
    next.changes = left;
    return absl::OkStatus();
  }));
  // Gives the space back to the file system. That is for others' sake, so it may fail.
  Execute(database, "PRAGMA incremental_vacuum").IgnoreError();
  impl_->FoldLog();
  return absl::OkStatus();
}

absl::Status ChangeJournal::SkipTo(int64_t sequence) {
  absl::MutexLock lock(&impl_->mutex);
  if (sequence <= impl_->state.last_sequence) return absl::OkStatus();
  return impl_->Commit([&](State& next) {
    next.last_sequence = sequence;
    return absl::OkStatus();
  });
}

absl::StatusOr<bool> ChangeJournal::Holds(int64_t sequence, std::string_view sha256) {
  absl::MutexLock lock(&impl_->mutex);
  Statement select(impl_->database.get(), SelectChange(impl_->version));
  ASSIGN_OR_RETURN(const bool row, MapError(select.BindInt(1, sequence).Step(), OfTheJournal));
  return row && (StoredHash(select) == sha256 || !ReadRow(select).ok());
}

absl::Status ChangeJournal::BringUpToDate() {
  absl::MutexLock lock(&impl_->mutex);
  if (impl_->version == kJournalVersion) return absl::OkStatus();
  sqlite3* const database = impl_->database.get();
  RETURN_IF_ERROR(impl_->Commit([database](State&) { return Upgrade(database); }));
  impl_->version = kJournalVersion;
  return absl::OkStatus();
}

int ChangeJournal::version() const {
  absl::MutexLock lock(&impl_->mutex);
  return impl_->version;
}

int64_t ChangeJournal::changes() const {
  absl::MutexLock lock(&impl_->mutex);
  return impl_->state.changes;
}

int64_t ChangeJournal::last_sequence() const {
  absl::MutexLock lock(&impl_->mutex);
  return impl_->state.last_sequence;
}

}  // namespace antiphon::catalog
