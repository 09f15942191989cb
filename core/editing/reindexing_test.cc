#include "core/editing/reindexing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "core/bundle/bundle.h"
#include "core/editing/collection_store.h"
#include "core/encoder/encoder_file.h"
#include "core/retrieval/bundle_collection.h"
#include "core/testing/fake_encoder.h"
#include "core/testing/live_test_bundle.h"
#include "core/testing/temporary_folder.h"
#include "tests/support/test_model.h"

namespace antiphon::editing {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ReindexingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.model_directory = bundle_.Path("other");
    fs::create_directories(options_.model_directory);
    encoder::EncoderInfo info;
    info.model_id = "test-2";
    info.settings = testing::FakeSettings();
    testing::WriteTestModel(options_.model_directory, info);
    bundle_.Index(3, 2);
    auto store = Open(bundle_.root());
    ASSERT_TRUE(
        store->Apply(AddPiece{{.id = "new", .title = "New", .work_id = "w"}, testing::MidiOf(7)})
            .ok());
    ASSERT_TRUE(store->Merge().ok());
    ASSERT_TRUE(store->Apply(UpdatePiece{.id = "p0", .title = "Renamed"}).ok());
    ASSERT_TRUE(store->Apply(DeletePiece{.id = "p1", .with_recordings = true}).ok());
    ASSERT_TRUE(
        store->Apply(AddRecording{{.id = "take", .piece_id = "new"}, testing::AudioOf(7)}).ok());
    listing_ = testing::Listing(store->Current()->view());
  }
  static std::unique_ptr<CollectionStore> Open(const std::string& root) {
    StoreOptions options;
    options.merge_fraction = 0;
    auto store = CollectionStore::Open(root, options);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }

  const testing::TemporaryFolder folder_;
  const testing::LiveTestBundle bundle_{folder_.path()};
  ReindexOptions options_;
  std::vector<std::string> listing_;
};

TEST_F(ReindexingTest, TheSameSourcesWithTheSameVersionsAndAnotherModel) {
  std::ofstream(options_.model_directory + "/confidence.json")
      << R"({"bias":0,"score_weight":0,"margin_weight":0,"length_weight":0,"threshold":0.25,)"
         R"("false_accept_rate":0.5,"queries":3})";
  const bundle::Manifest before = bundle::OpenBundle(bundle_.root())->manifest;
  int64_t told = 0;
  options_.progress = [&](int64_t done, int64_t all) {
    EXPECT_EQ(done, ++told);
    EXPECT_EQ(all, 5);
  };
  const auto reindexed = ReindexBundle(bundle_.root(), options_);
  ASSERT_TRUE(reindexed.ok()) << reindexed.status();
  EXPECT_EQ(told, 5);
  EXPECT_EQ(reindexed->former_generation, 2);
  const bundle::Manifest& manifest = reindexed->made.manifest;
  EXPECT_EQ(manifest.generation, 3);
  EXPECT_EQ(manifest.model_id, "test-2");
  EXPECT_EQ(manifest.tempo_ratios, before.tempo_ratios);
  EXPECT_EQ(manifest.last_change, 5);
  EXPECT_THAT(reindexed->made.left_out, IsEmpty());
  EXPECT_THAT(reindexed->damaged, IsEmpty());
  {
    auto store = Open(bundle_.root());
    EXPECT_EQ(testing::Listing(store->Current()->view()), listing_);
    EXPECT_EQ(store->Current()->confidence().threshold, 0.25);
    EXPECT_EQ(store->edit_status().unmerged, 0);
    const auto updated =
        store->Apply(UpdatePiece{.id = "p0", .title = "Again", .expected_version = 2});
    ASSERT_TRUE(updated.ok()) << updated.status();
    EXPECT_EQ(updated->version, 6);
  }
  // Going back: the former generation and its edits are there as they were.
  fs::remove(bundle_.root() + "/gen-000003/MANIFEST");
  const auto store = Open(bundle_.root());
  EXPECT_EQ(store->Current()->manifest().model_id, "test-1");
  EXPECT_EQ(testing::Listing(store->Current()->view()), listing_);
}

