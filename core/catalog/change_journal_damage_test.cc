// Journals that are not what a ChangeJournal of this version wrote: damaged, changed by hand, or of
// the former version.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <random>
#include <set>

#include "core/catalog/change_journal_test_util.h"

namespace antiphon::catalog {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DamagedJournalTest : public ChangeJournalTest {
 protected:
  void SetUp() override {
    ChangeJournalTest::SetUp();
    auto journal = Open();
    for (int i = 0; i < 12; ++i)
      expected_.insert(Add(*journal, i % 3 == 2 ? PutRecording(i) : PutPiece(i, 2500)));
    expected_.insert(Add(*journal, Delete(Side::kScores, "piece-3")));
    journal.reset();
    bytes_ = ReadFile(path_);
  }

  // What is read is what was written, and what is missing is told.
  void ExpectFound(const std::string& bytes) {
    WriteFile(path_, bytes);
    fs::remove(path_ + "-wal");
    const auto journal = ChangeJournal::Open(path_);
    if (!journal.ok()) {
      ASSERT_EQ(journal.status().code(), StatusCode::kDataLoss) << journal.status();
      ++refused_;
      return;
    }
    const Contents contents = ReadAll(**journal);
    for (const std::string& change : contents.changes)
      ASSERT_TRUE(expected_.contains(change)) << change.substr(0, 90);
    const size_t found = contents.changes.size() + contents.damaged.size();
    if (contents.status.ok()) {
      ASSERT_EQ(found, expected_.size());
    } else {
      ASSERT_EQ(contents.status.code(), StatusCode::kDataLoss) << contents.status;
    }
    told_ += contents.damaged.empty() ? 0 : 1;
  }

