// The journal of changes: damaged in any way, its write-ahead log too, or a well-formed database
// that says something else, it gives changes that can be applied, or a reason.
//
// The last byte of the input chooses: a whole file (and, behind its length, a log), or values to
// put into the rows of a good one of the present or the former version, with their hashes left as
// they were or made right.
#include <fuzzer/FuzzedDataProvider.h>
#include <sqlite3.h>

#include <cmath>
#include <cstring>

#include "core/catalog/change_journal.h"
#include "core/hash/sha256.h"
#include "tests/fuzz/database_edits.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/sample_journal.h"

using antiphon::fuzz::Require;

namespace {

namespace catalog = antiphon::catalog;
using antiphon::fuzz::kSampleOrigin;

constexpr antiphon::fuzz::Column kColumns[] = {
    {"changes", "sequence", "sequence"},   {"changes", "origin", "sequence"},
    {"changes", "kind", "sequence"},       {"changes", "side", "sequence"},
    {"changes", "id", "sequence"},         {"changes", "title", "sequence"},
    {"changes", "composer", "sequence"},   {"changes", "collection", "sequence"},
    {"changes", "piece_id", "sequence"},   {"changes", "duration_s", "sequence"},
    {"changes", "beats", "sequence"},      {"changes", "bars", "sequence"},
    {"changes", "notes", "sequence"},      {"changes", "runs", "sequence"},
    {"changes", "vectors", "sequence"},    {"changes", "content", "sequence"},
    {"changes", "sha256", "sequence"},     {"changes", "work_id", "sequence"},
    {"changes", "with_parts", "sequence"},
};

template <typename Number>
void AppendNumber(std::string& bytes, Number number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

// As core/catalog/change_record.cc has it: what an enemy who knows the format would write.
void HashRow(sqlite3_context* context, int count, sqlite3_value** values) {
  const auto append = [&](std::string& bytes, sqlite3_value* value) {
    const int size = sqlite3_value_bytes(value);
    AppendNumber(bytes, static_cast<int64_t>(size));
    if (size > 0) bytes.append(static_cast<const char*>(sqlite3_value_blob(value)), size);
  };
  const bool has_parts = count > 17 && sqlite3_value_int64(values[17]) != 0;
  const bool has_work = count > 16 && sqlite3_value_bytes(values[16]) > 0;
  std::string bytes = has_parts  ? "antiphon change 3"
                      : has_work ? "antiphon change 2"
                                 : "antiphon change 1";
  for (const int column : {0, 2, 3, 11, 12})
    AppendNumber(bytes, sqlite3_value_int64(values[column]));
  for (const int column : {9, 10}) AppendNumber(bytes, sqlite3_value_double(values[column]));
  for (const int column : {1, 4, 5, 6, 7, 8, 13, 14, 15}) append(bytes, values[column]);
  if (has_work || has_parts) append(bytes, values[16]);
  const std::string hash = antiphon::hash::Sha256(bytes);
  sqlite3_result_blob(context, hash.data(), static_cast<int>(hash.size()), SQLITE_TRANSIENT);
}

void MakeHashesRight(sqlite3* database) {
  sqlite3_create_function(database, "row_hash", -1, SQLITE_UTF8, nullptr, HashRow, nullptr,
                          nullptr);
  // A former version lacks the column; then the statement fails.
  for (const std::string columns : {", work_id, with_parts", ", work_id", ""}) {
    const std::string sql =
        "UPDATE changes SET sha256 = row_hash(sequence, origin, kind, side, id, title, composer, "
        "collection, piece_id, duration_s, beats, bars, notes, runs, vectors, content" +
        columns + ")";
    if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) break;
  }
}

void RequireApplicable(const catalog::Change& change, int64_t after) {
  Require(change.sequence > after, "changes come in order");
  Require(!change.id.empty(), "a change is one of something");
  if (change.kind == catalog::Change::Kind::kDelete) return;
  int64_t vectors = 0;
  for (const catalog::SnippetRun& run : change.source.runs) {
    Require(run.first_vector == vectors && run.count > 0 && run.source == 0,
            "runs follow one another");
    Require(std::isfinite(run.start_s) && std::isfinite(run.hop_s) && run.tempo_ratio > 0,
            "a run has a place");
    vectors += run.count;
  }
  Require(vectors == 0 ? change.source.vectors.empty()
                       : change.source.vectors.size() % static_cast<size_t>(vectors) == 0,
          "there are vectors for every window of the runs");
  for (const float number : change.source.vectors)
    Require(std::isfinite(number), "vectors are finite");
}

void Use(catalog::ChangeJournal& journal) {
  int64_t last = 0;
  const absl::Status read = journal.ReadAfter(
      kSampleOrigin, 0,
      [&](const catalog::Change& change) {
        RequireApplicable(change, last);
        last = change.sequence;
        return absl::OkStatus();
      },
      [](int64_t /*sequence*/, const std::string& what) {
        Require(!what.empty(), "damage is described");
      });
  if (!read.ok()) {
    antiphon::fuzz::RequireRefusal(read, {absl::StatusCode::kDataLoss});
    return;
  }
  const int64_t before = journal.last_sequence();
  Require(before >= last, "the last number is not less than any change's");
  auto changes = antiphon::fuzz::SampleChanges();
  const auto appended = journal.Append(kSampleOrigin, changes);
  if (appended.ok()) {
    Require(*appended == before + static_cast<int64_t>(changes.size()),
            "numbers follow one another");
  } else {
    // A file that was read may still not be writable: damaged, or at the last number.
    antiphon::fuzz::RequireRefusal(
        appended.status(), {absl::StatusCode::kDataLoss, absl::StatusCode::kResourceExhausted,
                            absl::StatusCode::kInternal});
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static antiphon::fuzz::Scratch scratch;
  static const std::string good = antiphon::fuzz::SampleJournal(scratch.File("good"));
  static const std::string former = antiphon::fuzz::InFormerVersion(
      antiphon::fuzz::SampleJournal(scratch.File("without_works"), ""), scratch.File("former"),
      antiphon::fuzz::kToFormerJournal);
  const std::string path = scratch.File("journal.sqlite");
  for (const char* beside : {"-wal", "-shm", "-journal"}) unlink((path + beside).c_str());
  FuzzedDataProvider input(data, size);
  const int form = input.ConsumeIntegralInRange(0, 5);
  if (form <= 1 || form >= 4) {
    antiphon::fuzz::WriteBytes(path, form <= 1 ? good : former);
    antiphon::fuzz::EditRows(path, kColumns, input,
                             form % 4 == 0 ? MakeHashesRight : std::function<void(sqlite3*)>());
  } else {
    const size_t log = form == 3 ? input.ConsumeIntegral<uint16_t>() : 0;
    const std::string bytes = input.ConsumeRemainingBytesAsString();
    const size_t split = bytes.size() - std::min(log, bytes.size());
    antiphon::fuzz::WriteBytes(path, std::string_view(bytes).substr(0, split));
    if (form == 3) antiphon::fuzz::WriteBytes(path + "-wal", std::string_view(bytes).substr(split));
  }
  const auto opened = catalog::ChangeJournal::Open(path);
  if (opened.ok()) {
    Use(**opened);
  } else {
    antiphon::fuzz::RequireRefusal(opened.status(), {absl::StatusCode::kDataLoss});
  }
  return 0;
}
