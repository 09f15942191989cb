#include "core/collection/source_embedder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <set>
#include <vector>

#include "core/audio/encoder.h"
#include "core/music/midi_file.h"
#include "core/testing/test_collection.h"

namespace antiphon::collection {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;

const SourcePlan kPlan = {{0.5, 1.0}, 0.5, 0.25};

class SourceEmbedderTest : public ::testing::Test {
 protected:
  testing::FakeEncoder audio_encoder_{encoder::Modality::kAudio};
  testing::FakeEncoder score_encoder_{encoder::Modality::kScore};
  const std::unique_ptr<const features::AudioFrontEnd> front_end_ =
      features::AudioFrontEnd::Create(testing::FakeSettings()).value();
  const std::string midi_ = music::WriteMidi(testing::RandomPiece(1, 10)).value();
  const std::string sound_ =
      audio::EncodeAudio(testing::Play(testing::RandomPiece(1, 10)), audio::AudioFormat::kFlac)
          .value();
};

TEST_F(SourceEmbedderTest, AScoreIsReadAtEveryTempo) {
  const auto record =
      EmbedPiece(score_encoder_, kPlan, {.id = "p", .title = "T", .collection = "C"}, midi_);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->id(), "p");
  EXPECT_EQ(record->content, midi_);
  EXPECT_GT(record->piece.notes, 10);
  ASSERT_EQ(record->runs.size(), 2u);
  EXPECT_EQ(record->runs[0].tempo_ratio, 0.5);
  EXPECT_EQ(record->runs[1].tempo_ratio, 1.0);
  EXPECT_EQ(record->runs[1].first_vector, record->runs[0].count);
  EXPECT_GT(record->runs[0].count, record->runs[1].count);  // slower is longer
  EXPECT_TRUE(CheckRecord(*record, score_encoder_.info().dimension).ok());
}

TEST_F(SourceEmbedderTest, AScoreThatHasBeenReadGivesTheSame) {
  const catalog::Piece piece{.id = "p", .title = "T"};
  const auto read = EmbedPiece(score_encoder_, kPlan, piece, midi_);
  const auto given =
      EmbedPiece(score_encoder_, kPlan, piece, music::ReadMidi(midi_).value(), midi_);
  ASSERT_TRUE(read.ok() && given.ok()) << read.status() << given.status();
  EXPECT_EQ(given->content, midi_);
  EXPECT_EQ(given->piece.notes, read->piece.notes);
  EXPECT_EQ(given->piece.bars, read->piece.bars);
  EXPECT_EQ(given->vectors, read->vectors);
  EXPECT_EQ(EmbedPiece(score_encoder_, kPlan, piece, music::Score(), midi_).status().code(),
            absl::StatusCode::kInvalidArgument)
      << "no notes";
  music::Score drums;
  drums.drum_notes = 402;
  EXPECT_THAT(
      std::string(EmbedPiece(score_encoder_, kPlan, piece, drums, midi_).status().message()),
      ::testing::HasSubstr("all notes of the score (402) are on a drum channel"));
}

TEST_F(SourceEmbedderTest, PartsAreReadOneByOneWhereTheyAreWanted) {
  music::Score duo = testing::RandomPiece(1, 10);
  duo.parts = {{"One", 0, 0, 0}, {"Two", 1, 1, 0}, {"Rests", 2, 2, 0}};
  for (size_t i = 0; i < duo.notes.size(); ++i)
    duo.notes[i].track = duo.notes[i].channel = static_cast<int>(i % 2);
  catalog::Piece piece{.id = "p", .title = "T"};
  const auto parts_of = [&](const music::Score& score) {
    const auto record = EmbedPiece(score_encoder_, kPlan, piece, score, midi_);
    EXPECT_TRUE(record.ok()) << record.status();
    std::vector<int> parts;
    for (const catalog::SnippetRun& run : record->runs) parts.push_back(run.part);
    EXPECT_TRUE(CheckRecord(*record, score_encoder_.info().dimension).ok());
    return parts;
  };
  EXPECT_THAT(parts_of(duo), ::testing::Each(catalog::kWhole));
  piece.with_parts = true;
  const std::vector<int> parts = parts_of(duo);
  EXPECT_THAT(std::set<int>(parts.begin(), parts.end()),
              ::testing::ElementsAre(catalog::kWhole, 0, 1));
  EXPECT_THAT(parts_of(music::OnlyPart(duo, 1)), ::testing::Each(catalog::kWhole))
      << "one alone is the whole";
  for (int i = 0; i < 70; ++i) duo.parts.push_back({"More", 3 + i, 3, 0});
  for (int i = 0; i < 70; ++i) {
    duo.notes.push_back(duo.notes[0]);
    duo.notes.back().track = 3 + i;
    duo.notes.back().channel = 3;
  }
  const absl::Status many = EmbedPiece(score_encoder_, kPlan, piece, duo, midi_).status();
  EXPECT_EQ(many.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(many.message()), HasSubstr("72 parts"));
}

TEST_F(SourceEmbedderTest, ARecordingIsReadAsItIs) {
  const auto record =
      EmbedRecording(audio_encoder_, *front_end_, kPlan, {.id = "r", .piece_id = "p"}, sound_);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->recording.piece_id, "p");
  EXPECT_NEAR(record->recording.duration_s, 10, 1);
  EXPECT_EQ(record->content, sound_);
  EXPECT_TRUE(CheckRecord(*record, audio_encoder_.info().dimension).ok());
}

TEST_F(SourceEmbedderTest, StagesAreToldAndWhoHasGoneIsNotWaitedFor) {
  std::map<matching::Stage, int> told;
  int asked = 0;
  matching::RequestContext context;
  context.on_stage = [&](matching::Stage stage, double) { ++told[stage]; };
  context.keep_going = [&] { return ++asked, absl::OkStatus(); };
  ASSERT_TRUE(EmbedPiece(score_encoder_, kPlan, {.id = "p"}, midi_, context).ok());
  EXPECT_EQ(told, (std::map<matching::Stage, int>{{matching::Stage::kFeatures, 1},
                                                  {matching::Stage::kEncode, 1}}));
  EXPECT_GE(asked, 5);
  const int calls = score_encoder_.calls();
  context.keep_going = [&] { return absl::CancelledError("gone"); };
  EXPECT_EQ(EmbedPiece(score_encoder_, kPlan, {.id = "p"}, midi_, context).status().code(),
            StatusCode::kCancelled);
  EXPECT_EQ(EmbedRecording(audio_encoder_, *front_end_, kPlan, {.id = "r"}, sound_,
                           audio::DamagedAudio::kRefuse, nullptr, context)
                .status()
                .code(),
            StatusCode::kCancelled);
  EXPECT_EQ(score_encoder_.calls(), calls);
  EXPECT_EQ(audio_encoder_.calls(), 0);
}

TEST_F(SourceEmbedderTest, WhatACatalogueWouldNotKeepIsRefused) {
  EXPECT_THAT(std::string(EmbedPiece(score_encoder_, kPlan, {.id = ""}, midi_).status().message()),
              HasSubstr("piece id"));
  EXPECT_THAT(std::string(EmbedRecording(audio_encoder_, *front_end_, kPlan,
                                         {.id = "r", .title = "\xff"}, sound_)
                              .status()
                              .message()),
              HasSubstr("recording title"));
}

}  // namespace
}  // namespace antiphon::collection
