#include "tests/bench/report.h"

#include <gmock/gmock.h>

#include "nlohmann/json.hpp"

namespace antiphon::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Report ReportOf(Run run) {
  Report report;
  report.machine = {.cpu = "A CPU", .cores = 2, .vector = {"avx2"}, .memory_bytes = 1024};
  report.status.set_score_vectors(77);
  report.runs.push_back(std::move(run));
  return report;
}

Run RunOf() {
  Run run{.clients = 4, .rate = {}, .seconds = 10, .measured = {}, .before = {}, .after = {}};
  run.measured.seconds = 10;
  run.measured.answered = Summarize({0.1, 0.3});
  run.measured.stages["encode"] = Summarize({0.05});
  run.measured.sound_s_per_s = 2;
  return run;
}

TEST(ReportTest, ProcessorTimeIsTheDifferenceOverTheRun) {
  bench::Run run = RunOf();  // Run is a member of every test
  run.before.cpu_s = 3;
  run.after.cpu_s = 5;
  const auto json = nlohmann::json::parse(Json(ReportOf(run)));
  EXPECT_EQ(json["runs"][0]["cpu_ms_per_call"], 1000);
  EXPECT_EQ(json["runs"][0]["sound_per_cpu_second"], 10);
}

TEST(ReportTest, WhatIsNotKnownIsLeftOut) {
  const Report report = ReportOf(RunOf());
  EXPECT_FALSE(nlohmann::json::parse(Json(report))["runs"][0].contains("cpu_ms_per_call"));
  EXPECT_THAT(Table(report), Not(HasSubstr("CPU ms/call")));
}

TEST(ReportTest, TheMachineAndTheCollectionAreNamed) {
  const auto json = nlohmann::json::parse(Json(ReportOf(RunOf())));
  EXPECT_EQ(json["machine"]["cpu"], "A CPU");
  EXPECT_EQ(json["machine"]["vector"][0], "avx2");
  EXPECT_EQ(json["server"]["score_vectors"], 77);
}

TEST(ReportTest, TheTableHasARowForEachRun) {
  const std::string table = Table(ReportOf(RunOf()));
  EXPECT_THAT(table, HasSubstr("4 clients"));
  EXPECT_THAT(table, HasSubstr("encode 50.0"));
  EXPECT_THAT(table, HasSubstr("300.0"));
}

TEST(ReportTest, FailedCallsHaveTimesOfTheirOwn) {
  bench::Run run = RunOf();
  EXPECT_THAT(Table(ReportOf(run)), Not(HasSubstr("failed")));
  run.measured.failed = Summarize({120});
  EXPECT_THAT(Table(ReportOf(run)), HasSubstr("120000.0"));
  const auto json = nlohmann::json::parse(Json(ReportOf(run)));
  EXPECT_EQ(json["runs"][0]["failed_ms"]["count"], 1);
  EXPECT_EQ(json["runs"][0]["answered_ms"]["max"], 300);
}

TEST(ReportTest, AnExcerptIsReportedOnce) {
  Call call;
  call.answer.outcome = Outcome::kAnswered;
  call.answer.response.set_verdict(v1::VERDICT_MATCH);
  v1::Candidate* candidate = call.answer.response.add_candidates();
  candidate->mutable_source()->set_id("a_piece");
  candidate->set_confidence(0.9);
  std::vector<Excerpt> excerpts(1);
  excerpts[0].start_s = 3;
  const std::vector<Recognized> found =
      RecognizedIn({.calls = {call, call}, .seconds = 1}, excerpts, 5);
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].id, "a_piece");
  EXPECT_EQ(found[0].start_s, 3);
  EXPECT_TRUE(found[0].match);
}

}  // namespace
}  // namespace antiphon::bench
