#include "core/catalog/change_journal.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <functional>
#include <random>
#include <set>
#include <thread>

#include "core/catalog/change_journal_test_util.h"

namespace antiphon::catalog {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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
      {"work_id", [](Change& c) { c.source.piece.work_id = std::string(201, 'x'); }},
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

TEST_F(ChangeJournalTest, AKilledProcessLosesNothingThatWasAcknowledged) {
  std::mt19937 random(7);
  int64_t before = 0, acknowledged = 0;
  // On a busy machine a process gets less far before it is killed.
  for (int round = 0; round < 25 || (acknowledged <= 50 && round < 500); ++round) {
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

}  // namespace
}  // namespace antiphon::catalog
