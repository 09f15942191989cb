#include "core/retrieval/search_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "core/testing/temporary_folder.h"
#include "core/testing/test_collection.h"

namespace antiphon::retrieval {
namespace {

using catalog::Side;
using ::testing::ElementsAre;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(CheckFilter, SimilaritiesAreCosines) {
  for (const float good : {-1.0f, 0.0f, 1.0f})
    EXPECT_TRUE(CheckFilter({.min_similarity = good}).ok());
  for (const float bad : {-1.01f, 1.01f, std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_EQ(CheckFilter({.min_similarity = bad}).code(), absl::StatusCode::kInvalidArgument)
        << bad;
  }
}

TEST(PartOf, IsWithinTheQuery) {
  const auto part = [](double start_s, std::optional<double> end_s, double duration_s) {
    const auto result = PartOf({.start_s = start_s, .end_s = end_s}, duration_s);
    EXPECT_TRUE(result.ok()) << result.status();
    return std::pair(result->start_s, result->end_s);
  };
  EXPECT_EQ(part(0, {}, 10), std::pair(0.0, 10.0));
  EXPECT_EQ(part(3, {}, 10), std::pair(3.0, 10.0));
  EXPECT_EQ(part(3, 5, 10), std::pair(3.0, 5.0));
  EXPECT_EQ(part(3, kInfinity, 10), std::pair(3.0, 10.0));
  EXPECT_EQ(part(0, {}, 0), std::pair(0.0, 0.0));  // an empty query is no mistake of the excerpt's
  EXPECT_EQ(part(0, 5, 0), std::pair(0.0, 0.0));
}

TEST(PartOf, RefusesWhatIsNoPart) {
  for (const auto& [start_s, end_s] : {std::pair<double, std::optional<double>>{-0.1, {}},
                                       {10, {}},
                                       {kInfinity, {}},
                                       {std::nan(""), {}},
                                       {3, 3},
                                       {3, 2},
                                       {0, 0},
                                       {0, -kInfinity},
                                       {3, std::nan("")}}) {
    EXPECT_EQ(PartOf({.start_s = start_s, .end_s = end_s}, 10).status().code(),
              absl::StatusCode::kInvalidArgument)
        << start_s;
  }
}

TEST(Resolve, GoesByWhatIsThereNow) {
  const testing::TemporaryFolder folder;
  const auto loaded = testing::MakeTestCollection(folder.path(), {.pieces = 3, .recordings = 2});
  EXPECT_FALSE(Resolve(*loaded->view, Side::kScores, {.exact = true}).sources.has_value());
  EXPECT_TRUE(Resolve(*loaded->view, Side::kScores, {.exact = true}).exact);
  const auto record = std::make_shared<catalog::SourceRecord>();
  record->piece = {
      .id = "new", .title = "", .composer = "CHANCE", .collection = "shelf-9", .work_id = "work-1"};
  const std::vector<collection::Edit> edits = {{Side::kScores, "piece-0", nullptr},
                                               {Side::kScores, "new", record}};
  const auto view = loaded->view->With(edits);
  EXPECT_THAT(*Resolve(*view, Side::kScores, {.sources = {.composers = {"Chance"}}}).sources,
              ElementsAre(false, true, true));  // piece-1, piece-2, new
  EXPECT_THAT(*Resolve(*view, Side::kScores, {.sources = {.collections = {"shelf-9"}}}).sources,
              ElementsAre(false, false, true));
  EXPECT_THAT(*Resolve(*view, Side::kRecordings, {.sources = {.piece_ids = {"piece-1"}}}).sources,
              ElementsAre(false, true));
  EXPECT_THAT(*Resolve(*view, Side::kScores, {.sources = {.work_ids = {"work-1"}}}).sources,
              ElementsAre(false, true, true));
  EXPECT_THAT(*Resolve(*view, Side::kScores, {.sources = {.work_ids = {"Work-1"}}}).sources,
              ElementsAre(false, false, false));
  // A recording is of its piece's work: piece-0 is there no more, and piece-1 has been edited.
  EXPECT_THAT(*Resolve(*view, Side::kRecordings, {.sources = {.work_ids = {"work-0"}}}).sources,
              ElementsAre(false, true));
  const auto moved = std::make_shared<catalog::SourceRecord>();
  moved->piece = {.id = "piece-1", .work_id = "work-7"};
  const std::vector<collection::Edit> edit = {{Side::kScores, "piece-1", moved}};
  const auto later = view->With(edit);
  EXPECT_THAT(*Resolve(*later, Side::kRecordings, {.sources = {.work_ids = {"work-0"}}}).sources,
              ElementsAre(false, false));
  EXPECT_THAT(*Resolve(*later, Side::kRecordings, {.sources = {.work_ids = {"work-7"}}}).sources,
              ElementsAre(false, true));
}

}  // namespace
}  // namespace antiphon::retrieval
