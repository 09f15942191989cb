#include "server/serving/live_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/retrieval/bundle_collection.h"
#include "core/testing/live_test_bundle.h"
#include "core/testing/temporary_folder.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class LiveStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    spdlog::set_level(spdlog::level::off);
    bundle_.Index(/*pieces=*/3, /*recordings=*/1);
    options_.bundle = bundle_.root();
    std::filesystem::create_directory(Snapshot(""));
  }

  void Open() {
    auto store = OpenLiveStore(options_, metrics_);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  std::string Snapshot(const std::string& name) const {
    return absl::StrCat(bundle_.Path("snapshots"), "/", name);
  }

  absl::Status Add(const std::string& id, int seed) {
    catalog::Piece piece;
    piece.id = id;
    return store_->Apply(editing::AddPiece{piece, testing::MidiOf(seed)}, {}).status();
  }

  testing::TemporaryFolder folder_;
  testing::LiveTestBundle bundle_{folder_.path()};
  LiveStoreOptions options_;
  Metrics metrics_;
  std::unique_ptr<Store> store_;
};

TEST_F(LiveStoreTest, AnEditIsThereWhenItReturns) {
  Open();
  const auto before = store_->Current();
  ASSERT_TRUE(Add("new", 7).ok());
  EXPECT_TRUE(store_->Current()->FindPiece("new").has_value());
  EXPECT_FALSE(before->FindPiece("new").has_value()) << "calls under way keep what they have";
  EXPECT_EQ(store_->edit_status().last_change, 1);
  ASSERT_TRUE(store_->Apply(editing::DeletePiece{.id = "new"}, {}).ok());
  EXPECT_FALSE(store_->Current()->FindPiece("new").has_value());
}

TEST_F(LiveStoreTest, WhatWasAddedIsThereAfterARestart) {
  Open();
  ASSERT_TRUE(Add("new", 7).ok());
  store_.reset();
  Open();
  EXPECT_TRUE(store_->Current()->FindPiece("new").has_value());
}

TEST_F(LiveStoreTest, AnEditLeavesParsedScoresOfOtherPiecesInTheCache) {
  Open();
  const auto score_of = [&](const std::string& id) {
    const auto collection = store_->Current();
    return collection->ReadScore(collection->FindPiece(id).value()).value();
  };
  const auto kept = score_of("p0");
  const auto replaced = score_of("p1");
  ASSERT_TRUE(store_->Apply(editing::UpdatePiece{.id = "p1", .midi = testing::MidiOf(9)}, {}).ok());
  EXPECT_EQ(score_of("p0"), kept);
  EXPECT_NE(score_of("p1"), replaced);
  EXPECT_NE(score_of("p1")->notes.size(), 0u);
}

TEST_F(LiveStoreTest, AMergedCollectionAnswersLikeTheOneBefore) {
  Open();
  ASSERT_TRUE(Add("new", 7).ok());
  const auto merged = store_->Merge();
  ASSERT_TRUE(merged.ok()) << merged.status();
  EXPECT_EQ(merged->changes, 1);
  EXPECT_EQ(store_->Current()->manifest().generation, merged->generation);
  EXPECT_TRUE(store_->Current()->FindPiece("new").has_value());
}

TEST_F(LiveStoreTest, AReloadTakesOverWhatWasIndexedMeanwhile) {
  Open();
  const int64_t before = store_->Current()->manifest().generation;
  bundle_.Index(/*pieces=*/5, /*recordings=*/0, /*first_seed=*/20);
  const auto reloaded = store_->Reload();
  ASSERT_TRUE(reloaded.ok()) << reloaded.status();
  EXPECT_EQ(reloaded->previous_generation, before);
  EXPECT_EQ(store_->Current()->pieces().size(), 5u);
}

TEST_F(LiveStoreTest, ASnapshotCanBeRestored) {
  Open();
  ASSERT_TRUE(Add("before", 7).ok());
  const auto snapshot = store_->WriteSnapshot(Snapshot("monday"));
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->last_change, 1);
  EXPECT_EQ(snapshot->pieces, 4);
  ASSERT_TRUE(Add("after", 8).ok());
  const auto restored = store_->Restore(Snapshot("monday"));
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->pieces, 4);
  EXPECT_TRUE(store_->Current()->FindPiece("before").has_value());
  EXPECT_FALSE(store_->Current()->FindPiece("after").has_value());
  EXPECT_EQ(store_->WriteSnapshot(Snapshot("monday")).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(store_->Restore(Snapshot("tuesday")).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(LiveStoreTest, ASnapshotThatIsNotWholeIsNotRestored) {
  Open();
  ASSERT_TRUE(store_->WriteSnapshot(Snapshot("monday")).ok());
  for (const auto& file : std::filesystem::recursive_directory_iterator(Snapshot(""))) {
    if (file.path().filename() == "catalog.sqlite") std::filesystem::resize_file(file.path(), 100);
  }
  const absl::Status status = store_->Restore(Snapshot("monday")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("catalog.sqlite"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr(folder_.path())));
  EXPECT_EQ(store_->Current()->pieces().size(), 3u);
}

TEST_F(LiveStoreTest, ANewGenerationThatIsDamagedLeavesTheOldServingAndSaysWhy) {
  Open();
  const int64_t before = store_->Current()->manifest().generation;
  bundle_.Index(/*pieces=*/2, /*recordings=*/0);
  for (const auto& folder : std::filesystem::directory_iterator(bundle_.root())) {
    const std::string name = folder.path().filename();
    const std::string index = folder.path() / "scores.faiss";
    if (absl::EndsWith(name, absl::StrCat(before + 1)) && std::filesystem::exists(index)) {
      std::filesystem::resize_file(index, 10);
    }
  }
  const auto reloaded = store_->Reload();
  EXPECT_EQ(reloaded.status().code(), absl::StatusCode::kFailedPrecondition) << reloaded.status();
  EXPECT_THAT(std::string(reloaded.status().message()), HasSubstr("scores.faiss"));
  EXPECT_THAT(std::string(reloaded.status().message()), Not(HasSubstr(folder_.path())));
  EXPECT_EQ(store_->Current()->manifest().generation, before);
  EXPECT_EQ(store_->Current()->pieces().size(), 3u);
}

}  // namespace
}  // namespace antiphon::server
