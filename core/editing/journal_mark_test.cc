#include "core/editing/journal_mark.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/testing/temporary_folder.h"

namespace antiphon::editing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string kOrigin(32, 'a'), kOther(32, 'b'), kHash(32, '\x7f'), kOtherHash(32, '\x80');

class JournalMarkTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/" + kJournalMarkFile; }
  std::string Contents() const {
    std::ifstream in(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void SetContents(const std::string& text) const {
    std::ofstream(path(), std::ios::binary) << text;
  }
  const testing::TemporaryFolder folder_;
};

TEST_F(JournalMarkTest, IsReadAsItWasWritten) {
  ASSERT_TRUE(JournalMark::Read(folder_.path()).ok());
  EXPECT_TRUE(JournalMark::Read(folder_.path())->empty());
  JournalMark mark;
  EXPECT_TRUE(mark.Note(kOrigin, 7, kHash));
  EXPECT_FALSE(mark.Note(kOrigin, 6, kOtherHash));  // an older one
  EXPECT_TRUE(mark.Note(kOther, 9, kOtherHash));
  std::ofstream(folder_.path() + "/JOURNAL.next") << "of a process that died";
  ASSERT_TRUE(mark.Write(folder_.path()).ok());
  const auto read = JournalMark::Read(folder_.path());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->last_sequence(), 9);
  EXPECT_EQ(read->last_sequence_of(kOrigin), 7);
  EXPECT_EQ(read->last_sequence_of(std::string(32, 'c')), 0);
  EXPECT_TRUE(mark.KeepOnly({kOrigin}));
  EXPECT_FALSE(mark.KeepOnly({kOrigin, kOther}));
  ASSERT_TRUE(mark.Write(folder_.path()).ok());
  EXPECT_EQ(JournalMark::Read(folder_.path())->last_sequence(), 7);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/JOURNAL.next"));
}

TEST_F(JournalMarkTest, EveryDamageIsFound) {
  JournalMark mark;
  mark.Note(kOrigin, 123, kHash);
  ASSERT_TRUE(mark.Write(folder_.path()).ok());
  const std::string good = Contents();
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    SetContents(bad);
    EXPECT_EQ(JournalMark::Read(folder_.path()).status().code(), absl::StatusCode::kDataLoss) << i;
    SetContents(good.substr(0, i));
    EXPECT_EQ(JournalMark::Read(folder_.path()).status().code(), absl::StatusCode::kDataLoss) << i;
  }
  std::filesystem::remove(path());
  std::filesystem::create_symlink("/etc/hostname", path());
  EXPECT_EQ(JournalMark::Read(folder_.path()).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(JournalMarkTest, TellsAJournalThatLacksWhatTheGenerationLacks) {
  JournalMark mark;
  mark.Note(kOrigin, 5, kHash);
  bundle::Manifest generation;
  generation.origin = kOrigin;
  generation.last_change = 3;
  EXPECT_THAT(std::string(mark.Check(generation, nullptr).message()),
              AllOf(HasSubstr("up to 5"), HasSubstr("up to 3"), HasSubstr("is missing"),
                    HasSubstr("--accept-lost-journal")));
  generation.last_change = 5;
  EXPECT_TRUE(mark.Check(generation, nullptr).ok());
  generation.last_change = 3;
  generation.origin = kOther;
  EXPECT_TRUE(mark.Check(generation, nullptr).ok());
  generation.origin = kOrigin;

  const auto journal = catalog::ChangeJournal::Open(folder_.path() + "/journal").value();
  EXPECT_THAT(std::string(mark.Check(generation, journal.get()).message()), HasSubstr("is empty"));
  std::vector<catalog::Change> changes(4);
  for (size_t i = 0; i < changes.size(); ++i) {
    changes[i].kind = catalog::Change::Kind::kDelete;
    changes[i].id = std::to_string(i);
  }
  ASSERT_TRUE(journal->Append(kOrigin, changes).ok());
  EXPECT_THAT(std::string(mark.Check(generation, journal.get()).message()),
              HasSubstr("ends at change 4"));
  ASSERT_TRUE(journal->Append(kOrigin, {changes.data(), 1}).ok());
  EXPECT_THAT(std::string(mark.Check(generation, journal.get()).message()),
              HasSubstr("is another's"));
  JournalMark right;
  right.Note(kOrigin, 5, changes[0].sha256);
  EXPECT_TRUE(right.Check(generation, journal.get()).ok());
}

}  // namespace
}  // namespace antiphon::editing
