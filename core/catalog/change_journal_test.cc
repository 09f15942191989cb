#include "core/catalog/change_journal.h"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::catalog {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kOrigin[] = "0123456789abcdef0123456789abcdef";
constexpr char kOtherOrigin[] = "ffffffffffffffffffffffffffffffff";

// A put of a piece whose every field follows from `seed`.
Change PutPiece(int seed, size_t content_bytes = 300) {
  Change change;
  change.id = absl::StrCat("piece-", seed);
  change.source.piece = {
      change.id, absl::StrCat("Títle ", seed), "Composer", 1.5 * seed, 2.25 * seed, seed, 10 * seed,
      "Shelf"};
  change.source.content = std::string(content_bytes, static_cast<char>('a' + seed % 26));
  change.source.runs = {{0, 2, 0, 0.5, 0.25, 0.5, 2}, {2, 1 + seed % 3, 0, 1.0, 3, 0.5, 2}};
  for (int64_t i = 0; i < 8 * (3 + seed % 3); ++i)
    change.source.vectors.push_back(0.25f * static_cast<float>(i - seed));
  return change;
}

Change PutRecording(int seed) {
  Change change = PutPiece(seed);
  change.side = change.source.side = Side::kRecordings;
  change.id = absl::StrCat("recording-", seed);
  change.source.piece = {};
  change.source.recording = {change.id, "Live", "Composer", absl::StrCat("piece-", seed),
                             12.5,      "Tapes"};
  return change;
}

Change Delete(Side side, const std::string& id) {
  Change change;
  change.kind = Change::Kind::kDelete;
  change.side = side;
  change.id = id;
  return change;
}

// Every field, so that two changes are equal when these are.
std::string Show(const Change& c) {
  std::string text = absl::StrCat(c.sequence, c.kind == Change::Kind::kPut ? " put " : " delete ",
                                  c.side == Side::kScores ? "score " : "recording ", c.id);
  if (c.kind == Change::Kind::kDelete) return text;
  const auto add = [&](const auto& v) {
    absl::StrAppend(&text, "|", v.id, "|", v.title, "|", v.composer, "|", v.duration_s, "|",
                    v.collection, "|", v.version);
  };
  if (c.side == Side::kScores) {
    add(c.source.piece);
    absl::StrAppend(&text, "|", c.source.piece.beats, "|", c.source.piece.bars, "|",
                    c.source.piece.notes);
  } else {
    add(c.source.recording);
    absl::StrAppend(&text, "|", c.source.recording.piece_id);
  }
  for (const SnippetRun& r : c.source.runs) {
    absl::StrAppend(&text, "|", r.first_vector, " ", r.count, " ", r.tempo_ratio, " ", r.start_s,
                    " ", r.hop_s, " ", r.window_s);
  }
  for (const float f : c.source.vectors) absl::StrAppend(&text, " ", f);
  return text + "|" + c.source.content;
}

struct Contents {
  std::vector<std::string> changes;  // Show
  std::vector<std::string> damaged;
  absl::Status status;
};

Contents ReadAll(ChangeJournal& journal, const std::string& origin = kOrigin, int64_t after = 0) {
  Contents contents;
  contents.status = journal.ReadAfter(
      origin, after,
      [&](const Change& change) {
        contents.changes.push_back(Show(change));
        return absl::OkStatus();
      },
      [&](int64_t, const std::string& what) { contents.damaged.push_back(what); });
  return contents;
}

class ChangeJournalTest : public ::testing::Test {
 protected:
  std::unique_ptr<ChangeJournal> Open() {
    auto journal = ChangeJournal::Open(path_);
    EXPECT_TRUE(journal.ok()) << journal.status();
    return *std::move(journal);
  }

  // Appends one change and returns it as it can be read.
  static std::string Add(ChangeJournal& journal, Change change,
                         const std::string& origin = kOrigin) {
    const auto last = journal.Append(origin, {&change, 1});
    EXPECT_TRUE(last.ok()) << last.status();
    EXPECT_EQ(*last, change.sequence);
    return Show(change);
  }

  static std::string ReadFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void WriteFile(const std::string& path, const std::string& bytes) {
    fs::remove(path);
    std::ofstream(path, std::ios::binary) << bytes;
  }

