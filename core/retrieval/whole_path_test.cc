#include "core/retrieval/whole_path.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <utility>
#include <vector>

namespace antiphon::retrieval {
namespace {

constexpr int kDimension = 32;
constexpr double kWindow_s = 2.0;

// A direction of its own for every tenth of a second of a source; those near one another are alike.
class Music {
 public:
  explicit Music(unsigned seed, double length_s) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (int i = 0; i < static_cast<int>(length_s) + 2; ++i) {
      for (int k = 0; k < kDimension; ++k) corners_.push_back(normal(random));
    }
  }

  // What a window around a moment is like.
  void Append(double s, std::vector<float>& to) const {
    const int second = static_cast<int>(std::floor(s));
    const auto part = static_cast<float>(s - second);
    float square = 0;
    std::vector<float> vector(kDimension);
    for (int k = 0; k < kDimension; ++k) {
      vector[k] = corners_[second * kDimension + k] * (1 - part) +
                  corners_[(second + 1) * kDimension + k] * part;
      square += vector[k] * vector[k];
    }
    for (const float value : vector) to.push_back(value / std::sqrt(square));
  }

 private:
  std::vector<float> corners_;
};

SearchSpace::Run RunOf(const Music& music, double length_s, double tempo_ratio = 1) {
  SearchSpace::Run run;
  run.run.tempo_ratio = tempo_ratio;
  run.run.hop_s = 0.5 * tempo_ratio;
  run.run.window_s = kWindow_s * tempo_ratio;
  for (double s = 0; s + run.run.window_s <= length_s; s += run.run.hop_s) {
    music.Append(s + run.run.window_s / 2, run.vectors);
    ++run.run.count;
  }
  return run;
}

// A query that plays stretches of the source, `slope` seconds of it to the second.
matching::EmbeddingSequence Play(const Music& music,
                                 const std::vector<std::pair<double, double>>& stretches,
                                 double hop_s, double slope = 1) {
  matching::EmbeddingSequence query{.dimension = kDimension, .window_s = kWindow_s, .hop_s = hop_s};
  double begin_s = 0;
  for (const auto& [from_s, to_s] : stretches) {
    const double end_s = begin_s + (to_s - from_s) / slope;
    for (double s = std::ceil(begin_s / hop_s) * hop_s; s < end_s; s += hop_s) {
      query.start_s.push_back(s - kWindow_s / 2);
      music.Append(from_s + (s - begin_s) * slope, query.embeddings);
    }
    begin_s = end_s;
  }
  return query;
}

WholePath Trace(const matching::EmbeddingSequence& query, const std::vector<SearchSpace::Run>& runs,
                double slope = 1) {
  return TraceWhole(query, runs, slope).value();
}

TEST(TraceWholeTest, FollowsTheWholeQueryAtItsTempo) {
  const Music music(1, 120);
  for (const double slope : {0.8, 1.0, 1.25}) {
    const WholePath path = Trace(Play(music, {{10, 100}}, 0.25, slope), {RunOf(music, 120)}, slope);
    ASSERT_EQ(path.passages.size(), 1u);
    EXPECT_NEAR(path.match.slope, slope, 0.01);
    EXPECT_NEAR(path.match.query.length_s(), 90 / slope, 2.5);
    EXPECT_NEAR(path.place.reference_s, 10 + slope * path.place.query_s, 0.3);
    EXPECT_GT(path.similarity, 0.9);
  }
}

TEST(TraceWholeTest, WindowsMayLieFarApart) {
  const Music music(2, 600);
  const WholePath path = Trace(Play(music, {{0, 600}}, 2.5, 1.1), {RunOf(music, 600)}, 1.1);
  ASSERT_EQ(path.passages.size(), 1u);
  EXPECT_NEAR(path.match.slope, 1.1, 0.01);
  EXPECT_NEAR(path.place.reference_s, 1.1 * path.place.query_s, 0.5);
  EXPECT_NEAR(path.match.reference.length_s(), 600, 6);
}

TEST(TraceWholeTest, ARepeatIsAnotherPassage) {
  const Music music(3, 120);
  for (const double hop_s : {0.25, 1.5}) {
    const WholePath path =
        Trace(Play(music, {{0, 40}, {0, 40}, {40, 90}}, hop_s), {RunOf(music, 120)});
    ASSERT_EQ(path.passages.size(), 2u) << hop_s;
    EXPECT_NEAR(path.passages[0].match.query.end_s, 40, hop_s + 0.25);
    EXPECT_NEAR(path.passages[0].match.reference.end_s, 40, hop_s + 0.5);
    EXPECT_NEAR(path.passages[1].match.reference.start_s, 0, hop_s + 0.5);
    EXPECT_NEAR(path.passages[1].match.reference.end_s, 90, hop_s + 1.5);
    EXPECT_NEAR(path.match.slope, 1, 0.02) << "a jump is no tempo";
    EXPECT_NEAR(path.place.reference_s, path.place.query_s - 40, 0.5) << "in the longer passage";
  }
}

TEST(TraceWholeTest, OtherSoundAtTheEndsIsLeftOut) {
  const Music music(4, 100), talk(5, 100);
  matching::EmbeddingSequence query = Play(talk, {{0, 20}}, 0.25);
  const matching::EmbeddingSequence played = Play(music, {{30, 60}}, 0.25);
  for (size_t i = 0; i < played.start_s.size(); ++i)
    query.start_s.push_back(20 + played.start_s[i]);
  query.embeddings.insert(query.embeddings.end(), played.embeddings.begin(),
                          played.embeddings.end());
  const WholePath path = Trace(query, {RunOf(music, 100)});
  ASSERT_FALSE(path.passages.empty());
  EXPECT_NEAR(path.match.query.start_s, 19, 1.5);
  EXPECT_NEAR(path.match.reference.start_s, 29, 1.5);
}

TEST(TraceWholeTest, OtherMusicHasHardlyAPath) {
  const Music music(6, 100), other(7, 100);
  EXPECT_GT(Trace(Play(music, {{0, 60}}, 0.25), {RunOf(music, 100)}).score, 0.6);
  EXPECT_LT(Trace(Play(other, {{0, 60}}, 0.25), {RunOf(music, 100)}).score, 0.1);
}

TEST(TraceWholeTest, ASilenceInTheSourceDoesNotEndThePath) {
  const Music music(8, 100);
  SearchSpace::Run all = RunOf(music, 100);
  // The source is silent from 40 to 45 s: its windows there were left out.
  SearchSpace::Run first = all, second = all;
  first.run.count = 80;
  first.vectors.resize(80 * kDimension);
  second.run.start_s = 45;
  second.run.count = all.run.count - 90;
  second.vectors.erase(second.vectors.begin(), second.vectors.begin() + 90 * kDimension);
  const WholePath path = Trace(Play(music, {{10, 80}}, 0.25), {first, second});
  ASSERT_EQ(path.passages.size(), 1u);
  EXPECT_NEAR(path.match.reference.length_s(), 70, 3);
}

TEST(TraceWholeTest, TheTempoThatIsLookedForMayBeThatOfAStretchOnly) {
  const Music music(9, 60);
  const WholePath path =
      Trace(Play(music, {{0, 50}}, 0.25), {RunOf(music, 60, 0.4), RunOf(music, 60)}, 0.4);
  ASSERT_FALSE(path.passages.empty());
  EXPECT_NEAR(path.match.slope, 1, 0.02);
  EXPECT_NEAR(path.match.query.length_s(), 50, 2.5);
}

TEST(TraceWholeTest, NothingHasNoPath) {
  const Music music(9, 60);
  EXPECT_TRUE(Trace({.dimension = kDimension}, {RunOf(music, 60)}).passages.empty());
  EXPECT_TRUE(Trace(Play(music, {{0, 30}}, 0.25), {}).passages.empty());
}

TEST(TraceWholeTest, AsksWhetherToGoOn) {
  const Music music(10, 30);
  const auto path = TraceWhole(Play(music, {{0, 20}}, 0.25), {RunOf(music, 30)}, 1,
                               [] { return absl::CancelledError("enough"); });
  EXPECT_TRUE(absl::IsCancelled(path.status()));
}

}  // namespace
}  // namespace antiphon::retrieval
