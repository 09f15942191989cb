#include "core/transcription/transcription.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>

#include "core/retrieval/bundle_collection.h"
#include "core/testing/temporary_folder.h"
#include "core/testing/test_collection.h"

namespace antiphon::transcription {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::vector<float> Noise(double seconds) {
  std::mt19937 random(1);
  std::vector<float> noise(static_cast<size_t>(seconds * 22050));
  for (float& sample : noise) sample = std::normal_distribution<float>(0, 0.05f)(random);
  return noise;
}

// The share of the notes that are found within 50 ms, and of those found that are such.
struct Rates {
  double recall = 0, precision = 0;
};
Rates RatesOf(const std::vector<music::Note>& truth, const std::vector<music::Note>& found) {
  std::vector<bool> taken(found.size());
  int hits = 0;
  for (const music::Note& note : truth) {
    for (size_t i = 0; i < found.size(); ++i) {
      if (taken[i] || found[i].pitch != note.pitch ||
          std::abs(found[i].onset_s - note.onset_s) > 0.05)
        continue;
      taken[i] = true;
      ++hits;
      break;
    }
  }
  return {static_cast<double>(hits) / static_cast<double>(truth.size()),
          static_cast<double>(hits) / static_cast<double>(std::max<size_t>(1, found.size()))};
}

class TranscriptionTest : public ::testing::Test {
 protected:
  Transcription Transcribe(const audio::Waveform& sound, const TranscriptionOptions& options = {}) {
    auto transcription = TranscribeMatched(collection_, sound, options);
    EXPECT_TRUE(transcription.ok()) << transcription.status();
    if (!transcription.ok()) return {};
    CheckForm(*transcription, sound.duration_s());
    return *std::move(transcription);
  }

  const testing::TemporaryFolder folder_;
  const retrieval::BundleCollection collection_{std::shared_ptr<const collection::LoadedCollection>(
      testing::MakeTestCollection(folder_.path(), {.pieces = 8}))};

