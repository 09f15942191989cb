#include "server/services/request_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

using ::testing::ElementsAre;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// The field that `result` blames, as InvalidArgument; "" when it is OK.
template <typename T>
std::string Blamed(const absl::StatusOr<T>& result) {
  if (result.ok()) return "";
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
  const auto detail = DetailOf(ToGrpc(result.status()));
  return detail.has_value() ? detail->field() : "none";
}

std::string BlamedIn(const v1::SearchOptions& options) {
  return Blamed(ToSearchOptions(options, Limits()));
}
std::string BlamedIn(const v1::IdentifyRequest& request) {
  return Blamed(ToIdentifyOptions(request, Limits()));
}

TEST(RequestOptions, LeftOutIsTheDefault) {
  const auto search = ToSearchOptions({}, Limits());
  ASSERT_TRUE(search.ok());
  EXPECT_EQ(search->top_k, 10);
  EXPECT_EQ(search->hop_s, 0.5);
  EXPECT_TRUE(search->filter.sources.empty());
  EXPECT_FALSE(search->filter.exact);
  EXPECT_EQ(search->filter.min_similarity, -1.0f);
  EXPECT_EQ(search->excerpt.start_s, 0);
  EXPECT_FALSE(search->excerpt.end_s.has_value());
  EXPECT_FALSE(search->evidence);
  const auto identify = ToIdentifyOptions({}, Limits());
  ASSERT_TRUE(identify.ok());
  EXPECT_EQ(identify->top_k, 5);
  EXPECT_FALSE(identify->hop_s.has_value());
  EXPECT_FALSE(identify->min_confidence.has_value());
  EXPECT_EQ(identify->max_transposition, 0);
  EXPECT_FALSE(identify->evidence);
}

TEST(RequestOptions, EveryFieldOfASearchArrives) {
  v1::SearchOptions options;
  options.set_top_k(3);
  options.set_hop_seconds(1);
  options.set_include_evidence(true);
  options.set_min_similarity(-0.25);
  options.mutable_filter()->add_composers("Bach");
  options.mutable_filter()->add_collections("summer");
  options.mutable_filter()->add_collections("winter");
  options.mutable_filter()->add_piece_ids("bwv846");
  options.mutable_filter()->add_work_ids("wtc 1");
  options.mutable_excerpt()->set_start_seconds(2);
  options.mutable_excerpt()->set_end_seconds(7.5);
  options.set_mode(v1::SEARCH_MODE_EXACT);
  const auto out = ToSearchOptions(options, Limits());
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_EQ(out->top_k, 3);
  EXPECT_EQ(out->hop_s, 1);
  EXPECT_TRUE(out->evidence);
  EXPECT_EQ(out->filter.min_similarity, -0.25f);
  EXPECT_THAT(out->filter.sources.composers, ElementsAre("Bach"));
  EXPECT_THAT(out->filter.sources.collections, ElementsAre("summer", "winter"));
  EXPECT_THAT(out->filter.sources.piece_ids, ElementsAre("bwv846"));
  EXPECT_THAT(out->filter.sources.work_ids, ElementsAre("wtc 1"));
  EXPECT_TRUE(out->filter.exact);
  EXPECT_EQ(out->excerpt.start_s, 2);
  EXPECT_EQ(out->excerpt.end_s, 7.5);
}

TEST(RequestOptions, EveryFieldOfAnIdentificationArrives) {
  v1::IdentifyRequest request;
  request.set_top_k(3);
  request.set_hop_seconds(1);
  request.set_min_confidence(0.125);
  request.set_max_transposition(6);
  request.set_method(v1::VOTE_METHOD_PLAIN);
  request.set_include_evidence(true);
  request.set_min_similarity(0.25);
  request.mutable_filter()->add_piece_ids("bwv846");
  request.mutable_excerpt()->set_end_seconds(7.5);
  request.set_mode(v1::SEARCH_MODE_EXACT);
  const auto out = ToIdentifyOptions(request, Limits());
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_EQ(out->top_k, 3);
  EXPECT_EQ(out->hop_s, 1);
  EXPECT_EQ(out->min_confidence, 0.125);
  EXPECT_EQ(out->max_transposition, 6);
  EXPECT_EQ(out->method, matching::VoteMethod::kPlain);
  EXPECT_TRUE(out->evidence);
  EXPECT_EQ(out->filter.min_similarity, 0.25f);
  EXPECT_THAT(out->filter.sources.piece_ids, ElementsAre("bwv846"));
  EXPECT_TRUE(out->filter.exact);
  EXPECT_EQ(out->excerpt.start_s, 0);
  EXPECT_EQ(out->excerpt.end_s, 7.5);
}

