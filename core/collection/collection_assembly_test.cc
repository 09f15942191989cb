#include "core/collection/collection_assembly.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/audio/encoder.h"
#include "core/collection/source_embedder.h"
#include "core/music/midi_file.h"
#include "core/testing/temporary_folder.h"
#include "core/testing/test_collection.h"

namespace antiphon::collection {
namespace {

using catalog::Side;
using ::testing::HasSubstr;

matching::EmbeddingSequence SequenceAt(const std::vector<double>& starts) {
  return {.dimension = 2,
          .tempo_ratio = 1.5,
          .window_s = 3,
          .hop_s = 0.75,
          .start_s = starts,
          .embeddings = std::vector<float>(2 * starts.size())};
}

TEST(DefaultTempoRatios, AreGeometricFromHalfToTwice) {
  const std::vector<double> ratios = DefaultTempoRatios();
  EXPECT_NEAR(ratios.front(), 0.5, 1e-12);
  EXPECT_NEAR(ratios.back(), 2.0, 1e-12);
  for (size_t i = 1; i < ratios.size(); ++i) EXPECT_NEAR(ratios[i] / ratios[i - 1], 1.414, 0.001);
}

TEST(RunsOf, AdjoiningWindowsAreOneRun) {
  const auto runs = RunsOf(SequenceAt({0, 0.75, 1.5, 2.25}), 4, 100);
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].first_vector, 100);
  EXPECT_EQ(runs[0].count, 4);
  EXPECT_EQ(runs[0].source, 4);
  EXPECT_DOUBLE_EQ(runs[0].tempo_ratio, 1.5);
  EXPECT_DOUBLE_EQ(runs[0].hop_s, 0.75);
  EXPECT_DOUBLE_EQ(runs[0].window_s, 3);
}

TEST(RunsOf, AGapBeginsARun) {
  const auto runs = RunsOf(SequenceAt({1.5, 2.25, 6.0, 7.5}), 0, 10);
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_EQ(runs[0].count, 2);
  EXPECT_DOUBLE_EQ(runs[0].start_s, 1.5);
  EXPECT_EQ(runs[1].first_vector, 12);
  EXPECT_DOUBLE_EQ(runs[1].start_s, 6.0);
  EXPECT_EQ(runs[2].first_vector, 13);
  EXPECT_EQ(runs[2].count, 1);
  EXPECT_TRUE(RunsOf(SequenceAt({}), 0, 0).empty());
}

class CollectionAssemblyTest : public ::testing::Test {
 protected:
  std::unique_ptr<CollectionAssembly> Create(const BuilderOptions& options = {}) {
    return CollectionAssembly::Create(folder_.path(), audio_encoder_, score_encoder_, options)
        .value();
  }
  std::unique_ptr<catalog::Catalog> OpenCatalog() {
    return catalog::Catalog::Open(folder_.path() + "/" + bundle::kCatalogFile).value();
  }
  std::unique_ptr<index::VectorIndex> OpenIndex(const char* name) {
    return index::VectorIndex::Load(folder_.path() + "/" + name,
                                    {.dimension = score_encoder_.info().dimension})
        .value();
  }

  const testing::TemporaryFolder folder_;
  const testing::FakeEncoder audio_encoder_{encoder::Modality::kAudio};
  const testing::FakeEncoder score_encoder_{encoder::Modality::kScore};
};

TEST_F(CollectionAssemblyTest, WhatAnInterruptedOneEmbeddedIsNotEmbeddedAgain) {
  const std::string midi = music::WriteMidi(testing::RandomPiece(1, 8)).value();
  const std::string sound =
      audio::EncodeAudio(testing::Play(testing::RandomPiece(1, 8)), audio::AudioFormat::kFlac)
          .value();
  const testing::TemporaryFolder bundle;
  const std::string settings = CollectionAssembly::SettingsOf(score_encoder_.info(), {});
  int64_t vectors = 0;
  for (const bool interrupted : {true, false}) {
    const testing::TemporaryFolder files;
    const auto log = EmbeddingLog::Open(bundle.path(), settings).value();
    const auto assembly =
        CollectionAssembly::Create(files.path(), audio_encoder_, score_encoder_, {}, log.get())
            .value();
    ASSERT_TRUE(assembly->AddPiece({.id = "p", .title = interrupted ? "Old" : "New"}, midi).ok());
    ASSERT_TRUE(assembly->AddRecording({.id = "r", .piece_id = "p"}, sound).ok());
    if (interrupted) {
      vectors = score_encoder_.windows() + audio_encoder_.windows();
      EXPECT_GT(vectors, 0);
      continue;
    }
    const auto manifest = assembly->Finish();
    ASSERT_TRUE(manifest.ok()) << manifest.status();
    EXPECT_EQ(score_encoder_.windows() + audio_encoder_.windows(), vectors)
        << "none were run again";
    EXPECT_EQ(manifest->score_vectors + manifest->recording_vectors, vectors);
    EXPECT_EQ(catalog::Catalog::Open(files.path() + "/" + bundle::kCatalogFile)
                  .value()
                  ->pieces()[0]
                  .title,
              "New");
  }
}