  const testing::TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
  const std::string path_ = (folder_ / "journal.sqlite").string();
};

TEST_F(ChangeJournalTest, EverythingAppendedIsReadBackAlsoAfterReopening) {
  std::vector<std::string> expected;
  {
    auto journal = Open();
    EXPECT_EQ(journal->last_sequence(), 0);
    std::vector<Change> batch = {PutPiece(1), PutRecording(2), Delete(Side::kScores, "piece-1"),
                                 Delete(Side::kRecordings, "Ünïcode")};
    batch[0].source.content = std::string("MThd\0\0\xff", 7);
    batch[1].source.content.clear();
    EXPECT_EQ(journal->Append(kOrigin, batch).value(), 4);
    for (size_t i = 0; i < batch.size(); ++i) {
      EXPECT_EQ(batch[i].sequence, static_cast<int64_t>(i) + 1);
      expected.push_back(Show(batch[i]));
    }
    EXPECT_EQ(batch[0].source.piece.version, 1);
    EXPECT_EQ(batch[1].source.recording.version, 2);
    EXPECT_EQ(ReadAll(*journal).changes, expected);
  }
  auto journal = Open();
  EXPECT_EQ(journal->last_sequence(), 4);
  const Contents contents = ReadAll(*journal);
  EXPECT_TRUE(contents.status.ok()) << contents.status;
  EXPECT_EQ(contents.changes, expected);
  EXPECT_THAT(contents.damaged, IsEmpty());
  EXPECT_THAT(ReadAll(*journal, kOrigin, 3).changes, ElementsAre(expected[3]));
  EXPECT_FALSE(fs::exists(path_ + "-shm"));
}

TEST_F(ChangeJournalTest, AFailureOfTheReaderEndsTheReading) {
  auto journal = Open();
  for (int i = 0; i < 3; ++i) Add(*journal, PutPiece(i));
  int calls = 0;
  const absl::Status status = journal->ReadAfter(
      kOrigin, 0, [&](const Change&) { return ++calls, absl::CancelledError("enough"); }, {});
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_EQ(calls, 1);
}

TEST_F(ChangeJournalTest, OriginsAreKeptApartAndPrunedApart) {
  auto journal = Open();
  std::vector<std::string> ours, others;
  for (int i = 0; i < 6; ++i) {
    (i % 2 == 0 ? ours : others)
        .push_back(Add(*journal, PutPiece(i), i % 2 == 0 ? kOrigin : kOtherOrigin));
  }
  EXPECT_EQ(ReadAll(*journal).changes, ours);
  EXPECT_EQ(ReadAll(*journal, kOtherOrigin).changes, others);
  const std::vector<std::string> both = {kOrigin, kOtherOrigin};
  ASSERT_TRUE(journal->Prune(kOrigin, 3, both).ok());
  EXPECT_THAT(ReadAll(*journal).changes, ElementsAre(ours[2]));
  EXPECT_EQ(ReadAll(*journal, kOtherOrigin).changes, others);
  ASSERT_TRUE(journal->Prune(kOrigin, 3, {}).ok());
  EXPECT_THAT(ReadAll(*journal, kOtherOrigin).changes, IsEmpty());
  EXPECT_THAT(ReadAll(*journal).changes, ElementsAre(ours[2]));
}

TEST_F(ChangeJournalTest, NumbersNeverRepeat) {
  std::set<int64_t> numbers;
  for (int round = 0; round < 4; ++round) {
    auto journal = Open();
    for (int i = 0; i < 3; ++i) {
      Change change = PutPiece(i);
      EXPECT_TRUE(numbers.insert(journal->Append(kOrigin, {&change, 1}).value()).second);
    }
    ASSERT_TRUE(journal->Prune(round % 2 == 0 ? kOrigin : kOtherOrigin, 1000, {}).ok());
    EXPECT_THAT(ReadAll(*journal).changes, IsEmpty());
  }
  EXPECT_EQ(*numbers.rbegin(), 12);
  ASSERT_TRUE(Open()->SkipTo(100).ok());
  ASSERT_TRUE(Open()->SkipTo(50).ok());
  EXPECT_EQ(Open()->last_sequence(), 100);
  Change change = PutPiece(1);
  EXPECT_EQ(Open()->Append(kOrigin, {&change, 1}).value(), 101);
}