  std::set<std::string> expected_;
  std::string bytes_;
  int refused_ = 0;
  int told_ = 0;
};

TEST_F(DamagedJournalTest, AFlippedBitIsFound) {
  std::mt19937 random(3);
  for (int round = 0; round < 1200; ++round) {
    std::string changed = bytes_;
    changed[random() % changed.size()] ^= static_cast<char>(1 << random() % 8);
    ASSERT_NO_FATAL_FAILURE(ExpectFound(changed)) << round;
  }
  EXPECT_GT(told_, 100);
  EXPECT_GT(refused_, 20);
}

// SQLite reads some damaged headers and refuses to write under them: that must not wait for an
// edit.
TEST_F(DamagedJournalTest, AJournalThatOpensCanBeAppendedTo) {
  constexpr size_t kHeader = 100;  // bytes of SQLite's file header
  int appended = 0;
  for (size_t bit = 0; bit < kHeader * 8; ++bit) {
    std::string changed = bytes_;
    changed[bit / 8] ^= static_cast<char>(1 << bit % 8);
    WriteFile(path_, changed);
    fs::remove(path_ + "-wal");
    const auto journal = ChangeJournal::Open(path_);
    if (!journal.ok()) {
      ASSERT_EQ(journal.status().code(), StatusCode::kDataLoss) << journal.status();
      ++refused_;
      continue;
    }
    std::vector<Change> changes = {PutPiece(9)};
    const auto append = (*journal)->Append(kOrigin, changes);
    ASSERT_TRUE(append.ok()) << "bit " << bit << ": " << append.status();
    ++appended;
  }
  EXPECT_GT(refused_, 100);
  EXPECT_GT(appended, 100);
}

TEST_F(DamagedJournalTest, MissingAndMisplacedPartsAreFound) {
  for (size_t length = 0; length < bytes_.size(); length += 1021) {
    if (length == 0) continue;  // an empty file is a new journal
    ASSERT_NO_FATAL_FAILURE(ExpectFound(bytes_.substr(0, length))) << length;
  }
  EXPECT_GT(refused_, 10);
  for (size_t a = 0; a < bytes_.size(); a += 4096) {
    for (size_t b = 0; b < bytes_.size(); b += 4096) {
      std::string changed = bytes_;
      changed.replace(b, 4096, bytes_, a, 4096);
      ASSERT_NO_FATAL_FAILURE(ExpectFound(changed)) << a << " over " << b;
    }
  }
}

TEST_F(DamagedJournalTest, ADamagedChangeIsNamedAndTheOthersAreRead) {
  std::string changed = bytes_;
  const size_t place = changed.find(std::string(2000, 'e'));  // content of piece-4, change 5
  ASSERT_NE(place, std::string::npos);
  changed[place + 10] = 'E';
  WriteFile(path_, changed);
  auto journal = Open();
  const Contents contents = ReadAll(*journal);
  EXPECT_TRUE(contents.status.ok());
  EXPECT_THAT(contents.damaged, ElementsAre(HasSubstr("change 5: its SHA-256")));
  EXPECT_EQ(contents.changes.size(), expected_.size() - 1);
  Add(*journal, PutPiece(50));  // and it goes on
}

// As somebody with a database tool might.
TEST_F(DamagedJournalTest, WhatWasChangedByHandIsFound) {
  for (const std::string sql : {
           "DELETE FROM changes WHERE sequence = 3",
           "UPDATE changes SET title = 'another' WHERE sequence = 3",
           "UPDATE changes SET sequence = 99 WHERE sequence = 3",
           "UPDATE changes SET origin = 'ffffffffffffffffffffffffffffffff' WHERE sequence = 3",
           "UPDATE changes SET kind = 1 WHERE sequence = 3",
           "UPDATE changes SET work_id = 'another' WHERE sequence = 2",
           "UPDATE changes SET work_id = '' WHERE sequence = 2",
           "UPDATE changes SET work_id = 'another' WHERE sequence = 1",
           "UPDATE changes SET with_parts = 1 WHERE sequence = 3",
           "UPDATE changes SET with_parts = 2 WHERE sequence = 3",
           ("UPDATE changes SET sha256 = (SELECT sha256 FROM changes WHERE sequence = 2) WHERE "
            "sequence = 3"),
           "UPDATE state SET last_sequence = 2",
           "DELETE FROM state",
           "PRAGMA user_version = 1",
           "PRAGMA user_version = 2",
           "PRAGMA user_version = 4",
           "PRAGMA application_id = 5",
           "CREATE TABLE more (x)",
           "CREATE TRIGGER t AFTER INSERT ON changes BEGIN DELETE FROM changes; END",
       }) {
    WriteFile(path_, bytes_);
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sql;
    sqlite3_close(database);
    told_ = refused_ = 0;
    ASSERT_NO_FATAL_FAILURE(ExpectFound(ReadFile(path_))) << sql;
    EXPECT_EQ(told_ + refused_, 1) << sql;
  }
}

TEST_F(DamagedJournalTest, AChangeWithANumberThatWasNeverGivenOutIsFound) {
  const std::string other = path_ + "-other";
  fs::remove(other);
  {
    auto journal = ChangeJournal::Open(other).value();
    ASSERT_TRUE(journal->SkipTo(500).ok());
    Add(*journal, PutPiece(60));
  }
  WriteFile(path_, bytes_);
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
  const std::string sql = "ATTACH '" + other +
                          "' AS other; DELETE FROM changes WHERE sequence = 3;"
                          "INSERT INTO changes SELECT * FROM other.changes";
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
  const auto journal = Open();
  const Contents contents = ReadAll(*journal);
  ASSERT_EQ(contents.damaged.size(), 1u);
  EXPECT_THAT(contents.damaged[0], ::testing::HasSubstr("numbered beyond the last"));
}

TEST_F(DamagedJournalTest, OtherFilesAreRefused) {
  for (const std::string& other : {std::string("not a database"), std::string(8192, '\0')}) {
    WriteFile(path_, other);
    EXPECT_EQ(ChangeJournal::Open(path_).status().code(), StatusCode::kDataLoss);
    EXPECT_EQ(ReadFile(path_), other);
  }
  WriteFile((folder_ / "good").string(), bytes_);
  fs::remove(path_);
  fs::create_symlink(folder_ / "good", path_);
  EXPECT_EQ(ChangeJournal::Open(path_).status().code(), StatusCode::kDataLoss);
  fs::remove(path_);
  fs::create_directory(path_);
  const absl::Status status = ChangeJournal::Open(path_).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), ::testing::Not(HasSubstr(folder_.string())));
}

