#include "core/collection/embedding_log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "core/testing/temporary_folder.h"

namespace antiphon::collection {
namespace {

using catalog::Side;
using catalog::SourceRecord;

SourceRecord Piece(const std::string& id, const std::string& title = "As it was") {
  SourceRecord record;
  record.side = Side::kScores;
  record.piece = {.id = id, .title = title, .duration_s = 5, .beats = 8, .bars = 2, .notes = 9};
  record.content = "content of " + id;
  record.runs = {{0, 2, 0, 1.0, 0, 0.5, 2}};
  record.vectors = {1, 0, 0, 1};
  return record;
}

SourceRecord Asked(const std::string& id) {
  SourceRecord source;
  source.side = Side::kScores;
  source.piece = {.id = id, .title = "As it is now", .work_id = "w"};
  source.content = "content of " + id;
  return source;
}

class EmbeddingLogTest : public ::testing::Test {
 protected:
  std::unique_ptr<EmbeddingLog> Open(const std::string& settings = "these") {
    auto log = EmbeddingLog::Open(folder_.path(), settings);
    EXPECT_TRUE(log.ok()) << log.status();
    return log.ok() ? *std::move(log) : nullptr;
  }
  bool IsThere() const { return std::filesystem::exists(folder_.path() + "/" + kEmbeddingLogFile); }

  testing::TemporaryFolder folder_;
};

TEST_F(EmbeddingLogTest, GoesOnWhereAnotherWasInterrupted) {
  ASSERT_TRUE(Open()->Keep(Piece("a")).ok());
  const auto log = Open();
  const auto kept = log->Take(Asked("a"));
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->piece.title, "As it is now");
  EXPECT_EQ(kept->piece.work_id, "w");
  EXPECT_EQ(kept->piece.version, 0);
  EXPECT_EQ(kept->piece.duration_s, 5);
  EXPECT_EQ(kept->piece.bars, 2);
  EXPECT_EQ(kept->piece.notes, 9);
  EXPECT_EQ(kept->vectors, Piece("a").vectors);
  ASSERT_EQ(kept->runs.size(), 1u);
  EXPECT_EQ(kept->runs[0].count, 2);
  EXPECT_FALSE(log->Take(Asked("a")).has_value()) << "once";
  EXPECT_FALSE(log->Take(Asked("b")).has_value());
}

TEST_F(EmbeddingLogTest, WhatHasChangedIsEmbeddedAgain) {
  {
    const auto log = Open();
    for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(log->Keep(Piece(id)).ok());
  }
  {
    const auto log = Open();
    SourceRecord other_content = Asked("a"), by_parts = Asked("b"), recording = Asked("c");
    other_content.content += ".";
    by_parts.piece.with_parts = true;
    recording.side = Side::kRecordings;
    recording.recording.id = "c";
    EXPECT_FALSE(log->Take(other_content).has_value());
    EXPECT_FALSE(log->Take(by_parts).has_value());
    EXPECT_FALSE(log->Take(recording).has_value());
    EXPECT_TRUE(log->Take(Asked("c")).has_value());
  }
  EXPECT_FALSE(Open("other settings")->Take(Asked("a")).has_value());
  EXPECT_FALSE(Open()->Take(Asked("a")).has_value()) << "forgotten by then";
}

TEST_F(EmbeddingLogTest, ADamagedOneIsBegunAnew) {
  ASSERT_TRUE(Open()->Keep(Piece("a")).ok());
  std::ofstream(folder_.path() + "/" + kEmbeddingLogFile, std::ios::trunc) << "no journal at all";
  const auto log = Open();
  ASSERT_NE(log, nullptr);
  EXPECT_FALSE(log->Take(Asked("a")).has_value());
  EXPECT_TRUE(log->Keep(Piece("a")).ok());
}

TEST_F(EmbeddingLogTest, IsRemovedAtTheEndAndHasOneOwner) {
  const auto log = Open();
  ASSERT_TRUE(log->Keep(Piece("a")).ok());
  EXPECT_EQ(EmbeddingLog::Open(folder_.path(), "these").status().code(),
            absl::StatusCode::kAborted);
  EXPECT_TRUE(IsThere());
  EXPECT_TRUE(log->Remove().ok());
  EXPECT_FALSE(IsThere());
}

}  // namespace
}  // namespace antiphon::collection
