#include "server/telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, CountsCallsByMethodAndCode) {
  Metrics metrics;
  metrics.RecordCall("Retrieval.Identify", grpc::StatusCode::OK, 0.02);
  metrics.RecordCall("Retrieval.Identify", grpc::StatusCode::OK, 0.02);
  metrics.RecordCall("Retrieval.Identify", grpc::StatusCode::INVALID_ARGUMENT, 0.001);
  const std::string text = metrics.Text();
  EXPECT_THAT(text,
              HasSubstr(R"(antiphon_requests_total{code="OK",method="Retrieval.Identify"} 2)"));
  EXPECT_THAT(
      text,
      HasSubstr(
          R"(antiphon_requests_total{code="INVALID_ARGUMENT",method="Retrieval.Identify"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(antiphon_request_seconds_count{method="Retrieval.Identify"} 3)"))
      << "the latency of failures counts, too";
}

TEST(Metrics, StagesAndBatchesAreHistograms) {
  Metrics metrics;
  EXPECT_THAT(metrics.Text(), HasSubstr(R"(antiphon_stage_seconds_count{stage="encode"} 0)"))
      << "there from the start";
  metrics.RecordStage(v1::STAGE_ENCODE, 0.5);
  metrics.RecordBatch("audio", 12);
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr(R"(antiphon_stage_seconds_count{stage="encode"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(antiphon_encoder_batch_windows_sum{modality="audio"} 12)"));
}