TEST_F(DamagedJournalTest, StrayFilesBesideItAreNoObstacle) {
  for (const std::string& stray :
       {std::string(), std::string("garbage"), std::string(100'000, 'x')}) {
    WriteFile(path_, bytes_);
    WriteFile(path_ + "-wal", stray);
    WriteFile(path_ + "-shm", stray);
    WriteFile(path_ + "-journal", stray);
    auto journal = Open();
    EXPECT_EQ(ReadAll(*journal).changes.size(), expected_.size());
    Add(*journal, PutPiece(1));
    journal.reset();
    fs::remove(path_);  // remains of a journal that somebody moved away
    WriteFile(path_ + "-wal", stray);
    Add(*Open(), PutPiece(1));
    EXPECT_EQ(Open()->last_sequence(), 1);
  }
}

TEST_F(DamagedJournalTest, HoldsTheRowThatIsAskedForOrADamagedOne) {
  Change change = PutPiece(40);
  {
    auto journal = Open();
    ASSERT_TRUE(journal->Append(kOrigin, {&change, 1}).ok());
    ASSERT_EQ(change.sha256.size(), 32u);
    EXPECT_EQ(journal->changes(), change.sequence);
    EXPECT_TRUE(*journal->Holds(change.sequence, change.sha256));
    EXPECT_FALSE(*journal->Holds(change.sequence, std::string(32, 'x')));
    EXPECT_FALSE(*journal->Holds(change.sequence + 1, change.sha256));
    std::string read;
    ASSERT_TRUE(journal
                    ->ReadAfter(kOrigin, change.sequence - 1,
                                [&](const Change& found) {
                                  read = found.sha256;
                                  return absl::OkStatus();
                                },
                                {})
                    .ok());
    EXPECT_EQ(read, change.sha256);
  }
  std::string bytes = ReadFile(path_);
  bytes[bytes.find("Títle 40")] = 'X';
  WriteFile(path_, bytes);
  EXPECT_TRUE(*Open()->Holds(change.sequence, std::string(32, 'x')));
}

// A journal as a former version wrote it: with these rows, and no column for parts, nor, in the
// first, for works.
class FormerJournalTest : public ChangeJournalTest, public ::testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    ChangeJournalTest::SetUp();
    auto journal = Open();
    for (const Change& change : {PutPiece(2, 30'000), PutRecording(3), PutPiece(4),
                                 Delete(Side::kScores, "piece-2"), PutPiece(6)}) {
      expected_.push_back(Add(*journal, change));
    }
    journal.reset();
    Execute("ALTER TABLE changes DROP COLUMN with_parts; PRAGMA user_version = 2");
    if (GetParam() == 1)
      Execute("ALTER TABLE changes DROP COLUMN work_id; PRAGMA user_version = 1");
    bytes_ = ReadFile(path_);
  }

  void Execute(const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sql;
    sqlite3_close(database);
  }

  int64_t Version() {
    sqlite3* database = nullptr;
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    sqlite3_prepare_v2(database, "PRAGMA user_version", -1, &statement, nullptr);
    EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW);
    const int64_t version = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return version;
  }

  std::vector<std::string> expected_;
  std::string bytes_;
};

TEST_P(FormerJournalTest, IsReadAndStaysAsItIsUntilSomethingIsAppended) {
  {
    auto journal = Open();
    EXPECT_EQ(ReadAll(*journal).changes, expected_);
    EXPECT_EQ(journal->last_sequence(), 5);
    ASSERT_TRUE(journal->Prune(kOrigin, 1, {}).ok());
    ASSERT_TRUE(journal->SkipTo(9).ok());
    expected_.erase(expected_.begin());
    EXPECT_EQ(ReadAll(*journal).changes, expected_);
  }
  EXPECT_EQ(Version(), GetParam());
  EXPECT_EQ(ReadAll(*Open()).changes, expected_);
}

