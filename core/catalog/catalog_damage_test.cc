// Files that are not what a CatalogWriter wrote: cut, changed, or made by an enemy.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "absl/strings/str_cat.h"
#include "core/catalog/catalog.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::catalog {
namespace {

using absl::StatusCode;

class CatalogDamageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto writer = CatalogWriter::Create(path_).value();
    for (int i = 0; i < 30; ++i) {
      ASSERT_TRUE(writer
                      ->AddPiece({absl::StrCat("piece ", i), "Title", "Composer", 10, 20, 5, 100,
                                  "", 0, absl::StrCat("work ", i / 2)},
                                 std::string(700, 'm'))
                      .ok());
      ASSERT_TRUE(writer
                      ->AddRecording({absl::StrCat("recording ", i), "Title", "",
                                      absl::StrCat("piece ", i), 10},
                                     std::string(900, 'a'))
                      .ok());
      ASSERT_TRUE(writer->AddRun(Side::kScores, {i * 4, 4, i, 1, 0, 0.5, 4}).ok());
      ASSERT_TRUE(writer->AddRun(Side::kRecordings, {i * 3, 3, i, 1, 0, 0.5, 4}).ok());
    }
    ASSERT_TRUE(writer->Finish().ok());
    std::ifstream file(path_, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
  }

  absl::StatusOr<std::unique_ptr<Catalog>> OpenBytes(const std::string& bytes) {
    // File systems flush a file that is truncated and written anew, which is slow.
    std::filesystem::remove(path_);
    std::ofstream(path_, std::ios::binary) << bytes;
    return Catalog::Open(path_);
  }

  // Damage is refused with DataLoss, when opening or when reading a blob, or leaves a consistent
  // catalogue.
  void ExpectRefusedOrConsistent(const std::string& bytes) {
    const auto opened = OpenBytes(bytes);
    if (!opened.ok()) {
      ASSERT_EQ(opened.status().code(), StatusCode::kDataLoss) << opened.status();
      ++refused_;
      return;
    }
    const Catalog& catalog = **opened;
    for (size_t i = 0; i < catalog.pieces().size(); ++i) {
      ASSERT_EQ(catalog.FindPiece(catalog.pieces()[i].id), static_cast<int>(i));
      const auto midi = catalog.ReadMidi(static_cast<int>(i));
      ASSERT_TRUE(midi.ok() || midi.status().code() == StatusCode::kDataLoss) << midi.status();
    }
    for (const Side side : {Side::kScores, Side::kRecordings}) {
      const size_t sources =
          side == Side::kScores ? catalog.pieces().size() : catalog.recordings().size();
      const int64_t count = std::min<int64_t>(catalog.vector_count(side), 500);
      for (int64_t v = 0; v < count; ++v) {
        const auto position = catalog.Locate(side, v);
        ASSERT_TRUE(position.ok());
        ASSERT_LT(static_cast<size_t>(position->source), sources);
      }
    }
  }

  // Changes the file through SQLite, as somebody with a database tool would.
  void Execute(const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
    sqlite3_free(error);
    sqlite3_close(database);
  }

  const testing::TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/catalog.sqlite";
  std::string bytes_;
  int refused_ = 0;
};

TEST_F(CatalogDamageTest, UnchangedFileOpens) { EXPECT_TRUE(OpenBytes(bytes_).ok()); }

TEST_F(CatalogDamageTest, TruncatedFilesAreRefusedOrConsistent) {
  for (size_t length = 0; length < bytes_.size(); length += length < 4096 ? 61 : 1009) {
    ASSERT_NO_FATAL_FAILURE(ExpectRefusedOrConsistent(bytes_.substr(0, length))) << length;
  }
  EXPECT_GT(refused_, 60);
}

