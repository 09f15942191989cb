// From a model on disk to answers: the builder, the bundle and the collection together.
#include "core/retrieval/bundle_collection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/audio/encoder.h"
#include "core/collection/bundle_builder.h"
#include "core/collection/collection_view.h"
#include "core/collection/loaded_collection.h"
#include "core/music/midi_file.h"
#include "core/testing/temporary_folder.h"
#include "core/testing/test_collection.h"
#include "tests/support/test_model.h"

namespace antiphon::retrieval {
namespace {

using ::testing::HasSubstr;

class CollectionTest : public ::testing::Test {
 protected:
  void SetUp() override { WriteModel("model", "test-1"); }

  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }

  void WriteModel(const std::string& name, const std::string& model_id) {
    std::filesystem::create_directories(Path(name));
    encoder::EncoderInfo info;
    info.model_id = model_id;
    info.settings = testing::FakeSettings();
    testing::WriteTestModel(Path(name), info);
  }

  // Publishes the pieces first, first + 1, …, the first of them as a recording too.
  absl::StatusOr<bundle::Manifest> Publish(int first, int count,
                                           const collection::BuilderOptions& options) {
    auto builder = collection::BundleBuilder::Create(Path("bundle"), options);
    if (!builder.ok()) return builder.status();
    for (int i = first; i < first + count; ++i) {
      const absl::Status status =
          (*builder)->AddPiece({.id = std::to_string(i), .title = "T", .composer = "C"},
                               *music::WriteMidi(testing::RandomPiece(i)));
      if (!status.ok()) return status;
    }
    const absl::Status status = (*builder)->AddRecording(
        {.id = "r", .title = "T", .composer = "C", .piece_id = std::to_string(first)},
        *audio::EncodeAudio(testing::Play(testing::RandomPiece(first), 1.1),
                            audio::AudioFormat::kFlac));
    if (!status.ok()) return status;
    return (*builder)->Publish();
  }
  collection::BuilderOptions Options() const { return {.model_directory = Path("model")}; }

  const testing::TemporaryFolder folder_;
};

TEST_F(CollectionTest, WhatWasPublishedIsFound) {
  const auto manifest = Publish(0, 4, Options());
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->generation, 1);
  const auto collection = BundleCollection::Open(Path("bundle"));
  ASSERT_TRUE(collection.ok()) << collection.status();
  EXPECT_EQ((*collection)->manifest().model_id, "test-1");
  EXPECT_EQ((*collection)->encoder_info().dimension, manifest->dimension);
  EXPECT_TRUE((*collection)->rejected_generations().empty());
  ASSERT_EQ((*collection)->view().pieces().size(), 4u);

  const music::Score excerpt = music::Excerpt(testing::RandomPiece(2), 10, 25);
  const auto by_audio = (*collection)->IdentifyAudio(testing::Play(excerpt, 1.3), {}, {});
  ASSERT_TRUE(by_audio.ok()) << by_audio.status();
  EXPECT_EQ(by_audio->verdict, matching::Verdict::kMatch);
  EXPECT_EQ(by_audio->candidates[0].source, 2);
  EXPECT_NEAR(by_audio->candidates[0].match.slope, 1.3, 0.07);
  const auto by_score = (*collection)->IdentifyScore(excerpt, {}, {});
  ASSERT_TRUE(by_score.ok());
  EXPECT_EQ(by_score->candidates[0].source, 2);
  const auto snippets = (*collection)->SearchScores(testing::Play(excerpt, 1.3), {}, {});
  ASSERT_TRUE(snippets.ok() && !snippets->empty());
  EXPECT_EQ(snippets->front().source, 2);
  const auto recordings =
      (*collection)->SearchRecordings(music::Excerpt(testing::RandomPiece(0), 5, 15), {}, {});
  ASSERT_TRUE(recordings.ok() && !recordings->empty());
  EXPECT_NEAR(recordings->front().match.reference.start_s,
              5 / 1.1 + recordings->front().match.query.start_s / 1.1, 1.0);
  EXPECT_TRUE((*collection)->EmbedAudio(testing::Play(excerpt), {}, {}).ok());
  EXPECT_TRUE((*collection)->EmbedScore(excerpt, 0.8, {}, {}).ok());
}

TEST_F(CollectionTest, AnOpenCollectionOutlivesTheNextGeneration) {
  ASSERT_TRUE(Publish(0, 2, Options()).ok());
  const auto before = BundleCollection::Open(Path("bundle"));
  ASSERT_TRUE(before.ok());
  const auto manifest = Publish(5, 3, Options());
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->generation, 2);
  const auto after = BundleCollection::Open(Path("bundle"));
  ASSERT_TRUE(after.ok());
  EXPECT_EQ((*before)->view().pieces().size(), 2u);
  EXPECT_TRUE((*before)->view().ReadMidi(1).ok());
  EXPECT_EQ((*after)->view().pieces().size(), 3u);
}

TEST_F(CollectionTest, EncodersCanBeWrapped) {
  ASSERT_TRUE(Publish(0, 1, Options()).ok());
  int wrapped = 0;
  collection::CollectionOptions options;
  options.wrap_encoder = [&](std::unique_ptr<encoder::WindowEncoder> encoder) {
    return ++wrapped, std::move(encoder);
  };
  ASSERT_TRUE(BundleCollection::Open(Path("bundle"), options).ok());
  EXPECT_EQ(wrapped, 2);
}

