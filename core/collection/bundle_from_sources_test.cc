#include "core/collection/bundle_from_sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/error_reason.h"
#include "core/collection/bundle_builder.h"
#include "core/collection/embedding_log.h"
#include "core/collection/loaded_collection.h"
#include "core/testing/live_test_bundle.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::collection {
namespace {

using absl::StatusCode;
using catalog::Side;
using ::testing::HasSubstr;

class BundleFromSourcesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.builder = bundle_.builder_options();
    options_.last_change = 9;
    sources_.pieces = 2;
    sources_.recordings = 1;
    sources_.read = [](Side side, int64_t position) -> absl::StatusOr<catalog::SourceRecord> {
      catalog::SourceRecord source;
      source.side = side;
      if (side == Side::kScores) {
        source.piece = {.id = position == 0 ? "a" : "b", .title = "T", .version = 4 + position};
        source.content = position == 0 ? testing::MidiOf(3) : "no score";
      } else {
        source.recording = {.id = "r", .piece_id = "b", .version = 9};
        source.content = testing::AudioOf(3);
      }
      return source;
    };
  }
  std::string root() const { return bundle_.Path("made"); }

  const testing::TemporaryFolder folder_;
  const testing::LiveTestBundle bundle_{folder_.path()};
  SourceList sources_;
  FromSourcesOptions options_;
};

TEST_F(BundleFromSourcesTest, ListsWhatCannotBeEmbeddedOrLeavesItOut) {
  const absl::Status failed = MakeBundleFromSources(root(), sources_, options_).status();
  EXPECT_EQ(failed.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(failed.message()), HasSubstr("1 source can't be embedded:\n  piece b: "));
  EXPECT_FALSE(std::filesystem::exists(root()));
  options_.skip_failed = true;
  const auto made = MakeBundleFromSources(root(), sources_, options_);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->left_out.size(), 1u);
  EXPECT_EQ(made->manifest.last_change, 9);
  const auto loaded = OpenCollection(root(), {}).value().loaded;
  ASSERT_EQ(loaded->view->pieces().size(), 1u);
  EXPECT_EQ(loaded->view->pieces()[0].version, 4);
  EXPECT_EQ(loaded->view->recordings().at(0).piece_id, "");
  EXPECT_EQ(loaded->view->recordings().at(0).version, 9);
}

TEST_F(BundleFromSourcesTest, OtherFailuresEndIt) {
  const auto read = sources_.read;
  options_.skip_failed = true;
  sources_.read = [&](Side side, int64_t position) -> absl::StatusOr<catalog::SourceRecord> {
    if (side == Side::kRecordings) return absl::DataLossError("the bytes are gone");
    return read(side, position);
  };
  EXPECT_EQ(MakeBundleFromSources(root(), sources_, options_).status().code(),
            StatusCode::kDataLoss);
  sources_.read = read;
  options_.once_locked = [] { return absl::AbortedError("somebody else was here"); };
  EXPECT_EQ(MakeBundleFromSources(root(), sources_, options_).status().code(),
            StatusCode::kAborted);
  EXPECT_FALSE(std::filesystem::exists(root()));
  std::filesystem::create_directory(root());
  EXPECT_FALSE(MakeBundleFromSources(root(), sources_, options_).ok());
  EXPECT_TRUE(std::filesystem::exists(root()));  // it was there before
}

class BundleBuilderTest : public BundleFromSourcesTest {};

TEST_F(BundleBuilderTest, ALogThatCannotBeRemovedIsNoFailure) {
  options_.builder.resumable = true;
  const auto build = [&](const bundle::BundleWriter::Check& check) {
    auto builder = BundleBuilder::Create(root(), options_.builder);
    EXPECT_TRUE(builder.ok()) << builder.status();
    EXPECT_TRUE((*builder)->AddPiece({.id = "a", .title = "T"}, testing::MidiOf(3)).ok());
    return (*builder)->Publish(0, check);
  };
  const std::string log = root() + "/" + kEmbeddingLogFile;
  const auto published = build([&log](const bundle::OpenedBundle&) {
    std::filesystem::remove(log);
    std::filesystem::create_directories(log + "/a folder in its place");
    return absl::OkStatus();
  });
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_TRUE(std::filesystem::exists(log));
  EXPECT_EQ(OpenCollection(root(), {}).value().loaded->manifest.generation, published->generation);
}

TEST(IsOfTheSource, TellsAScoreFromADisk) {
  EXPECT_TRUE(IsOfTheSource(absl::InvalidArgumentError("no score")));
  EXPECT_TRUE(IsOfTheSource(absl::ResourceExhaustedError("too long")));
  EXPECT_FALSE(
      IsOfTheSource(WithReason(absl::ResourceExhaustedError(""), ErrorReason::kStorageFull)));
  EXPECT_TRUE(
      IsOfTheSource(WithReason(absl::FailedPreconditionError(""), ErrorReason::kAudioDamaged)));
  EXPECT_FALSE(IsOfTheSource(absl::InternalError("")));
  EXPECT_FALSE(IsOfTheSource(absl::CancelledError("")));
}

}  // namespace
}  // namespace antiphon::collection
