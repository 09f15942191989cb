#include "tests/fuzz/database_edits.h"

#include <fuzzer/FuzzedDataProvider.h>
#include <sqlite3.h>

#include <fstream>
#include <iterator>

#include "tests/fuzz/fuzz.h"

namespace antiphon::fuzz {
namespace {

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

}  // namespace

void EditRows(const std::string& path, std::span<const Column> columns, FuzzedDataProvider& input,
              const std::function<void(sqlite3*)>& finish) {
  sqlite3* database = nullptr;
  Require(sqlite3_open(path.c_str(), &database) == SQLITE_OK, "what is edited is a database");
  sqlite3_exec(database, "PRAGMA synchronous = OFF; PRAGMA ignore_check_constraints = ON", nullptr,
               nullptr, nullptr);
  for (int edits = input.ConsumeIntegralInRange(1, 6); edits > 0; --edits) {
    const Column& column = columns[input.ConsumeIntegralInRange<size_t>(0, columns.size() - 1)];
    const int row = input.ConsumeIntegralInRange(-1, 6);  // -1: all
    std::string sql = std::string("UPDATE ") + column.table + " SET " + column.name + " = ?1";
    if (row >= 0) sql += std::string(" WHERE ") + column.key + " = " + std::to_string(row);
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) continue;
    BindAnything(statement, input);
    sqlite3_step(statement);
    sqlite3_finalize(statement);
  }
  if (finish) finish(database);
  sqlite3_close(database);
}

std::string InFormerVersion(const std::string& bytes, const std::string& path,
                            const std::string& sql) {
  WriteBytes(path, bytes);
  sqlite3* database = nullptr;
  Require(sqlite3_open(path.c_str(), &database) == SQLITE_OK &&
              sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK,
          "a database can be made one of the former version");
  sqlite3_close(database);
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace antiphon::fuzz