TEST_F(CatalogDamageTest, ChangedHeaderAndSchemaBytesAreRefusedOrConsistent) {
  for (size_t i = 0; i < 4096; ++i) {
    if (bytes_[i] == 0 && i > 200 && i % 16 != 0) continue;  // mostly unused space
    std::string changed = bytes_;
    changed[i] = static_cast<char>(changed[i] ^ (1 << i % 8));
    ASSERT_NO_FATAL_FAILURE(ExpectRefusedOrConsistent(changed)) << i;
  }
  EXPECT_GT(refused_, 100);
}

TEST_F(CatalogDamageTest, RandomDamageIsRefusedOrConsistent) {
  std::mt19937 random(5);
  for (int round = 0; round < 1500; ++round) {
    std::string changed = bytes_;
    const int changes = 1 + random() % 30;
    for (int i = 0; i < changes; ++i)
      changed[random() % changed.size()] = static_cast<char>(random());
    ASSERT_NO_FATAL_FAILURE(ExpectRefusedOrConsistent(changed)) << round;
  }
}

TEST_F(CatalogDamageTest, PagesInTheWrongPlaceAreRefusedOrConsistent) {
  const size_t pages = bytes_.size() / 4096;
  for (size_t a = 0; a < pages; ++a) {
    for (size_t b = 1; b < pages; ++b) {
      std::string changed = bytes_;
      changed.replace(b * 4096, 4096, bytes_, a * 4096, 4096);
      ASSERT_NO_FATAL_FAILURE(ExpectRefusedOrConsistent(changed)) << a << " over " << b;
    }
  }
}

TEST_F(CatalogDamageTest, OtherFilesAreRefused) {
  for (const std::string& other :
       {std::string(), std::string("not a database"), std::string(8192, '\0')}) {
    EXPECT_EQ(OpenBytes(other).status().code(), StatusCode::kDataLoss);
  }
  std::filesystem::remove(path_);
  EXPECT_EQ(Catalog::Open(path_).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Catalog::Open(folder_.path()).status().code(), StatusCode::kDataLoss);
}

TEST_F(CatalogDamageTest, ContentsThatContradictThemselvesAreRefused) {
  for (const std::string sql : {
           "PRAGMA user_version = 1",
           "PRAGMA user_version = 2",
           "PRAGMA user_version = 3",
           "PRAGMA user_version = 5",
           "PRAGMA application_id = 1",
           "UPDATE pieces SET id = 'piece 1' WHERE position = 2",
           "UPDATE pieces SET id = '' WHERE position = 2",
           "UPDATE pieces SET title = CAST(x'ff' AS TEXT) WHERE position = 2",
           "UPDATE pieces SET duration_s = -1 WHERE position = 2",
           "UPDATE pieces SET duration_s = 9e999 WHERE position = 2",
           "UPDATE pieces SET notes = 3000000000 WHERE position = 2",
           "UPDATE pieces SET version = -1 WHERE position = 2",
           "UPDATE pieces SET collection = CAST(x'ff' AS TEXT) WHERE position = 2",
           "UPDATE pieces SET work_id = CAST(x'ff' AS TEXT) WHERE position = 2",
           "UPDATE pieces SET work_id = printf('%.201c', 'x') WHERE position = 2",
           "ALTER TABLE pieces DROP COLUMN work_id",
           "ALTER TABLE pieces DROP COLUMN with_parts",
           "ALTER TABLE runs DROP COLUMN part",
           "UPDATE runs SET part = -2 WHERE side = 0 AND first_vector = 40",
           "UPDATE runs SET part = 65536 WHERE side = 0 AND first_vector = 40",
           "UPDATE recordings SET version = -1 WHERE position = 2",
           "UPDATE recordings SET collection = printf('%.201c', 'x') WHERE position = 2",
           "UPDATE pieces SET position = 1000 WHERE position = 29",
           "UPDATE pieces SET position = -1 WHERE position = 29",
           "DELETE FROM pieces WHERE position = 29",
           "DELETE FROM recordings WHERE position = 0",
           "DELETE FROM runs WHERE side = 0 AND first_vector = 40",
           "UPDATE runs SET count = 5 WHERE side = 0 AND first_vector = 40",
           "UPDATE runs SET side = 2 WHERE side = 1 AND first_vector = 87",
           "UPDATE runs SET source = 30 WHERE side = 1 AND first_vector = 87",
           "UPDATE runs SET source = 4294967296 WHERE side = 1 AND first_vector = 87",
           "UPDATE runs SET hop_s = 1e308, count = 1000 WHERE side = 1 AND first_vector = 87",
           "UPDATE runs SET count = 9223372036854775807 WHERE side = 1 AND first_vector = 87",
           "CREATE TABLE more (x)",
           "CREATE TRIGGER t AFTER INSERT ON pieces BEGIN DELETE FROM runs; END",
       }) {
    ASSERT_TRUE(OpenBytes(bytes_).ok());
    Execute(sql);
    const absl::Status status = Catalog::Open(path_).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << sql;
    EXPECT_THAT(std::string(status.message()),
                ::testing::Not(::testing::HasSubstr(folder_.path())));
  }
}

