// Changes a SQLite file the way somebody with a database tool might: values of any kind into rows
// of a good one.
#ifndef ANTIPHON_TESTS_FUZZ_DATABASE_EDITS_H_
#define ANTIPHON_TESTS_FUZZ_DATABASE_EDITS_H_

#include <functional>
#include <span>
#include <string>

class FuzzedDataProvider;
struct sqlite3;

namespace antiphon::fuzz {

struct Column {
  const char* table;
  const char* name;
  const char* key;  // of the table: what its rows are told apart by
};

// One to six edits as `input` has it; then `finish`, if any, with the database still open.
void EditRows(const std::string& path, std::span<const Column> columns, FuzzedDataProvider& input,
              const std::function<void(sqlite3*)>& finish = {});

// The bytes of a database after `sql`, which makes it one of a former version; `path` is where that
// is done.
std::string InFormerVersion(const std::string& bytes, const std::string& path,
                            const std::string& sql);

}  // namespace antiphon::fuzz

#endif  // ANTIPHON_TESTS_FUZZ_DATABASE_EDITS_H_
