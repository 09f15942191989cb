#include "core/catalog/change_record.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/catalog/checks.h"
#include "core/hash/sha256.h"

namespace antiphon::catalog {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers in blobs are little-endian");

// SQLite holds rows of up to 10^9 bytes. The rest is for the other columns.
constexpr int64_t kMaxChangeBytes = 900'000'000;
constexpr size_t kMaxOriginBytes = 200;
constexpr size_t kRunBytes = size_t{5} * 8;
constexpr size_t kRunWithPartBytes = size_t{6} * 8;
// The columns that have come since the first version, as SQLite keeps them, and with which version.
constexpr struct {
  int version;
  const char* name;
  const char* definition;
  const char* of_former;  // what a row of a former version has in its place
} kAddedColumns[] = {{2, "work_id", "work_id TEXT NOT NULL DEFAULT ''", "''"},
                     {3, "with_parts", "with_parts INTEGER NOT NULL DEFAULT 0", "0"}};

// The columns of a row, as they are bound, read and hashed. Views are the change's or the
// statement's.
struct Row {
  int64_t sequence = 0;
  std::string_view origin;
  int64_t kind = 0;
  int64_t side = 0;
  std::string_view id, title, composer, collection, piece_id;
  double duration_s = 0;
  double beats = 0;
  int64_t bars = 0;
  int64_t notes = 0;
  std::string_view runs, vectors, content;
  std::string_view work_id;
  int64_t with_parts = 0;
};

template <typename Number>
void AppendNumber(std::string& bytes, Number number) {
  static_assert(sizeof(number) == 8);
  bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

template <typename Number>
Number TakeNumber(std::string_view& bytes) {
  static_assert(sizeof(Number) == 8);
  Number number;
  std::memcpy(&number, bytes.data(), sizeof(number));
  bytes.remove_prefix(sizeof(number));
  return number;
}

// The text in front names the format: it changes when the columns do. A row without parts or a work
// is hashed as in a journal of a former version, so that its hash holds on when the columns are
// added. Each text or blob comes after its length, so no two rows give the same bytes ("ab" + "c"
// and "a" + "bc" differ).
absl::StatusOr<std::string> HashOf(const Row& row) {
  const int format = row.with_parts != 0 ? 3 : row.work_id.empty() ? 1 : 2;
  std::string head = absl::StrCat("antiphon change ", format);
  for (const int64_t number : {row.sequence, row.kind, row.side, row.bars, row.notes})
    AppendNumber(head, number);
  for (const double number : {row.duration_s, row.beats}) AppendNumber(head, number);
  hash::Sha256Stream stream;
  for (const std::string_view bytes : {row.origin, row.id, row.title, row.composer, row.collection,
                                       row.piece_id, row.runs, row.vectors, row.content}) {
    AppendNumber(head, static_cast<int64_t>(bytes.size()));
    stream.Update(head);
    stream.Update(bytes);
    head.clear();
  }
  if (format > 1) {
    AppendNumber(head, static_cast<int64_t>(row.work_id.size()));
    stream.Update(head);
    stream.Update(row.work_id);
  }
  return stream.Finish();
}

size_t RunBytes(bool with_parts) { return with_parts ? kRunWithPartBytes : kRunBytes; }

// Count, tempo ratio, start, hop and window, 8 bytes each, and in front of them, where the piece is
// indexed by parts, the part. A run's place among the vectors follows from the runs before it, its
// source from the change.
std::string RunsToBytes(const std::vector<SnippetRun>& runs, bool with_parts) {
  std::string bytes;
  bytes.reserve(runs.size() * RunBytes(with_parts));
  for (const SnippetRun& run : runs) {
    if (with_parts) AppendNumber(bytes, static_cast<int64_t>(run.part));
    AppendNumber(bytes, run.count);
    for (const double number : {run.tempo_ratio, run.start_s, run.hop_s, run.window_s})
      AppendNumber(bytes, number);
  }
  return bytes;
}

std::vector<SnippetRun> RunsFromBytes(std::string_view bytes, bool with_parts) {
  std::vector<SnippetRun> runs;
  int64_t first = 0;
  while (bytes.size() >= RunBytes(with_parts)) {
    SnippetRun run;
    run.first_vector = first;
    if (with_parts) run.part = PartFrom(TakeNumber<int64_t>(bytes));
    run.count = TakeNumber<int64_t>(bytes);
    run.tempo_ratio = TakeNumber<double>(bytes);
    run.start_s = TakeNumber<double>(bytes);
    run.hop_s = TakeNumber<double>(bytes);
    run.window_s = TakeNumber<double>(bytes);
    runs.push_back(run);
    // A sum that would wrap. The run is in the list, and CheckRuns refuses it.
    if (run.count < 0 || run.count > std::numeric_limits<int64_t>::max() - first) break;
    first += run.count;
  }
  return runs;
}

// The journal does not know the dimension. That the floats are a multiple of the windows is all
// that can be asked here; CheckRecord asks for the rest when the change is applied.
absl::Status CheckRuns(const SourceRecord& source) {
  int64_t vectors = 0;
  for (const SnippetRun& run : source.runs) {
    RETURN_IF_ERROR(CheckRun(run, vectors, 1));
    if (run.part != kWhole && !source.piece.with_parts)
      return absl::InvalidArgumentError("run part: the piece is not indexed by parts");
    vectors += run.count;
  }
  const auto floats = static_cast<int64_t>(source.vectors.size());
  const bool whole = vectors == 0 ? floats == 0 : floats > 0 && floats % vectors == 0;
  if (!whole)
    return absl::InvalidArgumentError(
        absl::StrCat("vectors: ", floats, " numbers for ", vectors, " windows"));
  for (const float number : source.vectors) {
    if (!std::isfinite(number))
      return absl::InvalidArgumentError("vectors: a number is not finite");
  }
  return absl::OkStatus();
}

// A deletion has only its number, its side and its id; every other column is empty or 0.
Row RowOf(std::string_view origin, const Change& change, std::string_view runs) {
  Row row;
  row.sequence = change.sequence;
  row.origin = origin;
  row.kind = static_cast<int64_t>(change.kind);
  row.side = static_cast<int64_t>(change.side);
  row.id = change.id;
  if (change.kind == Change::Kind::kDelete) return row;
  if (change.side == Side::kScores) {
    const Piece& piece = change.source.piece;
    std::tie(row.title, row.composer, row.collection) =
        std::tie(piece.title, piece.composer, piece.collection);
    row.duration_s = piece.duration_s;
    row.beats = piece.beats;
    row.bars = piece.bars;
    row.notes = piece.notes;
    row.work_id = piece.work_id;
    row.with_parts = piece.with_parts ? 1 : 0;
  } else {
    const Recording& recording = change.source.recording;
    std::tie(row.title, row.composer) = std::tie(recording.title, recording.composer);
    std::tie(row.collection, row.piece_id) = std::tie(recording.collection, recording.piece_id);
    row.duration_s = recording.duration_s;
  }
  row.runs = runs;
  row.vectors = {reinterpret_cast<const char*>(change.source.vectors.data()),
                 change.source.vectors.size() * sizeof(float)};
  row.content = change.source.content;
  return row;
}

// Requires numbers in the range of their types. The version is the number of the change, and has no
// column of its own.
Change ChangeOf(const Row& row) {
  Change change;
  change.sequence = row.sequence;
  change.kind = static_cast<Change::Kind>(row.kind);
  change.side = static_cast<Side>(row.side);
  change.id = row.id;
  if (change.kind == Change::Kind::kDelete) return change;
  SourceRecord& source = change.source;
  source.side = change.side;
  if (change.side == Side::kScores) {
    source.piece = {std::string(row.id),
                    std::string(row.title),
                    std::string(row.composer),
                    row.duration_s,
                    row.beats,
                    static_cast<int>(row.bars),
                    static_cast<int>(row.notes),
                    std::string(row.collection),
                    row.sequence,
                    std::string(row.work_id),
                    row.with_parts != 0};
  } else {
    source.recording = {std::string(row.id),
                        std::string(row.title),
                        std::string(row.composer),
                        std::string(row.piece_id),
                        row.duration_s,
                        std::string(row.collection),
                        row.sequence};
  }
  source.content = row.content;
  source.runs = RunsFromBytes(row.runs, row.with_parts != 0);
  source.vectors.resize(row.vectors.size() / sizeof(float));
  if (!source.vectors.empty())
    std::memcpy(source.vectors.data(), row.vectors.data(), row.vectors.size());
  return change;
}

std::string SelectFrom(int version) {
  std::string sql =
      "SELECT sequence, origin, kind, side, id, title, composer, collection, piece_id, duration_s, "
      "beats, bars, notes, runs, vectors, content, sha256";
  for (const auto& column : kAddedColumns)
    absl::StrAppend(&sql, ", ", version < column.version ? column.of_former : column.name);
  return absl::StrCat(sql, " FROM changes");
}

}  // namespace

std::string ChangesTable(int version) {
  std::string sql =
      "CREATE TABLE changes (sequence INTEGER PRIMARY KEY, "
      "origin TEXT NOT NULL, kind INTEGER NOT NULL, side INTEGER NOT NULL, id TEXT NOT NULL, "
      "title TEXT NOT NULL, composer TEXT NOT NULL, collection TEXT NOT NULL, "
      "piece_id TEXT NOT NULL, duration_s REAL NOT NULL, beats REAL NOT NULL, "
      "bars INTEGER NOT NULL, notes INTEGER NOT NULL, runs BLOB NOT NULL, vectors BLOB NOT NULL, "
      "content BLOB NOT NULL, sha256 BLOB NOT NULL";
  for (const auto& column : kAddedColumns) {
    if (version >= column.version) absl::StrAppend(&sql, ", ", column.definition);
  }
  return absl::StrCat(sql, ") STRICT");
}

std::string AddColumns(int version) {
  std::string sql;
  for (const auto& column : kAddedColumns) {
    if (version < column.version)
      absl::StrAppend(&sql, "ALTER TABLE changes ADD COLUMN ", column.definition, ";");
  }
  return sql;
}

std::string SelectChanges(int version) {
  return absl::StrCat(SelectFrom(version), " ORDER BY sequence");
}

std::string SelectChange(int version) {
  return absl::StrCat(SelectFrom(version), " WHERE sequence = ?");
}

absl::Status CheckChange(const Change& change) {
  if (change.kind == Change::Kind::kDelete) {
    Piece piece;
    piece.id = change.id;
    return CheckPiece(piece);
  }
  const SourceRecord& source = change.source;
  if (source.side != change.side || source.id() != change.id) {
    return absl::InvalidArgumentError("id: is not that of what is put");
  }
  RETURN_IF_ERROR(source.side == Side::kScores ? CheckPiece(source.piece)
                                               : CheckRecording(source.recording));
  const auto bytes =
      static_cast<int64_t>(source.content.size() + source.vectors.size() * sizeof(float) +
                           source.runs.size() * kRunWithPartBytes);
  if (bytes > kMaxChangeBytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the change takes ", bytes, " bytes, the limit is ", kMaxChangeBytes));
  }
  return CheckRuns(source);
}

absl::Status InsertChange(Statement& insert, std::string_view origin, Change& change) {
  const std::string runs = RunsToBytes(change.source.runs, change.source.piece.with_parts);
  const Row row = RowOf(origin, change, runs);
  ASSIGN_OR_RETURN(change.sha256, HashOf(row));
  insert.BindInt(1, row.sequence).BindText(2, row.origin).BindInt(3, row.kind).BindInt(4, row.side);
  insert.BindText(5, row.id)
      .BindText(6, row.title)
      .BindText(7, row.composer)
      .BindText(8, row.collection);
  insert.BindText(9, row.piece_id)
      .BindReal(10, row.duration_s)
      .BindReal(11, row.beats)
      .BindInt(12, row.bars);
  insert.BindInt(13, row.notes)
      .BindBlob(14, row.runs)
      .BindBlob(15, row.vectors)
      .BindBlob(16, row.content);
  insert.BindBlob(17, change.sha256).BindText(18, row.work_id).BindInt(19, row.with_parts);
  absl::Status status = insert.Step().status();
  insert.Reset();
  return status;
}

absl::StatusOr<ReadChange> ReadRow(const Statement& select) {
  const Row row = {select.Int(0),   select.View(1),  select.Int(2),   select.Int(3),
                   select.View(4),  select.View(5),  select.View(6),  select.View(7),
                   select.View(8),  select.Real(9),  select.Real(10), select.Int(11),
                   select.Int(12),  select.View(13), select.View(14), select.View(15),
                   select.View(17), select.Int(18)};
  ASSIGN_OR_RETURN(const std::string sha256, HashOf(row));
  if (sha256 != StoredHash(select)) return absl::DataLossError("its SHA-256 does not hold");
  // The hash is no signature: anyone who can write to the file can compute it. So the fields are
  // checked as those of any other input.
  constexpr int64_t kMaxInt = std::numeric_limits<int>::max();
  if ((row.kind | row.side | row.with_parts) >> 1 != 0 ||
      (row.with_parts != 0 && row.side != static_cast<int64_t>(Side::kScores)) || row.bars < 0 ||
      row.bars > kMaxInt || row.notes < 0 || row.notes > kMaxInt ||
      row.runs.size() % RunBytes(row.with_parts != 0) != 0 ||
      row.vectors.size() % sizeof(float) != 0 || row.origin.size() > kMaxOriginBytes) {
    return absl::DataLossError("a field is out of range");
  }
  ReadChange read = {std::string(row.origin), ChangeOf(row)};
  read.change.sha256 = sha256;
  RETURN_IF_ERROR(MapError(CheckChange(read.change), [](const absl::Status& invalid) {
    return absl::DataLossError(invalid.message());
  }));
  return read;
}

std::string_view StoredHash(const Statement& select) { return select.View(16); }

}  // namespace antiphon::catalog
