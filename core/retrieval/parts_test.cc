// Pieces that are indexed by parts: one line out of several is found, and the answer names it.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/retrieval/bundle_collection.h"
#include "core/testing/temporary_folder.h"
#include "core/testing/test_collection.h"

namespace antiphon::retrieval {
namespace {

using matching::Verdict;

// Several pieces at once, each of them a part.
music::Score Ensemble(const std::vector<int>& seeds) {
  music::Score all = testing::RandomPiece(seeds[0]);
  all.notes.clear();
  all.parts.clear();
  for (size_t i = 0; i < seeds.size(); ++i) {
    const int part = static_cast<int>(i);
    all.parts.push_back({"Part " + std::to_string(i + 1), part, part, 40 + part});
    for (music::Note note : testing::RandomPiece(seeds[i]).notes) {
      note.track = note.channel = part;
      all.notes.push_back(note);
    }
  }
  std::sort(all.notes.begin(), all.notes.end(), [](const auto& a, const auto& b) {
    return std::pair(a.onset_s, a.pitch) < std::pair(b.onset_s, b.pitch);
  });
  return all;
}

class PartsTest : public ::testing::Test {
 protected:
  BundleCollection Make(std::vector<music::Score> scores, bool with_parts = true) {
    testing::TestCollectionOptions options{.pieces = 4, .more = std::move(scores)};
    options.builder.with_parts = with_parts;
    return BundleCollection(testing::MakeTestCollection(folder_.path(), options));
  }
  static matching::Identification Ask(const BundleCollection& collection,
                                      const music::Score& played) {
    return collection.IdentifyAudio(testing::Play(music::Excerpt(played, 10, 22)), {}, {}).value();
  }
  // Position of the piece "more-N".
  static constexpr int kMore = 4;

  const testing::TemporaryFolder folder_;
  const music::Score trio_ = Ensemble({21, 22, 23});
};

TEST_F(PartsTest, APartIsFoundByItselfAndNamed) {
  const BundleCollection collection = Make({trio_});
  for (const int part : {0, 1, 2}) {
    const music::Score line = music::OnlyPart(trio_, part);
    const auto answer = Ask(collection, line);
    EXPECT_EQ(answer.verdict, Verdict::kMatch);
    ASSERT_FALSE(answer.candidates.empty());
    EXPECT_EQ(answer.candidates[0].source, kMore);
    EXPECT_EQ(answer.candidates[0].part, part);
    EXPECT_NEAR(answer.candidates[0].place.reference_s, 10 + answer.candidates[0].place.query_s,
                0.4);
    const auto hits =
        collection.SearchScores(testing::Play(music::Excerpt(line, 10, 22)), {}, {}).value();
    ASSERT_FALSE(hits.empty());
    EXPECT_EQ(hits[0].source, kMore);
    EXPECT_EQ(hits[0].part, part);
  }
}

TEST_F(PartsTest, AllTogetherAreTheWhole) {
  const auto answer = Ask(Make({trio_}), trio_);
  EXPECT_EQ(answer.verdict, Verdict::kMatch);
  EXPECT_EQ(answer.candidates.at(0).source, kMore);
  EXPECT_EQ(answer.candidates[0].part, catalog::kWhole);
}

TEST_F(PartsTest, WithoutThemALineIsFarLessLikeTheWhole) {
  const music::Score line = music::OnlyPart(trio_, 1);
  const auto with = Ask(Make({trio_}), line);
  const testing::TemporaryFolder other;
  const BundleCollection whole(
      testing::MakeTestCollection(other.path(), {.pieces = 4, .more = {trio_}}));
  const auto without = Ask(whole, line);
  const double score = without.candidates.empty() ? 0 : without.candidates[0].score;
  EXPECT_LT(score, 0.7 * with.candidates.at(0).score);
}

// The same line in two pieces, once among two others and once by itself, is one music.
TEST_F(PartsTest, ALineThatTwoPiecesShareIsNoRival) {
  const BundleCollection collection = Make({trio_, music::OnlyPart(trio_, 2)});
  const auto answer = Ask(collection, music::OnlyPart(trio_, 2));
  EXPECT_EQ(answer.verdict, Verdict::kMatch);
  ASSERT_GE(answer.candidates.size(), 2u);
  ASSERT_EQ(answer.candidates[0].same_music.size(), 1u);
  EXPECT_NE(answer.candidates[0].source, answer.candidates[0].same_music[0].source);
  const int trio_part = answer.candidates[0].source == kMore
                            ? answer.candidates[0].part
                            : answer.candidates[0].same_music[0].part;
  EXPECT_EQ(trio_part, 2);
}

}  // namespace
}  // namespace antiphon::retrieval
