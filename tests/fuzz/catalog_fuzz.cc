// The catalogue's file: damaged in any way, or a well-formed database that says something else, it gives a consistent
// catalogue or a reason.
//
// The last byte of the input chooses: a whole file, or values to put into the rows of a good one.
#include <fuzzer/FuzzedDataProvider.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/catalog/catalog.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/sample_catalog.h"

using antiphon::fuzz::Require;

namespace {

namespace catalog = antiphon::catalog;

struct Column {
  const char* table;
  const char* name;
};
constexpr Column kColumns[] = {
    {"pieces", "position"},   {"pieces", "id"},           {"pieces", "title"},    {"pieces", "composer"},
    {"pieces", "duration_s"}, {"pieces", "beats"},        {"pieces", "bars"},     {"pieces", "notes"},
    {"pieces", "collection"}, {"pieces", "version"},      {"recordings", "id"},   {"recordings", "piece_id"},
    {"recordings", "title"},  {"recordings", "position"}, {"scores", "position"}, {"recordings", "duration_s"},
    {"scores", "midi"},       {"sounds", "position"},     {"sounds", "audio"},    {"runs", "side"},
    {"runs", "first_vector"}, {"runs", "count"},          {"runs", "source"},     {"runs", "tempo_ratio"},
    {"runs", "start_s"},      {"runs", "hop_s"},          {"runs", "window_s"},   {"recordings", "version"},
};

void BindAnything(sqlite3_stmt* statement, FuzzedDataProvider& input) {
  switch (input.ConsumeIntegralInRange(0, 4)) {
    case 0:
      sqlite3_bind_null(statement, 1);
      break;
    case 1:
      sqlite3_bind_int64(statement, 1, input.ConsumeIntegral<int64_t>());
      break;
    case 2:
      sqlite3_bind_double(statement, 1, input.ConsumeFloatingPoint<double>());
      break;
    case 3: {
      const std::string text = input.ConsumeRandomLengthString(300);
      sqlite3_bind_text(statement, 1, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
      break;
    }
    default: {
      const std::string blob = input.ConsumeRandomLengthString(300);
      sqlite3_bind_blob(statement, 1, blob.data(), static_cast<int>(blob.size()), SQLITE_TRANSIENT);
    }
  }
}

// Puts values into rows, through SQLite with its checks off, as somebody with a database tool might.
void Edit(const std::string& path, FuzzedDataProvider& input) {
  sqlite3* database = nullptr;
  Require(sqlite3_open(path.c_str(), &database) == SQLITE_OK, "the template is a database");
  sqlite3_exec(database, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA ignore_check_constraints = ON",
               nullptr, nullptr, nullptr);
  for (int edits = input.ConsumeIntegralInRange(1, 6); edits > 0; --edits) {
    const Column& column = kColumns[input.ConsumeIntegralInRange<size_t>(0, std::size(kColumns) - 1)];
    const int row = input.ConsumeIntegralInRange(-1, 6);
    const std::string table = column.table;
    // Of the tables, only `runs` has no row id: its rows are told apart by their first vector.
    const std::string where = row < 0           ? ""
                              : table == "runs" ? " WHERE first_vector = " + std::to_string(row)
                                                : " WHERE rowid = " + std::to_string(row);
    const std::string sql = "UPDATE " + table + " SET " + column.name + " = ?1" + where;
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) continue;
    BindAnything(statement, input);
    sqlite3_step(statement);
    sqlite3_finalize(statement);
  }
  sqlite3_close(database);
}

void RequireConsistent(const catalog::Catalog& opened) {
  for (size_t i = 0; i < std::min<size_t>(opened.pieces().size(), 100); ++i) {
    Require(opened.FindPiece(opened.pieces()[i].id) == static_cast<int>(i), "a piece is found by its id");
    const auto midi = opened.ReadMidi(static_cast<int>(i));
    if (!midi.ok()) antiphon::fuzz::RequireRefusal(midi.status(), {absl::StatusCode::kDataLoss});
  }
  for (size_t i = 0; i < std::min<size_t>(opened.recordings().size(), 100); ++i) {
    Require(opened.FindRecording(opened.recordings()[i].id) == static_cast<int>(i), "a recording is found by its id");
    const auto audio = opened.ReadAudio(static_cast<int>(i));
    if (!audio.ok()) antiphon::fuzz::RequireRefusal(audio.status(), {absl::StatusCode::kDataLoss});
  }
  for (const catalog::Side side : {catalog::Side::kScores, catalog::Side::kRecordings}) {
    const size_t sources = side == catalog::Side::kScores ? opened.pieces().size() : opened.recordings().size();
    const int64_t count = opened.vector_count(side);
    for (const int64_t vector : {int64_t{0}, count / 2, count - 1}) {
      if (vector < 0 || vector >= count) continue;
      const auto position = opened.Locate(side, vector);
      Require(position.ok() && position->source >= 0 && static_cast<size_t>(position->source) < sources,
              "a vector is a stretch of a source that is there");
    }
    Require(!opened.Locate(side, count).ok() && !opened.Locate(side, -1).ok(), "there are no vectors beyond the count");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static antiphon::fuzz::Scratch scratch;
  static const std::string good = antiphon::fuzz::SampleCatalog(scratch.File("good"));
  const std::string path = scratch.File("catalog.sqlite");
  FuzzedDataProvider input(data, size);
  if (input.ConsumeBool()) {
    antiphon::fuzz::WriteBytes(path, good);
    Edit(path, input);
  } else {
    antiphon::fuzz::WriteBytes(path, input.ConsumeRemainingBytesAsString());
  }
  const auto opened = catalog::Catalog::Open(path);
  if (opened.ok()) {
    RequireConsistent(**opened);
  } else {
    antiphon::fuzz::RequireRefusal(opened.status(),
                                   {absl::StatusCode::kDataLoss, absl::StatusCode::kFailedPrecondition});
  }
  return 0;
}