TEST(RequestOptions, MinSimilarityIsACosine) {
  for (const double bad : {-1.001, 1.001, kNaN, double{INFINITY}}) {
    v1::SearchOptions options;
    options.set_min_similarity(bad);
    EXPECT_EQ(BlamedIn(options), "options.min_similarity") << bad;
    v1::IdentifyRequest request;
    request.set_min_similarity(bad);
    EXPECT_EQ(BlamedIn(request), "min_similarity") << bad;
  }
  for (const double good : {-1.0, 0.0, 1.0}) {
    v1::SearchOptions options;
    options.set_min_similarity(good);
    EXPECT_EQ(BlamedIn(options), "") << good;
  }
}

TEST(RequestOptions, UnknownModesAreRefused) {
  v1::SearchOptions options;
  options.set_mode(static_cast<v1::SearchMode>(9));
  EXPECT_EQ(BlamedIn(options), "options.mode");
  v1::IdentifyRequest request;
  request.set_mode(static_cast<v1::SearchMode>(-1));
  EXPECT_EQ(BlamedIn(request), "mode");
}

TEST(RequestOptions, AFilterHasAThousandEntriesAtMost) {
  v1::SearchOptions options;
  for (int i = 0; i < 400; ++i) options.mutable_filter()->add_composers("Bach");
  for (int i = 0; i < 300; ++i) options.mutable_filter()->add_collections("summer");
  for (int i = 0; i < 200; ++i) options.mutable_filter()->add_piece_ids("bwv846");
  for (int i = 0; i < 100; ++i) options.mutable_filter()->add_work_ids("wtc 1");
  EXPECT_EQ(BlamedIn(options), "");
  options.mutable_filter()->add_composers("Bach");
  EXPECT_EQ(BlamedIn(options), "options.filter");
  v1::IdentifyRequest request;
  *request.mutable_filter() = options.filter();
  EXPECT_EQ(BlamedIn(request), "filter");
}

TEST(RequestOptions, EntriesOfAFilterAreText) {
  for (const std::string& bad : {std::string(), std::string(4001, 'x'), std::string("\xff"),
                                 std::string("a\0b", 3), std::string("\xc3")}) {
    v1::SearchOptions composers, collections, pieces, works;
    composers.mutable_filter()->add_composers(bad);
    EXPECT_EQ(BlamedIn(composers), "options.filter.composers");
    collections.mutable_filter()->add_collections("good");
    collections.mutable_filter()->add_collections(bad);
    EXPECT_EQ(BlamedIn(collections), "options.filter.collections");
    pieces.mutable_filter()->add_piece_ids(bad);
    EXPECT_EQ(BlamedIn(pieces), "options.filter.piece_ids");
    works.mutable_filter()->add_work_ids(bad);
    EXPECT_EQ(BlamedIn(works), "options.filter.work_ids");
    v1::IdentifyRequest request;
    *request.mutable_filter() = pieces.filter();
    EXPECT_EQ(BlamedIn(request), "filter.piece_ids");
  }
  v1::SearchOptions longest;
  longest.mutable_filter()->add_composers(std::string(4000, 'x'));
  EXPECT_EQ(BlamedIn(longest), "");
}

TEST(RequestOptions, AnExcerptBeginsBeforeItEnds) {
  const auto blamed = [](std::optional<double> start, std::optional<double> end) {
    v1::IdentifyRequest request;
    if (start.has_value()) request.mutable_excerpt()->set_start_seconds(*start);
    if (end.has_value()) request.mutable_excerpt()->set_end_seconds(*end);
    return BlamedIn(request);
  };
  EXPECT_EQ(blamed(1, 2), "");
  EXPECT_EQ(blamed({}, 2), "");
  EXPECT_EQ(blamed(1, {}), "");
  EXPECT_EQ(blamed(1, INFINITY), "");
  EXPECT_EQ(blamed(-0.1, {}), "excerpt.start_seconds");
  EXPECT_EQ(blamed(kNaN, {}), "excerpt.start_seconds");
  EXPECT_EQ(blamed(INFINITY, {}), "excerpt.start_seconds");
  EXPECT_EQ(blamed({}, 0), "excerpt.end_seconds");
  EXPECT_EQ(blamed(2, 2), "excerpt.end_seconds");
  EXPECT_EQ(blamed(2, kNaN), "excerpt.end_seconds");
}

TEST(RequestOptions, AnExcerptBeginsBeforeTheQueryEnds) {
  EXPECT_TRUE(CheckExcerpt("", {.start_s = 2.9}, 3).ok());
  EXPECT_TRUE(CheckExcerpt("", {.start_s = 0}, 0).ok()) << "a query without notes";
  EXPECT_EQ(Blamed<int>(CheckExcerpt("options.", {.start_s = 3}, 3)),
            "options.excerpt.start_seconds");
}

}  // namespace
}  // namespace antiphon::server
