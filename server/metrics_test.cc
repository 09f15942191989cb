#include "server/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  EXPECT_THAT(text, HasSubstr(R"(antiphon_requests_total{code="OK",method="Retrieval.Identify"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(antiphon_requests_total{code="INVALID_ARGUMENT",method="Retrieval.Identify"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(antiphon_request_seconds_count{method="Retrieval.Identify"} 3)"))
      << "the latency of failures counts, too";
}

TEST(Metrics, StagesAndBatchesAreHistograms) {
  Metrics metrics;
  EXPECT_THAT(metrics.Text(), HasSubstr(R"(antiphon_stage_seconds_count{stage="encode"} 0)")) << "there from the start";
  metrics.RecordStage(v1::STAGE_ENCODE, 0.5);
  metrics.RecordBatch("audio", 12);
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr(R"(antiphon_stage_seconds_count{stage="encode"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(antiphon_encoder_batch_windows_sum{modality="audio"} 12)"));
}

TEST(Metrics, ANewCollectionReplacesTheOld) {
  Metrics metrics;
  bundle::Manifest manifest;
  manifest.model_id = "m1";
  manifest.generation = 1;
  manifest.pieces = 40;
  manifest.score_vectors = 1234;
  metrics.SetCollection(manifest, "cpu");
  EXPECT_THAT(metrics.Text(), HasSubstr("antiphon_pieces 40"));
  EXPECT_THAT(metrics.Text(), HasSubstr(R"(antiphon_snippets{side="scores"} 1234)"));
  manifest.generation = 2;
  metrics.SetCollection(manifest, "cpu");
  EXPECT_THAT(metrics.Text(), HasSubstr("antiphon_generation 2"));
  EXPECT_THAT(metrics.Text(), HasSubstr(R"(generation="2",model_id="m1")"));
  EXPECT_THAT(metrics.Text(), Not(HasSubstr(R"(generation="1",model_id="m1")")));
}

TEST(Metrics, ExactlyOneStateIsOn) {
  Metrics metrics;
  EXPECT_THAT(metrics.Text(), HasSubstr(R"(antiphon_state{state="starting"} 1)"));
  metrics.SetState(ServerState::kServing);
  EXPECT_THAT(metrics.Text(), HasSubstr(R"(antiphon_state{state="starting"} 0)"));
  EXPECT_THAT(metrics.Text(), HasSubstr(R"(antiphon_state{state="serving"} 1)"));
}

TEST(Metrics, DepthIsReadWhenAsked) {
  Metrics metrics;
  int depth = 3;
  metrics.SetQueueDepthSource([&] { return depth; });
  EXPECT_THAT(metrics.Text(), HasSubstr("antiphon_queue_depth 3"));
  depth = 5;
  EXPECT_THAT(metrics.Text(), HasSubstr("antiphon_queue_depth 5"));
  metrics.SetQueueDepthSource(nullptr);
  EXPECT_THAT(metrics.Text(), HasSubstr("antiphon_queue_depth 0"));
}

}  // namespace
}  // namespace antiphon::server
