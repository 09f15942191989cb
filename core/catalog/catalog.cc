#include "core/catalog/catalog.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "core/base/status_macros.h"
#include "core/catalog/checks.h"
#include "core/catalog/database.h"

namespace antiphon::catalog {
namespace {

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("catalogue: ", what));
}

// A CatalogWriter checks every row before it writes it, so a row that fails the check is damage.
absl::Status DamagedRow(const absl::Status& failure) { return Damaged(failure.message()); }

absl::StatusOr<int> ToInt(int64_t value) {
  if (value < 0 || value > std::numeric_limits<int>::max())
    return Damaged("a number is out of range");
  return static_cast<int>(value);
}

using Positions = std::unordered_map<std::string, int>;

// Notes that `id` is at the next position, which the row must say too.
absl::Status Place(Positions& positions, int64_t position, const std::string& id) {
  if (position != static_cast<int64_t>(positions.size()) || position >= kMaxSources) {
    return Damaged("positions do not follow one another");
  }
  if (!positions.emplace(id, static_cast<int>(position)).second)
    return Damaged(absl::StrCat("id \"", id, "\" is there twice"));
  return absl::OkStatus();
}

// Calls row() for each row of a query until one fails.
template <typename Function>
absl::Status ForEachRow(Statement& query, Function&& row) {
  while (true) {
    ASSIGN_OR_RETURN(const bool more, query.Step());
    if (!more) return absl::OkStatus();
    RETURN_IF_ERROR(row());
  }
}

absl::Status ReadPieces(sqlite3* database, std::vector<Piece>& pieces, Positions& positions) {
  ASSIGN_OR_RETURN(const int64_t schema, ReadNumber(database, "PRAGMA user_version"));
  Statement query(
      database,
      absl::StrCat("SELECT position, id, title, composer, duration_s, beats, bars, notes, "
                   "collection, version, ",
                   schema < kSchemaWithWorks ? "''" : "work_id", ", ",
                   schema < kSchemaWithParts ? "0" : "with_parts",
                   " FROM pieces ORDER BY position"));
  return ForEachRow(query, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const int bars, ToInt(query.Int(6)));
    ASSIGN_OR_RETURN(const int notes, ToInt(query.Int(7)));
    Piece piece = {query.Bytes(1), query.Bytes(2), query.Bytes(3), query.Real(4), query.Real(5),
                   bars,           notes,          query.Bytes(8), query.Int(9),  query.Bytes(10)};
    piece.with_parts = query.Int(11) != 0;
    RETURN_IF_ERROR(MapError(CheckPiece(piece), DamagedRow));
    RETURN_IF_ERROR(Place(positions, query.Int(0), piece.id));
    pieces.push_back(std::move(piece));
    return absl::OkStatus();
  });
}

absl::Status ReadRecordings(sqlite3* database, std::vector<Recording>& recordings,
                            Positions& positions) {
  Statement query(database,
                  "SELECT position, id, title, composer, piece_id, duration_s, collection, version "
                  "FROM recordings "
                  "ORDER BY position");
  return ForEachRow(query, [&]() -> absl::Status {
    Recording recording = {query.Bytes(1), query.Bytes(2), query.Bytes(3), query.Bytes(4),
                           query.Real(5),  query.Bytes(6), query.Int(7)};
    RETURN_IF_ERROR(MapError(CheckRecording(recording), DamagedRow));
    RETURN_IF_ERROR(Place(positions, query.Int(0), recording.id));
    recordings.push_back(std::move(recording));
    return absl::OkStatus();
  });
}

}  // namespace

struct Catalog::Impl {
  struct RunTable {
    std::vector<SnippetRun> runs;
    int64_t vectors = 0;
  };

  const RunTable& table(Side side) const { return tables[static_cast<int>(side)]; }

  absl::Status ReadRuns(sqlite3* opened) {
    Statement query(
        opened,
        absl::StrCat(
            "SELECT side, first_vector, count, source, tempo_ratio, start_s, hop_s, window_s, ",
            version < kSchemaWithParts ? "-1" : "part", " FROM runs ORDER BY side, first_vector"));
    return ForEachRow(query, [&]() -> absl::Status {
      const int64_t side = query.Int(0);
      if (side != 0 && side != 1) return Damaged("a run is of an unknown side");
      ASSIGN_OR_RETURN(const int source, ToInt(query.Int(3)));
      const SnippetRun run = {query.Int(1),  query.Int(2),  source,        query.Real(4),
                              query.Real(5), query.Real(6), query.Real(7), PartFrom(query.Int(8))};
      RunTable& table = tables[side];
      const size_t sources =
          side == static_cast<int>(Side::kScores) ? pieces.size() : recordings.size();
      RETURN_IF_ERROR(MapError(CheckRun(run, table.vectors, sources), DamagedRow));
      table.runs.push_back(run);
      table.vectors += run.count;
      return absl::OkStatus();
    });
  }