TEST_F(CollectionAssemblyTest, EveryVectorIsTheWindowThatTheCatalogueSays) {
  auto assembly = Create({.tempo_ratios = {0.5, 1.0, 1.7}});
  music::Score score = testing::RandomPiece(1, 12);
  for (music::Note& note : score.notes) {  // a long rest in the middle, so that runs are split
    if (note.onset_s < 6) continue;
    note.onset_s += 20;
    note.offset_s += 20;
    note.sounding_offset_s += 20;
    score.duration_s = std::max(score.duration_s, note.sounding_offset_s);
  }
  const std::string midi = music::WriteMidi(score).value();
  ASSERT_TRUE(assembly
                  ->AddPiece({.id = "first", .title = "", .composer = ""},
                             music::WriteMidi(testing::RandomPiece(2, 5)).value())
                  .ok());
  ASSERT_TRUE(assembly->AddPiece({.id = "second", .title = "T", .composer = "C"}, midi).ok());
  const auto manifest = assembly->Finish();
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  const auto catalog = OpenCatalog();
  const auto index = OpenIndex(bundle::kScoreIndexFile);
  ASSERT_EQ(catalog->vector_count(Side::kScores), index->size());
  EXPECT_EQ(manifest->score_vectors, index->size());
  EXPECT_GT(catalog->runs(Side::kScores).size(), 6u);
  const music::Score read = music::ReadMidi(midi).value();
  int checked = 0;
  for (int64_t vector = 0; vector < index->size(); ++vector) {
    const auto position = catalog->Locate(Side::kScores, vector).value();
    if (position.source != 1) continue;
    // The same window, cut from the score by hand.
    const auto sequence =
        ScoreFeatures(score_encoder_.info().settings, read, position.tempo_ratio).value();
    const auto first = std::llround(position.start_s / position.tempo_ratio * sequence.frame_rate);
    std::vector<uint8_t> window(42 * sequence.cells_per_frame());
    sequence.CopyWindow(first, 42, window.data());
    const auto expected = score_encoder_.Encode(window).value();
    const auto stored = index->Reconstruct(vector, 1).value();
    ASSERT_EQ(stored.size(), expected.size());
    for (size_t d = 0; d < stored.size(); ++d) ASSERT_NEAR(stored[d], expected[d], 1e-5);
    EXPECT_NEAR(position.end_s - position.start_s, 2 * position.tempo_ratio, 1e-6);
    ++checked;
  }
  EXPECT_GT(checked, 30);
}