TEST_F(CatalogDamageTest, AnOlderSchemaSaysWhatToDo) {
  Execute("PRAGMA user_version = 1");
  EXPECT_THAT(std::string(Catalog::Open(path_).status().message()),
              ::testing::HasSubstr("antiphon-trainer migrate"));
}

TEST_F(CatalogDamageTest, FormerSchemasAreReadWithoutPartsAndWorks) {
  Execute(
      "UPDATE pieces SET version = 7; ALTER TABLE pieces DROP COLUMN with_parts; "
      "ALTER TABLE runs DROP COLUMN part; PRAGMA user_version = 3");
  {
    const auto catalog = Catalog::Open(path_);
    ASSERT_TRUE(catalog.ok()) << catalog.status();
    EXPECT_EQ((*catalog)->version(), 3);
    for (const Piece& piece : (*catalog)->pieces()) EXPECT_FALSE(piece.with_parts);
    for (const SnippetRun& run : (*catalog)->runs(Side::kScores)) EXPECT_EQ(run.part, kWhole);
  }
  Execute("ALTER TABLE pieces DROP COLUMN work_id; PRAGMA user_version = 2");
  const auto catalog = Catalog::Open(path_);
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  EXPECT_EQ((*catalog)->version(), 2);
  ASSERT_EQ((*catalog)->pieces().size(), 30u);
  for (const Piece& piece : (*catalog)->pieces()) {
    EXPECT_EQ(piece.notes, 100);
    EXPECT_EQ(piece.version, 7);
    EXPECT_EQ(piece.work_id, "");
  }
  EXPECT_EQ((*catalog)->ReadMidi(4).value(), std::string(700, 'm'));
}

TEST_F(CatalogDamageTest, AnEndlessViewInPlaceOfATableIsRefused) {
  Execute(
      "DROP TABLE pieces; CREATE VIEW pieces AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT "
      "i + 1 FROM n) "
      "SELECT 0 AS position, 'a' AS id, '' AS title, '' AS composer, 0.0 AS duration_s, 0.0 AS "
      "beats, 0 AS bars, "
      "0 AS notes, '' AS collection, 0 AS version, '' AS work_id, 0 AS with_parts FROM n WHERE i < "
      "0");
  EXPECT_EQ(Catalog::Open(path_).status().code(), StatusCode::kDataLoss);
}

TEST_F(CatalogDamageTest, MissingBlobsAreToldWhenRead) {
  Execute("DELETE FROM scores WHERE position = 3");
  const auto catalog = Catalog::Open(path_).value();
  EXPECT_EQ(catalog->ReadMidi(3).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(catalog->ReadMidi(4).value(), std::string(700, 'm'));
}

}  // namespace
}  // namespace antiphon::catalog