  // The one blob that `sql` selects for a position.
  absl::StatusOr<std::string> ReadBlob(const char* sql, int position) ABSL_LOCKS_EXCLUDED(mutex) {
    absl::MutexLock lock(&mutex);
    Statement query(database.get(), sql);
    ASSIGN_OR_RETURN(const bool row, query.BindInt(1, position).Step());
    if (!row) return Damaged("the bytes of an entry are missing");
    return query.Bytes(0);
  }

  std::vector<Piece> pieces;
  std::vector<Recording> recordings;
  Positions piece_positions;
  Positions recording_positions;
  RunTable tables[2];  // by side
  int version = Catalog::kVersion;
  absl::Mutex mutex;
  Database database ABSL_GUARDED_BY(mutex);
};

Catalog::Catalog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Catalog::~Catalog() = default;

absl::StatusOr<std::unique_ptr<Catalog>> Catalog::Open(const std::string& path) {
  ASSIGN_OR_RETURN(Database database, OpenDatabase(path));
  auto impl = std::make_unique<Impl>();
  ASSIGN_OR_RETURN(const int64_t version, ReadNumber(database.get(), "PRAGMA user_version"));
  impl->version = static_cast<int>(version);
  RETURN_IF_ERROR(ReadPieces(database.get(), impl->pieces, impl->piece_positions));
  RETURN_IF_ERROR(ReadRecordings(database.get(), impl->recordings, impl->recording_positions));
  RETURN_IF_ERROR(impl->ReadRuns(database.get()));
  {
    absl::MutexLock lock(&impl->mutex);
    impl->database = std::move(database);
  }
  return std::unique_ptr<Catalog>(new Catalog(std::move(impl)));
}

int Catalog::version() const { return impl_->version; }
const std::vector<Piece>& Catalog::pieces() const { return impl_->pieces; }
const std::vector<Recording>& Catalog::recordings() const { return impl_->recordings; }
const std::vector<SnippetRun>& Catalog::runs(Side side) const { return impl_->table(side).runs; }
int64_t Catalog::vector_count(Side side) const { return impl_->table(side).vectors; }

std::optional<int> Catalog::FindPiece(std::string_view id) const {
  const auto found = impl_->piece_positions.find(std::string(id));
  return found == impl_->piece_positions.end() ? std::nullopt : std::optional(found->second);
}

std::optional<int> Catalog::FindRecording(std::string_view id) const {
  const auto found = impl_->recording_positions.find(std::string(id));
  return found == impl_->recording_positions.end() ? std::nullopt : std::optional(found->second);
}

absl::StatusOr<std::string> Catalog::ReadMidi(int piece) const {
  if (piece < 0 || static_cast<size_t>(piece) >= impl_->pieces.size()) {
    return absl::OutOfRangeError(
        absl::StrCat("piece ", piece, ": there are ", impl_->pieces.size()));
  }
  return impl_->ReadBlob("SELECT midi FROM scores WHERE position = ?", piece);
}

absl::StatusOr<std::string> Catalog::ReadAudio(int recording) const {
  if (recording < 0 || static_cast<size_t>(recording) >= impl_->recordings.size()) {
    return absl::OutOfRangeError(
        absl::StrCat("recording ", recording, ": there are ", impl_->recordings.size()));
  }
  return impl_->ReadBlob("SELECT audio FROM sounds WHERE position = ?", recording);
}

absl::StatusOr<SnippetPosition> Catalog::Locate(Side side, int64_t vector) const {
  const Impl::RunTable& table = impl_->table(side);
  if (vector < 0 || vector >= table.vectors) {
    return absl::OutOfRangeError(absl::StrCat("vector ", vector, ": there are ", table.vectors));
  }
  const auto after =
      std::upper_bound(table.runs.begin(), table.runs.end(), vector,
                       [](int64_t v, const SnippetRun& run) { return v < run.first_vector; });
  const SnippetRun& run = *std::prev(after);
  const double start = run.start_s + static_cast<double>(vector - run.first_vector) * run.hop_s;
  return SnippetPosition{run.source, run.tempo_ratio, start, start + run.window_s, run.part};
}

}  // namespace antiphon::catalog