TEST_F(CollectionTest, IndexesOfEveryKindAnswerAlike) {
  for (const index::IndexKind kind :
       {index::IndexKind::kFlat, index::IndexKind::kHnsw, index::IndexKind::kIvf}) {
    collection::BuilderOptions options = Options();
    options.index.kind = kind;
    ASSERT_TRUE(Publish(0, 3, options).ok());
    const auto collection = BundleCollection::Open(Path("bundle"));
    ASSERT_TRUE(collection.ok()) << collection.status();
    const auto result =
        (*collection)
            ->IdentifyAudio(testing::Play(music::Excerpt(testing::RandomPiece(1), 10, 20)), {}, {});
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->candidates[0].source, 1) << index::IndexKindName(kind);
  }
}

TEST_F(CollectionTest, AModelOfTwoKindsIsRefused) {
  WriteModel("other", "test-2");
  std::filesystem::copy_file(Path("other/score_encoder.pt"), Path("model/score_encoder.pt"),
                             std::filesystem::copy_options::overwrite_existing);
  const auto builder = collection::BundleBuilder::Create(Path("bundle"), Options());
  EXPECT_EQ(builder.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(builder.status().message(), HasSubstr("test-2"));
}

TEST_F(CollectionTest, ConfidenceComesFromTheModelAndIsReadWithinALimit) {
  const auto publish_with = [&](const std::string& json) {
    std::ofstream(Path("model") + "/" + bundle::kConfidenceFile) << json;
    ASSERT_TRUE(Publish(0, 1, Options()).ok());
  };
  ASSERT_TRUE(Publish(0, 1, Options()).ok());
  EXPECT_EQ((*BundleCollection::Open(Path("bundle")))->confidence().threshold,
            matching::ConfidenceModel().threshold);
  const std::string json = matching::ConfidenceToJson({.threshold = 0.75, .queries = 30});
  publish_with(json);
  EXPECT_EQ((*BundleCollection::Open(Path("bundle")))->confidence().threshold, 0.75);
  for (const std::string& bad : {json + std::string(64 << 10, ' '), std::string("{")}) {
    publish_with(bad);
    EXPECT_EQ(BundleCollection::Open(Path("bundle")).status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST_F(CollectionTest, ACollectionOfOtherContentsSharesTheRest) {
  ASSERT_TRUE(Publish(0, 3, Options()).ok());
  const auto before = BundleCollection::Open(Path("bundle"));
  ASSERT_TRUE(before.ok());
  auto loaded = std::make_shared<collection::LoadedCollection>((*before)->loaded());
  const collection::Edit edit{catalog::Side::kScores, "1", nullptr};
  loaded->view = loaded->view->With({&edit, 1});
  ASSERT_TRUE(collection::CheckParts(*loaded).ok()) << collection::CheckParts(*loaded);
  const BundleCollection after(loaded);
  EXPECT_EQ(&after.audio_encoder(), &(*before)->audio_encoder());
  EXPECT_EQ(after.loaded().front_end, (*before)->loaded().front_end);
  const audio::Waveform query = testing::Play(music::Excerpt(testing::RandomPiece(1), 10, 20));
  const auto there = (*before)->IdentifyAudio(query, {}, {}),
             gone = after.IdentifyAudio(query, {}, {});
  ASSERT_TRUE(there.ok() && gone.ok());
  EXPECT_EQ(there->verdict, matching::Verdict::kMatch);
  EXPECT_EQ(gone->verdict, matching::Verdict::kNoMatch);
  for (const matching::Candidate& candidate : gone->candidates) {
    EXPECT_NE(after.view().pieces()[candidate.source].id, "1");
  }
}

TEST_F(CollectionTest, AMissingModelOrBundleIsNotFound) {
  EXPECT_EQ(collection::BundleBuilder::Create(Path("bundle"), {.model_directory = Path("nowhere")})
                .status()
                .code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(BundleCollection::Open(Path("nowhere")).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(CollectionTest, ABuilderThatIsGivenUpPublishesNothing) {
  ASSERT_TRUE(Publish(0, 2, Options()).ok());
  {
    auto builder = collection::BundleBuilder::Create(Path("bundle"), Options());
    ASSERT_TRUE(builder.ok()) << builder.status();
    ASSERT_TRUE((*builder)
                    ->AddPiece({.id = "x", .title = "", .composer = ""},
                               *music::WriteMidi(testing::RandomPiece(9)))
                    .ok());
  }
  const auto collection = BundleCollection::Open(Path("bundle"));
  ASSERT_TRUE(collection.ok());
  EXPECT_EQ((*collection)->manifest().generation, 1);
  EXPECT_EQ((*collection)->view().pieces().size(), 2u);
}

TEST_F(CollectionTest, ADamagedGenerationIsRefusedForTheOneBefore) {
  ASSERT_TRUE(Publish(0, 1, Options()).ok());
  ASSERT_TRUE(Publish(0, 2, Options()).ok());
  for (const auto& entry : std::filesystem::directory_iterator(Path("bundle"))) {
    const std::filesystem::path index = entry.path() / bundle::kScoreIndexFile;
    if (entry.path().filename().string().find('2') == std::string::npos ||
        !std::filesystem::exists(index))
      continue;
    std::filesystem::permissions(index, std::filesystem::perms::owner_write,
                                 std::filesystem::perm_options::add);
    std::filesystem::resize_file(index, std::filesystem::file_size(index) / 2);
  }
  const auto collection = BundleCollection::Open(Path("bundle"));
  ASSERT_TRUE(collection.ok()) << collection.status();
  EXPECT_EQ((*collection)->manifest().generation, 1);
  ASSERT_EQ((*collection)->rejected_generations().size(), 1u);
  EXPECT_THAT((*collection)->rejected_generations()[0], HasSubstr(bundle::kScoreIndexFile));
}

}  // namespace
}  // namespace antiphon::retrieval