TEST_P(FormerJournalTest, TakesWorksAndPartsAndKeepsItsChanges) {
  {
    auto journal = Open();
    expected_.push_back(Add(*journal, PutPiece(7)));
    expected_.push_back(Add(*journal, PutPiece(15)));
    EXPECT_THAT(expected_[5], HasSubstr("|Wörk 1"));
    EXPECT_THAT(expected_[6], HasSubstr("|by parts"));
    EXPECT_EQ(ReadAll(*journal).changes, expected_);
  }
  EXPECT_EQ(Version(), ChangeJournal::kVersion);
  auto journal = Open();
  const Contents contents = ReadAll(*journal);
  EXPECT_EQ(contents.changes, expected_);
  EXPECT_THAT(contents.damaged, IsEmpty());
  Add(*journal, Delete(Side::kScores, "piece-7"));
}

TEST_P(FormerJournalTest, IsBroughtUpToDateWithoutAChange) {
  {
    auto journal = Open();
    EXPECT_EQ(journal->version(), GetParam());
    {
      const FileSizeLimit limit(1000);
      EXPECT_EQ(journal->BringUpToDate().code(), StatusCode::kResourceExhausted);
    }
    EXPECT_EQ(journal->version(), GetParam());
    EXPECT_EQ(ReadAll(*journal).changes, expected_);
    ASSERT_TRUE(journal->BringUpToDate().ok());
    EXPECT_EQ(journal->version(), ChangeJournal::kVersion);
    ASSERT_TRUE(journal->BringUpToDate().ok());
    EXPECT_EQ(ReadAll(*journal).changes, expected_);
    expected_.push_back(Add(*journal, PutPiece(7)));
  }
  EXPECT_EQ(Version(), ChangeJournal::kVersion);
  EXPECT_EQ(ReadAll(*Open()).changes, expected_);
}

TEST_P(FormerJournalTest, AChangeThatIsRefusedLeavesItAsItIs) {
  {
    auto journal = Open();
    const rlim_t size = fs::file_size(path_);
    const FileSizeLimit limit(size);
    Change change = PutPiece(7, 200'000);
    EXPECT_EQ(journal->Append(kOrigin, {&change, 1}).status().code(),
              StatusCode::kResourceExhausted);
    EXPECT_EQ(ReadAll(*journal).changes, expected_);
  }
  EXPECT_EQ(Version(), GetParam());
  auto journal = Open();
  EXPECT_EQ(ReadAll(*journal).changes, expected_);
  expected_.push_back(Add(*journal, PutPiece(7)));  // there is space again
  EXPECT_EQ(ReadAll(*journal).changes, expected_);
}

TEST_P(FormerJournalTest, DamageIsStillFoundAfterTheColumnHasCome) {
  Execute("UPDATE changes SET title = 'another' WHERE sequence = 3");
  Add(*Open(), PutPiece(7));
  const Contents contents = ReadAll(*Open());
  EXPECT_THAT(contents.damaged, ElementsAre(HasSubstr("change 3: its SHA-256")));
  EXPECT_EQ(contents.changes.size(), expected_.size());
}

// A process that dies while it brings the journal to the present version leaves one of the two.
TEST_P(FormerJournalTest, AKilledUpgradeLosesNothing) {
  for (int round = 0; round < 20; ++round) {
    WriteFile(path_, bytes_);
    fs::remove(path_ + "-wal");
    AppendingProcess process(path_, 100);
    process.KillAfter(std::chrono::microseconds(300 * round));
    const Contents contents = ReadAll(*Open());
    ASSERT_TRUE(contents.status.ok()) << contents.status;
    ASSERT_THAT(contents.damaged, IsEmpty());
    ASSERT_GE(contents.changes.size(), expected_.size());
    ASSERT_EQ(contents.changes.size() % 2, expected_.size() % 2);  // whole batches
    for (size_t i = 0; i < expected_.size(); ++i) ASSERT_EQ(contents.changes[i], expected_[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, FormerJournalTest, ::testing::Values(1, 2));

}  // namespace
}  // namespace antiphon::catalog