TEST_F(CollectionAssemblyTest, FillsInWhatTheScoreAndTheSoundSay) {
  auto assembly = Create({.tempo_ratios = {1.0}, .score_hop_s = 0.4, .recording_hop_s = 0.3});
  const music::Score score = testing::RandomPiece(1, 9.6);
  ASSERT_TRUE(
      assembly
          ->AddPiece({.id = "p", .title = "T", .composer = "C"}, music::WriteMidi(score).value())
          .ok());
  const std::string audio =
      audio::EncodeAudio(testing::Play(score, 2.0), audio::AudioFormat::kWav).value();
  ASSERT_TRUE(
      assembly->AddRecording({.id = "r", .title = "R", .composer = "C", .piece_id = "p"}, audio)
          .ok());
  const auto manifest = assembly->Finish();
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  const auto catalog = OpenCatalog();
  ASSERT_EQ(catalog->pieces().size(), 1u);
  const catalog::Piece& piece = catalog->pieces()[0];
  EXPECT_EQ(piece.title, "T");
  EXPECT_EQ(piece.notes, static_cast<int>(score.notes.size()));
  EXPECT_NEAR(piece.duration_s, score.duration_s, 0.01);
  EXPECT_NEAR(piece.beats, 2 * score.duration_s, 0.02);  // 120 quarter notes per minute
  EXPECT_EQ(piece.bars, static_cast<int>(std::ceil(score.duration_s / 2 - 0.01)));
  ASSERT_EQ(catalog->recordings().size(), 1u);
  EXPECT_NEAR(catalog->recordings()[0].duration_s, score.duration_s / 2, 0.01);
  EXPECT_EQ(catalog->ReadAudio(0).value(), audio);
  EXPECT_EQ(manifest->pieces, 1);
  EXPECT_EQ(manifest->recordings, 1);
  EXPECT_EQ(manifest->recording_vectors, OpenIndex(bundle::kRecordingIndexFile)->size());
  EXPECT_EQ(manifest->model_id, "fake-1");
  EXPECT_GT(manifest->query_hop_s, 0);
  EXPECT_EQ(manifest->score_hop_s, 0.4);
  EXPECT_EQ(manifest->recording_hop_s, 0.3);
  EXPECT_THAT(manifest->tempo_ratios, ::testing::ElementsAre(1.0));
  EXPECT_EQ(manifest->last_change, 0);
}

TEST_F(CollectionAssemblyTest, WhatIsRefusedLeavesNothingBehind) {
  auto assembly = Create({.tempo_ratios = {1.0}});
  const std::string midi = music::WriteMidi(testing::RandomPiece(1, 5)).value();
  music::Score too_high = testing::RandomPiece(0, 5);
  for (music::Note& note : too_high.notes) note.pitch = 120;
  const std::string silence =
      audio::EncodeAudio({std::vector<float>(44100, 0.0f), 22050}, audio::AudioFormat::kWav)
          .value();
  EXPECT_EQ(assembly->AddPiece({.id = "a", .title = "", .composer = ""}, "no MIDI").code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(assembly
                ->AddPiece({.id = "b", .title = "", .composer = ""},
                           music::WriteMidi(music::Score()).value())
                .code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(
      assembly
          ->AddPiece({.id = "c", .title = "", .composer = ""}, music::WriteMidi(too_high).value())
          .code(),
      absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(assembly->AddPiece({.id = "d", .title = "", .composer = ""}, midi).ok());
  EXPECT_EQ(assembly->AddPiece({.id = "d", .title = "", .composer = ""}, midi).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(
      assembly->AddRecording({.id = "e", .title = "", .composer = "", .piece_id = ""}, "no sound")
          .code(),
      absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(
      assembly->AddRecording({.id = "f", .title = "", .composer = "", .piece_id = ""}, silence)
          .code(),
      absl::StatusCode::kInvalidArgument);
  const auto manifest = assembly->Finish();
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->pieces, 1);
  EXPECT_EQ(manifest->recordings, 0);
  EXPECT_EQ(OpenCatalog()->pieces().size(), 1u);
  EXPECT_EQ(OpenIndex(bundle::kScoreIndexFile)->size(), manifest->score_vectors);
  EXPECT_EQ(OpenIndex(bundle::kRecordingIndexFile)->size(), 0);
}

TEST_F(CollectionAssemblyTest, RefusesOptionsOutOfRangeAndEncodersOfTwoModels) {
  const auto create = [&](const BuilderOptions& options,
                          const encoder::WindowEncoder& score_encoder) {
    return CollectionAssembly::Create(folder_.path(), audio_encoder_, score_encoder, options)
        .status();
  };
  for (const BuilderOptions& options :
       {BuilderOptions{.tempo_ratios = {}}, BuilderOptions{.tempo_ratios = {0.2}},
        BuilderOptions{.tempo_ratios = {4.1}}, BuilderOptions{.tempo_ratios = {std::nan("")}},
        BuilderOptions{.score_hop_s = 0}, BuilderOptions{.recording_hop_s = -1},
        BuilderOptions{.score_hop_s = 3601},
        BuilderOptions{.tempo_ratios = std::vector<double>(101, 1.0)}}) {
    EXPECT_EQ(create(options, score_encoder_).code(), absl::StatusCode::kInvalidArgument);
  }
  testing::FakeEncoder other(encoder::Modality::kScore);
  other.info_.model_id = "fake-2";
  const absl::Status status = create({}, other);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("fake-2"));
}

}  // namespace
}  // namespace antiphon::collection