TEST_F(ChangeJournalTest, PruningGivesSpaceBack) {
  auto journal = Open();
  for (int i = 0; i < 20; ++i) Add(*journal, PutPiece(i, 200'000));
  const auto before = fs::file_size(path_);
  EXPECT_GT(before, 4'000'000u);
  ASSERT_TRUE(journal->Prune(kOrigin, 20, {}).ok());
  EXPECT_LT(fs::file_size(path_), 100'000u);
  EXPECT_LT(fs::file_size(path_ + "-wal"), 100'000u);
}

TEST_F(ChangeJournalTest, ABatchWithAWrongChangeLeavesNothing) {
  auto journal = Open();
  const std::string first = Add(*journal, PutPiece(0));
  const std::vector<std::pair<std::string, std::function<void(Change&)>>> faults = {
      {"id", [](Change& c) { c.id = "another"; }},
      {"title", [](Change& c) { c.source.piece.title = "\xff"; }},
      {"run", [](Change& c) { c.source.runs[1].first_vector = 7; }},
      {"run", [](Change& c) { c.source.runs[1].hop_s = -1; }},
      {"vectors", [](Change& c) { c.source.vectors.pop_back(); }},
      {"vectors", [](Change& c) { c.source.vectors.clear(); }},
      {"vectors", [](Change& c) { c.source.vectors[5] = std::nanf(""); }},
  };
  for (const auto& [field, fault] : faults) {
    std::vector<Change> batch = {PutPiece(1), PutPiece(2)};
    fault(batch[1]);
    const absl::Status status = journal->Append(kOrigin, batch).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << field;
    EXPECT_THAT(std::string(status.message()), HasSubstr(field));
  }
  EXPECT_EQ(journal->last_sequence(), 1);
  EXPECT_THAT(ReadAll(*journal).changes, ElementsAre(first));
}

TEST_F(ChangeJournalTest, OneJournalPerFile) {
  auto journal = Open();
  EXPECT_EQ(ChangeJournal::Open(path_).status().code(), StatusCode::kAborted);
  const pid_t child = fork();
  if (child == 0) _exit(ChangeJournal::Open(path_).status().code() == StatusCode::kAborted ? 0 : 1);
  int outcome = -1;
  ASSERT_EQ(waitpid(child, &outcome, 0), child);
  EXPECT_EQ(outcome, 0);
  Add(*journal, PutPiece(1));  // the one that was first goes on
  journal.reset();
  EXPECT_EQ(Open()->last_sequence(), 1);
}

TEST_F(ChangeJournalTest, ManyThreadsAppendAtOnce) {
  auto journal = Open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) Add(*journal, PutPiece(10 * t + i));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(journal->last_sequence(), 40);
  const std::vector<std::string> changes = ReadAll(*journal).changes;
  EXPECT_EQ(std::set<std::string>(changes.begin(), changes.end()).size(), 40u);
}

// A process that appends as fast as it can and tells each number it was given through a pipe.
class AppendingProcess {
 public:
  AppendingProcess(const std::string& path, int first_seed) {
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    child_ = fork();
    if (child_ == 0) {
      close(ends[0]);
      Run(path, first_seed, ends[1]);
    }
    close(ends[1]);
    read_end_ = ends[0];
  }

  // Kills it after a while; returns the numbers that it was given.
  std::vector<int64_t> KillAfter(std::chrono::microseconds wait) {
    std::vector<int64_t> numbers;
    int64_t number = 0;
    // The first one only tells that it has begun.
    if (read(read_end_, &number, sizeof(number)) == sizeof(number) && number != 0)
      numbers.push_back(number);
    std::this_thread::sleep_for(wait);
    kill(child_, SIGKILL);
    while (read(read_end_, &number, sizeof(number)) == sizeof(number)) numbers.push_back(number);
    waitpid(child_, nullptr, 0);
    close(read_end_);
    return numbers;
  }

 private:
  [[noreturn]] static void Run(const std::string& path, int seed, int pipe) {
    auto journal = ChangeJournal::Open(path);
    if (!journal.ok()) _exit(1);
    const auto tell = [&](int64_t number) {
      if (write(pipe, &number, sizeof(number)) != sizeof(number)) _exit(2);
    };
    tell(0);
    for (;; seed += 2) {
      // Of several pages, and two at a time: half of a batch must never be there.
      std::vector<Change> batch = {PutPiece(seed, 20'000), PutPiece(seed + 1, 3'000)};
      const auto last = (*journal)->Append(kOrigin, batch);
      if (!last.ok()) _exit(3);
      tell(*last);
    }
  }

  pid_t child_ = 0;
  int read_end_ = -1;
};

TEST_F(ChangeJournalTest, AKilledProcessLosesNothingThatWasAcknowledged) {
  std::mt19937 random(7);
  int64_t before = 0, acknowledged = 0;
  for (int round = 0; round < 25; ++round) {
    AppendingProcess process(path_, static_cast<int>(before));
    const auto numbers = process.KillAfter(std::chrono::microseconds(random() % 60'000));
    if (!numbers.empty()) acknowledged = numbers.back();
    auto journal = Open();
    ASSERT_NE(journal, nullptr);
    ASSERT_GE(journal->last_sequence(), acknowledged);
    ASSERT_LE(journal->last_sequence(), acknowledged + 2);  // one batch was on its way
    ASSERT_EQ(journal->last_sequence() % 2, 0);             // whole batches
    const Contents contents = ReadAll(*journal);
    ASSERT_TRUE(contents.status.ok()) << contents.status;
    ASSERT_THAT(contents.damaged, IsEmpty());
    ASSERT_EQ(static_cast<int64_t>(contents.changes.size()), journal->last_sequence());
    for (int64_t i = before; i < journal->last_sequence(); ++i) {
      Change expected = PutPiece(static_cast<int>(i), i % 2 == 0 ? 20'000 : 3'000);
      expected.sequence = expected.source.piece.version = i + 1;
      ASSERT_EQ(contents.changes[i], Show(expected)) << i;
    }
    before = acknowledged = journal->last_sequence();
  }
  EXPECT_GT(acknowledged, 50);
}

// The limit on the size of a file, as a disk that is full: writes beyond it fail.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_ = {};
};

TEST_F(ChangeJournalTest, AFullDiskRefusesTheChangeAndHarmsNothing) {
  auto journal = Open();
  std::vector<std::string> expected;
  for (int i = 0; i < 5; ++i) expected.push_back(Add(*journal, PutPiece(i, 10'000)));
  int accepted = 0, refused = 0;
  {
    const FileSizeLimit limit(200'000);
    for (int i = 5; i < 60; ++i) {
      Change change = PutPiece(i, 10'000);
      const auto last = journal->Append(kOrigin, {&change, 1});
      if (last.ok()) {
        expected.push_back(Show(change));
        ++accepted;
      } else {
        EXPECT_EQ(last.status().code(), StatusCode::kResourceExhausted) << last.status();
        ++refused;
      }
      EXPECT_EQ(journal->last_sequence(), static_cast<int64_t>(expected.size()));
    }
    EXPECT_EQ(ReadAll(*journal).changes, expected);
  }
  EXPECT_GT(accepted, 5);
  EXPECT_GT(refused, 20);
  // There is space again.
  for (int i = 60; i < 65; ++i) expected.push_back(Add(*journal, PutPiece(i, 10'000)));
  EXPECT_EQ(ReadAll(*journal).changes, expected);
  journal.reset();
  EXPECT_EQ(ReadAll(*Open()).changes, expected);
}

TEST_F(ChangeJournalTest, AFullDiskFromTheBeginningIsTold) {
  {
    const FileSizeLimit limit(0);
    EXPECT_EQ(ChangeJournal::Open(path_).status().code(), StatusCode::kResourceExhausted);
  }
  Add(*Open(), PutPiece(1));
}

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
           "UPDATE changes SET sha256 = (SELECT sha256 FROM changes WHERE sequence = 2) WHERE "
           "sequence = 3",
           "UPDATE state SET last_sequence = 2",
           "DELETE FROM state",
           "PRAGMA user_version = 2",
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

}  // namespace
}  // namespace antiphon::catalog