 private:
  // What holds of every answer.
  static void CheckForm(const Transcription& transcription, double duration_s) {
    ASSERT_EQ(transcription.notes.size(), transcription.stretch.size());
    double onset_s = 0;
    for (size_t i = 0; i < transcription.notes.size(); ++i) {
      const music::Note& note = transcription.notes[i];
      EXPECT_GE(note.onset_s, onset_s);
      EXPECT_GT(note.offset_s, note.onset_s);
      EXPECT_GE(note.velocity, 1);
      EXPECT_LE(note.velocity, 127);
      ASSERT_LT(transcription.stretch[i], static_cast<int>(transcription.stretches.size()));
      onset_s = note.onset_s;
    }
    for (size_t i = 0; i < transcription.stretches.size(); ++i) {
      const Stretch& stretch = transcription.stretches[i];
      EXPECT_LT(stretch.start_s, stretch.end_s);
      EXPECT_GE(stretch.start_s, i == 0 ? 0 : transcription.stretches[i - 1].end_s - 1e-6);
      EXPECT_LE(stretch.end_s, duration_s + 1e-6);
      EXPECT_GE(stretch.confidence, 0);
      EXPECT_LE(stretch.confidence, 1);
    }
    for (const Gap& gap : transcription.gaps) EXPECT_LT(gap.start_s, gap.end_s);
  }
};

TEST_F(TranscriptionTest, APieceOfTheCollectionHasItsOwnNotesAtTheTimesOfTheSound) {
  const music::Score piece = testing::RandomPiece(2);
  const Transcription found = Transcribe(testing::Play(piece, 1.1));
  const Rates rates = RatesOf(music::AtTempoRatio(piece, 1.1).notes, found.notes);
  EXPECT_GT(rates.recall, 0.95);
  EXPECT_GT(rates.precision, 0.95);
  EXPECT_THAT(found.gaps, IsEmpty());
  ASSERT_THAT(found.stretches, Not(IsEmpty()));
  EXPECT_EQ(found.stretches[0].piece, 2);
  EXPECT_TRUE(found.stretches[0].aligned);
  EXPECT_EQ(found.stretches[0].transposition, 0);
}

TEST_F(TranscriptionTest, APieceInAnotherKeyIsWrittenAsItSounds) {
  const music::Score higher = music::Transposed(testing::RandomPiece(4), 2);
  const Transcription found = Transcribe(testing::Play(higher));
  EXPECT_GT(RatesOf(higher.notes, found.notes).recall, 0.9);
  const auto aligned = std::find_if(found.stretches.begin(), found.stretches.end(),
                                    [](const Stretch& stretch) { return stretch.aligned; });
  ASSERT_NE(aligned, found.stretches.end());
  EXPECT_EQ(aligned->piece, 4);
  EXPECT_EQ(aligned->transposition, 2);
}

TEST_F(TranscriptionTest, PiecesOneAfterTheOtherAreStretches) {
  audio::Waveform sound = testing::Play(testing::RandomPiece(1));
  const double border_s = sound.duration_s();
  const audio::Waveform second = testing::Play(testing::RandomPiece(5));
  sound.samples.insert(sound.samples.end(), second.samples.begin(), second.samples.end());
  const Transcription found = Transcribe(sound);
  ASSERT_THAT(found.stretches, SizeIs(::testing::Ge(2)));
  EXPECT_EQ(found.stretches.front().piece, 1);
  EXPECT_EQ(found.stretches.back().piece, 5);
  EXPECT_NEAR(found.stretches.back().start_s, border_s, 3);
}

TEST_F(TranscriptionTest, NearestWindowsAloneFindMostOfTheNotes) {
  const music::Score piece = testing::RandomPiece(3);
  const Transcription found = Transcribe(testing::Play(piece), {.recognise = false});
  EXPECT_GT(RatesOf(piece.notes, found.notes).recall, 0.7);
  for (const Stretch& stretch : found.stretches) EXPECT_FALSE(stretch.aligned);
}

TEST_F(TranscriptionTest, AFilterKeepsNotesOfOtherPiecesOut) {
  const Transcription found = Transcribe(testing::Play(testing::RandomPiece(3)),
                                         {.filter = {.sources = {.piece_ids = {"piece-6"}}}});
  for (const Stretch& stretch : found.stretches) EXPECT_EQ(stretch.piece, 6);
}

TEST_F(TranscriptionTest, WhereNothingIsNearThereIsAGap) {
  audio::Waveform sound;
  sound.samples = Noise(10);
  const Transcription found = Transcribe(sound, {.min_similarity = 0.9});
  EXPECT_THAT(found.notes, IsEmpty());
  ASSERT_THAT(found.gaps, SizeIs(1));
  EXPECT_NEAR(found.gaps[0].end_s - found.gaps[0].start_s, 10, 0.5);
}

TEST_F(TranscriptionTest, SilenceIsNoGap) {
  audio::Waveform sound;
  EXPECT_THAT(Transcribe(sound).gaps, IsEmpty());
  sound.samples.assign(size_t{20} * 22050, 0.0f);
  const Transcription found = Transcribe(sound);
  EXPECT_THAT(found.notes, IsEmpty());
  EXPECT_THAT(found.stretches, IsEmpty());
  EXPECT_THAT(found.gaps, IsEmpty());
}

TEST_F(TranscriptionTest, VelocityIsPlainWhereItIsNotAskedFor) {
  const Transcription found =
      Transcribe(testing::Play(testing::RandomPiece(2)), {.velocity = false});
  for (const music::Note& note : found.notes) EXPECT_EQ(note.velocity, 64);
}

TEST_F(TranscriptionTest, BadRequestsAreRefused) {
  audio::Waveform sound = testing::Play(testing::RandomPiece(2, 5));
  for (const double similarity : {-1.5, 1.5, std::nan("")}) {
    EXPECT_EQ(TranscribeMatched(collection_, sound, {.min_similarity = similarity}).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  sound.sample_rate = 8000;
  EXPECT_EQ(TranscribeMatched(collection_, sound, {}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(TranscriptionTest, ACallerThatHasGoneIsNotAnsweredInFull) {
  int asked = 0;
  const matching::RequestContext context{
      .keep_going = [&] { return ++asked > 3 ? absl::CancelledError("gone") : absl::OkStatus(); }};
  EXPECT_EQ(TranscribeMatched(collection_, testing::Play(testing::RandomPiece(2)), {}, context)
                .status()
                .code(),
            absl::StatusCode::kCancelled);
  EXPECT_LT(asked, 10);
}

}  // namespace
}  // namespace antiphon::transcription
