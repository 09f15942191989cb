#include "server/performances/performance_service.h"

#include "server/performances/align.h"
#include "server/performances/follow.h"
#include "server/performances/transcribe.h"

namespace antiphon::server {

PerformanceService::PerformanceService(CallRunner& runner, StreamRunner& streams,
                                       const Store& store, Metrics& metrics, const Limits& limits)
    : runner_(runner), streams_(streams), limits_(limits), context_{store, metrics, limits_} {}

std::vector<Method> PerformanceService::Methods() {
  return {
      runner_.Unary<v1::AlignRequest, v1::AlignResponse>(
          "Retrieval.Align", CallPolicy::kQueued,
          [this](Call& call, const auto& request, auto* response) {
            return Align(context_, call, request, response);
          }),
      runner_.Unary<v1::TranscribeRequest, v1::TranscribeResponse>(
          "Retrieval.Transcribe", CallPolicy::kQueued,
          [this](Call& call, const auto& request, auto* response) {
            return Transcribe(context_, call, request, response);
          }),
      streams_.Upload<v1::AlignStreamRequest, v1::AlignResponse>(
          "Retrieval.AlignLong",
          [this](Call& call, auto& stream, auto* response) {
            return AlignLong(context_, call, stream, response);
          }),
      streams_.Dialogue<v1::FollowRequest, v1::FollowResponse>(
          "Retrieval.Follow",
          [this](Call& call, auto& stream) { return Follow(context_, call, stream); }),
  };
}

}  // namespace antiphon::server
