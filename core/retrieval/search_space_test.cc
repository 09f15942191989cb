#include "core/retrieval/search_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/status/status.h"

namespace antiphon::retrieval {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Found = SearchSpace::Found;

// A space in which each vector of one value finds that value and the next, as similarities.
class RememberingTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::vector<Found>> Search(std::vector<float> queries) {
    return space_.search(queries, 2);
  }

  // Query and similarity of each.
  static std::vector<std::pair<int, float>> Pairs(const absl::StatusOr<std::vector<Found>>& found) {
    std::vector<std::pair<int, float>> pairs;
    for (const Found& one : found.value()) pairs.emplace_back(one.query, one.similarity);
    return pairs;
  }

  std::vector<float> asked_;
  absl::Status failure_;
  SearchSpace space_ = Remembering(
      {.search = [this](std::span<const float> queries,
                        int k) -> absl::StatusOr<std::vector<Found>> {
         if (!failure_.ok()) return failure_;
         std::vector<Found> found;
         for (size_t i = 0; i < queries.size(); ++i) {
           asked_.push_back(queries[i]);
           for (int n = 0; n < k; ++n)
             found.push_back({static_cast<int>(i), {}, queries[i] + static_cast<float>(n)});
         }
         return found;
       },
       .read_runs = {}},
      /*dimension=*/1);
};

TEST_F(RememberingTest, LooksForEachVectorOnce) {
  EXPECT_THAT(Pairs(Search({5, 7})),
              ElementsAre(std::pair(0, 5), std::pair(0, 6), std::pair(1, 7), std::pair(1, 8)));
  EXPECT_THAT(Pairs(Search({7, 9, 5})),
              ElementsAre(std::pair(0, 7), std::pair(0, 8), std::pair(1, 9), std::pair(1, 10),
                          std::pair(2, 5), std::pair(2, 6)));
  EXPECT_THAT(asked_, ElementsAre(5, 7, 9));
}

TEST_F(RememberingTest, FindsForEachOfEqualVectors) {
  EXPECT_THAT(Pairs(Search({3, 3})),
              ElementsAre(std::pair(0, 3), std::pair(0, 4), std::pair(1, 3), std::pair(1, 4)));
  EXPECT_THAT(asked_, ElementsAre(3));
}

TEST_F(RememberingTest, LooksAgainForMoreNeighbours) {
  ASSERT_TRUE(space_.search(std::vector<float>{5}, 1).ok());
  EXPECT_THAT(Pairs(Search({5})), ElementsAre(std::pair(0, 5), std::pair(0, 6)));
  EXPECT_THAT(asked_, ElementsAre(5, 5));
}

TEST_F(RememberingTest, LooksForNothing) {
  EXPECT_THAT(Search({}).value(), IsEmpty());
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(RememberingTest, RemembersNoFailure) {
  failure_ = absl::CancelledError("the caller has gone");
  EXPECT_EQ(Search({1}).status(), failure_);
  failure_ = absl::OkStatus();
  EXPECT_THAT(Pairs(Search({1})), ElementsAre(std::pair(0, 1), std::pair(0, 2)));
}

}  // namespace
}  // namespace antiphon::retrieval