TEST(Metrics, WhatIsReadWhenAskedIsOfTheMoment) {
  Metrics metrics;
  EXPECT_THAT(metrics.Text(), HasSubstr("antiphon_queue_depth 0")) << "there from the start";
  Sample sample;
  sample.queue_depth = 3;
  sample.streams = 2;
  sample.generation = 1;
  sample.model_id = "m1";
  sample.pieces = 40;
  sample.score_vectors = 1234;
  sample.last_change = 77;
  sample.unmerged_changes = 5;
  metrics.SetSource([&] { return sample; });
  std::string text = metrics.Text();
  for (const char* line :
       {"antiphon_queue_depth 3\n", "antiphon_streams_open{kind=\"sound\"} 2\n",
        "antiphon_pieces 40\n", "antiphon_snippets{side=\"scores\"} 1234\n",
        "antiphon_last_change 77\n", "antiphon_unmerged_changes 5\n", "model_id=\"m1\""}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("antiphon_gpu_memory_bytes"))) << "there is no GPU";
  EXPECT_THAT(text, Not(HasSubstr("antiphon_index_device"))) << "and none is missed";
  EXPECT_THAT(text, Not(HasSubstr("antiphon_tls_certificate"))) << "nor TLS";
  sample.generation = 2;
  sample.gpu_bytes = 4096;
  sample.index_device = IndexDeviceSample{.usable = true,
                                          .indexes = 1,
                                          .indexes_on_cpu = 2,
                                          .bytes = 3000,
                                          .searches = 40,
                                          .batches = 5,
                                          .searches_on_cpu = 6};
  sample.certificate_expires = absl::FromUnixSeconds(1'800'000'000);
  text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("antiphon_generation 2"));
  EXPECT_THAT(text, Not(HasSubstr("generation=\""))) << "every merge would make a new series";
  EXPECT_THAT(text, HasSubstr("antiphon_gpu_memory_bytes 4096"));
  for (const char* line :
       {"antiphon_index_device_usable 1\n", "antiphon_index_device_indexes{where=\"gpu\"} 1\n",
        "antiphon_index_device_indexes{where=\"cpu\"} 2\n",
        "antiphon_index_device_memory_bytes 3000\n", "antiphon_index_device_searches_total 40\n",
        "antiphon_index_device_searches_on_cpu_total 6\n",
        "antiphon_index_device_batches_total 5\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, HasSubstr("antiphon_tls_certificate_expires_seconds 1800000000"));
  metrics.SetSource(nullptr);
  EXPECT_THAT(metrics.Text(), HasSubstr("antiphon_queue_depth 0"));
}

TEST(Metrics, TellsWhatTheProcessUses) {
  const std::string text = Metrics().Text();
  for (const char* name :
       {"process_cpu_seconds_total ", "process_start_time_seconds ", "process_open_fds ",
        "process_max_fds ", "process_resident_memory_bytes ", "process_virtual_memory_bytes ",
        "process_threads "}) {
    EXPECT_THAT(text, HasSubstr(name));
  }
}

TEST(Metrics, SeriesAreThereBeforeAnythingHappens) {
  Metrics metrics;
  metrics.DeclareMethod("Admin.Merge");
  metrics.DeclareKey("importer");
  const std::string text = metrics.Text();
  for (const char* line :
       {R"(antiphon_requests_total{code="INTERNAL",method="Admin.Merge"} 0)",
        R"(antiphon_request_seconds_count{method="Admin.Merge"} 0)",
        R"(antiphon_key_requests_total{code="RESOURCE_EXHAUSTED",key="importer"} 0)",
        R"(antiphon_verdicts_total{method="Retrieval.Align",verdict="no_match"} 0)",
        R"(antiphon_stage_seconds_count{stage="align"} 0)",
        R"(antiphon_receive_refused_total{limit="server"} 0)",
        R"(antiphon_encoder_batch_windows_count{modality="score"} 0)"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  metrics.RecordKey("importer", grpc::StatusCode::RESOURCE_EXHAUSTED);
  metrics.RecordReceiveLimit("server");
  EXPECT_THAT(
      metrics.Text(),
      HasSubstr(R"(antiphon_key_requests_total{code="RESOURCE_EXHAUSTED",key="importer"} 1)"));
  EXPECT_THAT(metrics.Text(), HasSubstr(R"(antiphon_receive_refused_total{limit="server"} 1)"));
}

TEST(Metrics, CountsWhoIsTurnedAwayAndWhy) {
  Metrics metrics;
  EXPECT_THAT(metrics.Text(),
              HasSubstr(R"(antiphon_access_refused_total{reason="unknown_key"} 0)"));
  metrics.RecordRefusal(Metrics::Refusal::kUnknownKey);
  metrics.RecordRefusal(Metrics::Refusal::kOverLimit);
  EXPECT_THAT(metrics.Text(),
              HasSubstr(R"(antiphon_access_refused_total{reason="unknown_key"} 1)"));
  EXPECT_THAT(metrics.Text(), HasSubstr(R"(antiphon_access_refused_total{reason="over_limit"} 1)"));
  EXPECT_THAT(metrics.Text(),
              HasSubstr(R"(antiphon_access_refused_total{reason="missing_key"} 0)"));
}

TEST(Metrics, CountsEditsAndReloadsByHowTheyWent) {
  Metrics metrics;
  EXPECT_THAT(metrics.Text(), HasSubstr(R"(antiphon_edits_total{kind="merge",result="failed"} 0)"));
  for (const absl::Status& status :
       {absl::OkStatus(), absl::AlreadyExistsError(""), absl::AbortedError(""),
        absl::CancelledError(""), absl::ResourceExhaustedError(""), absl::DataLossError("")}) {
    metrics.RecordEdit(Metrics::EditKind::kAddPiece, status);
  }
  metrics.RecordReload(Metrics::Reloaded::kKeys, absl::InvalidArgumentError(""));
  const std::string text = metrics.Text();
  for (const char* line :
       {R"({kind="add_piece",result="ok"} 1)", R"({kind="add_piece",result="refused"} 2)",
        R"({kind="add_piece",result="abandoned"} 1)", R"({kind="add_piece",result="exhausted"} 1)",
        R"({kind="add_piece",result="failed"} 1)",
        R"(antiphon_reloads_total{result="failed",what="api_keys"} 1)",
        R"(antiphon_reloads_total{result="ok",what="api_keys"} 0)"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(Metrics, TellsOfSnapshots) {
  Metrics metrics;
  std::string text = metrics.Text();
  for (const char* result : {"ok", "unchanged", "refused", "abandoned", "exhausted", "failed"}) {
    EXPECT_THAT(text,
                HasSubstr(absl::StrCat("antiphon_snapshots_total{result=\"", result, "\"} 0\n")));
  }
  EXPECT_THAT(text, Not(HasSubstr("antiphon_snapshot_last_success_seconds")))
      << "there is nowhere to put one";
  metrics.RecordSnapshot(absl::OkStatus());
  metrics.RecordSnapshot(absl::UnavailableError(""));
  metrics.RecordUnchangedSnapshot();
  metrics.SetNewestSnapshot(std::nullopt);
  text = metrics.Text();
  for (const char* line : {R"(antiphon_snapshots_total{result="ok"} 1)",
                           R"(antiphon_snapshots_total{result="failed"} 1)",
                           R"(antiphon_snapshots_total{result="unchanged"} 1)",
                           "antiphon_snapshot_last_success_seconds 0\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  metrics.SetNewestSnapshot({{absl::FromUnixSeconds(1'800'000'000), 4096}});
  text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("antiphon_snapshot_last_success_seconds 1800000000\n"));
  EXPECT_THAT(text, HasSubstr("antiphon_snapshot_bytes 4096\n"));
}

TEST(Metrics, CountsWhatGoesWrongUnasked) {
  Metrics metrics;
  EXPECT_THAT(metrics.Text(), HasSubstr("antiphon_background_failures_total 0"));
  metrics.RecordBackgroundFailure();
  EXPECT_THAT(metrics.Text(), HasSubstr("antiphon_background_failures_total 1"));
}

TEST(Metrics, ExactlyOneStateIsOn) {
  Metrics metrics;
  EXPECT_THAT(metrics.Text(), HasSubstr(R"(antiphon_state{state="starting"} 1)"));
  metrics.SetState(ServerState::kServing);
  EXPECT_THAT(metrics.Text(), HasSubstr(R"(antiphon_state{state="starting"} 0)"));
  EXPECT_THAT(metrics.Text(), HasSubstr(R"(antiphon_state{state="serving"} 1)"));
  EXPECT_EQ(metrics.state(), ServerState::kServing);
}

}  // namespace
}  // namespace antiphon::server