TEST_F(ReindexingTest, AnswersAreThoseOfAFreshIndex) {
  options_.model_directory = bundle_.Path("model");
  options_.kind = index::IndexKind::kHnsw;
  options_.tempo_ratios = std::vector<double>{1};
  options_.score_hop_s = 1;
  ASSERT_TRUE(ReindexBundle(bundle_.root(), options_).ok());
  const auto store = Open(bundle_.root());
  EXPECT_EQ(store->Current()->view().index_kind(catalog::Side::kScores), index::IndexKind::kHnsw);
  EXPECT_EQ(store->Current()->manifest().score_hop_s, 1);
  EXPECT_EQ(store->Current()->manifest().recording_hop_s, 0.125);
  EXPECT_EQ(testing::DifferenceFromFresh(bundle_, *store->Current(), {0, 7}), "");
}

TEST_F(ReindexingTest, AnotherBundleLeavesThisOne) {
  options_.output = bundle_.Path("elsewhere");
  ASSERT_TRUE(ReindexBundle(bundle_.root(), options_).ok());
  EXPECT_EQ(bundle::CurrentGeneration(bundle_.root()).value(), 2);
  EXPECT_EQ(testing::Listing(Open(options_.output)->Current()->view()), listing_);
  EXPECT_EQ(Open(options_.output)->edit_status().last_change, 5);
  EXPECT_EQ(ReindexBundle(bundle_.root(), options_).status().code(), StatusCode::kAlreadyExists);
}

TEST_F(ReindexingTest, ASnapshotIsReadWithoutAJournalOfItsOwn) {
  {
    const auto store = Open(bundle_.root());
    ASSERT_TRUE(store->Snapshot(bundle_.Path("snapshot")).ok());
    EXPECT_EQ(ReindexBundle(bundle_.root(), options_).status().code(),
              StatusCode::kFailedPrecondition);  // the store is open
  }
  options_.output = bundle_.Path("elsewhere");
  ASSERT_TRUE(ReindexBundle(bundle_.Path("snapshot"), options_).ok());
  EXPECT_FALSE(fs::exists(bundle_.Path("snapshot") + "/journal.sqlite"));
  EXPECT_EQ(testing::Listing(Open(options_.output)->Current()->view()), listing_);
}

// A model that reads no key that is played, and hears all the same.
TEST_F(ReindexingTest, WhatTheModelCannotEmbedIsListed) {
  encoder::EncoderInfo info;
  info.model_id = "test-3";
  info.settings = testing::FakeSettings();
  info.settings.bands = info.settings.pitches = 12;
  info.settings.lowest_pitch = 116;
  testing::WriteTestModel(options_.model_directory, info);
  options_.output = bundle_.Path("elsewhere");
  const absl::Status failed = ReindexBundle(bundle_.root(), options_).status();
  EXPECT_EQ(failed.code(), StatusCode::kFailedPrecondition);
  for (const char* source : {"3 sources", "piece p0: ", "piece p2: ", "piece new: "})
    EXPECT_THAT(std::string(failed.message()), HasSubstr(source));
  EXPECT_FALSE(fs::exists(options_.output));
  options_.skip_failed = true;
  const auto reindexed = ReindexBundle(bundle_.root(), options_);
  ASSERT_TRUE(reindexed.ok()) << reindexed.status();
  EXPECT_EQ(reindexed->made.left_out.size(), 3u);
  EXPECT_EQ(reindexed->made.manifest.pieces, 0);
  EXPECT_EQ(reindexed->made.manifest.recordings, 2);
  EXPECT_THAT(reindexed->made.warnings, ::testing::Contains(HasSubstr("recording take: is of no")));
  EXPECT_EQ(Open(options_.output)->Current()->recordings().at(0).piece_id, "");
}

TEST_F(ReindexingTest, AnInterruptionLeavesNothing) {
  int asked = 0;
  options_.keep_going = [&] {
    return ++asked < 3 ? absl::OkStatus() : absl::CancelledError("interrupted");
  };
  for (const std::string& output : {std::string(), bundle_.Path("elsewhere")}) {
    asked = 0;
    options_.output = output;
    EXPECT_EQ(ReindexBundle(bundle_.root(), options_).status().code(), StatusCode::kCancelled);
  }
  EXPECT_FALSE(fs::exists(bundle_.Path("elsewhere")));
  for (const auto& entry : fs::directory_iterator(bundle_.root()))
    EXPECT_NE(entry.path().filename().string().substr(0, 4), "tmp-");
  EXPECT_EQ(testing::Listing(Open(bundle_.root())->Current()->view()), listing_);
}

}  // namespace
}  // namespace antiphon::editing
