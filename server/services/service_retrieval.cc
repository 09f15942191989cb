#include "server/services/service_retrieval.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/features/transposition.h"
#include "server/services/decode.h"
#include "server/services/request_options.h"
#include "server/services/response_builder.h"
#include "server/services/service_streams.h"
#include "server/services/warnings.h"
#include "server/wire/conversions.h"
#include "server/wire/field_checks.h"
#include "server/wire/status_map.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {

namespace {

// The failure of a query of a batch, which the log would not hear of otherwise.
void FillError(const absl::Status& status, int query, v1::BatchResult* result) {
  *result->mutable_error() = ToErrorStatus(status);
  const std::string message(status.message());
  if (result->error().message() != message) {
    spdlog::error("method=Retrieval.Batch query={} message={}", query, message);
  }
}

}  // namespace

RetrievalService::RetrievalService(CallRunner& runner, StreamRunner& streams, const Store& store,
                                   Metrics& metrics, const Limits& limits)
    : runner_(runner), streams_(streams), store_(store), metrics_(metrics), limits_(limits) {}

std::vector<Method> RetrievalService::Methods() {
  using Self = RetrievalService;
  const auto queued = CallPolicy::kQueued;
  return {
      runner_.Unary("Retrieval.SearchScores", queued, this, &Self::SearchScores),
      runner_.Unary("Retrieval.SearchRecordings", queued, this, &Self::SearchRecordings),
      runner_.Unary("Retrieval.Identify", queued, this, &Self::Identify),
      runner_.Unary("Retrieval.Embed", queued, this, &Self::Embed),
      runner_.Unary("Retrieval.Batch", queued, this, &Self::Batch),
      streams_.Upload<v1::IdentifyStreamRequest, v1::IdentifyLongResponse>(
          "Retrieval.IdentifyLong",
          [this](Call& call, auto& stream, auto* response) {
            return IdentifyLong({store_, metrics_, limits_}, call, stream, response);
          }),
      streams_.Dialogue<v1::IdentifyStreamRequest, v1::IdentifyLiveResponse>(
          "Retrieval.IdentifyLive",
          [this](Call& call, auto& stream) {
            return IdentifyLive({store_, metrics_, limits_}, call, stream);
          }),
  };
}

absl::StatusOr<audio::Waveform> RetrievalService::Decode(Call& call, bool present,
                                                         const v1::Audio& audio) const {
  audio::DecodeReport report;
  auto waveform = call.InStage(v1::STAGE_DECODE, [&] {
    return DecodeAudio(present, audio, call.collection().feature_settings().sample_rate, limits_,
                       report);
  });
  if (waveform.ok()) WarnOfDecoding(call, "audio.file", report);
  return waveform;
}

absl::StatusOr<music::Score> RetrievalService::Decode(Call& call, bool present,
                                                      const v1::Score& score) const {
  auto decoded =
      call.InStage(v1::STAGE_DECODE, [&] { return DecodeScore("", present, score, limits_); });
  if (decoded.ok()) WarnOfScore(call, ScoreFieldOf("", score), *decoded);
  return decoded;
}

absl::Status RetrievalService::SearchScores(Call& call, const v1::SearchScoresRequest& request,
                                            v1::SearchResponse* response) const {
  ASSIGN_OR_RETURN(const auto options, ToSearchOptions(request.options(), limits_));
  ASSIGN_OR_RETURN(const auto query, Decode(call, request.has_audio(), request.audio()));
  RETURN_IF_ERROR(CheckExcerpt("options.", options.excerpt, query.duration_s()));
  ASSIGN_OR_RETURN(
      const auto hits,
      AtField(call.collection().SearchScores(query, options, call.context()), "audio"));
  RETURN_IF_ERROR(call.InStage(v1::STAGE_RESPOND, [&] {
    return FillHits(call.collection(), catalog::Side::kScores, hits,
                    request.options().include_snippets(), response->mutable_hits());
  }));
  call.FillInfo(query.duration_s(), response->mutable_info());
  return absl::OkStatus();
}

absl::Status RetrievalService::SearchRecordings(Call& call,
                                                const v1::SearchRecordingsRequest& request,
                                                v1::SearchResponse* response) const {
  ASSIGN_OR_RETURN(const auto options, ToSearchOptions(request.options(), limits_));
  ASSIGN_OR_RETURN(const auto query, Decode(call, request.has_score(), request.score()));
  RETURN_IF_ERROR(CheckExcerpt("options.", options.excerpt, query.duration_s));
  ASSIGN_OR_RETURN(
      const auto hits,
      AtField(call.collection().SearchRecordings(query, options, call.context()), "score"));
  RETURN_IF_ERROR(call.InStage(v1::STAGE_RESPOND, [&] {
    return FillHits(call.collection(), catalog::Side::kRecordings, hits,
                    request.options().include_snippets(), response->mutable_hits());
  }));
  call.FillInfo(query.duration_s, response->mutable_info());
  return absl::OkStatus();
}

absl::Status RetrievalService::Identify(Call& call, const v1::IdentifyRequest& request,
                                        v1::IdentifyResponse* response) const {
  ASSIGN_OR_RETURN(const auto options, ToIdentifyOptions(request, limits_));
  if (options.max_transposition > 0 &&
      features::BandsPerSemitone(call.collection().feature_settings()) == 0) {
    return FieldError(absl::StatusCode::kInvalidArgument, "max_transposition",
                      "not with this model", "0");
  }

  const features::FeatureSettings& settings = call.collection().feature_settings();
  matching::Identification identification;
  double query_s = 0;
  if (request.query_case() == v1::IdentifyRequest::kAudio) {
    ASSIGN_OR_RETURN(const auto query, Decode(call, true, request.audio()));
    query_s = query.duration_s();
    RETURN_IF_ERROR(CheckExcerpt("", options.excerpt, query_s));
    ASSIGN_OR_RETURN(
        identification,
        AtField(call.collection().IdentifyAudio(query, options, call.context()), "audio"));
    if (identification.verdict == matching::Verdict::kInsufficientInput)
      WarnOfTooLittle(call, "audio", WhyTooLittle(query, options.excerpt, settings));
  } else if (request.query_case() == v1::IdentifyRequest::kScore) {
    ASSIGN_OR_RETURN(const auto query, Decode(call, true, request.score()));
    query_s = query.duration_s;
    RETURN_IF_ERROR(CheckExcerpt("", options.excerpt, query_s));
    ASSIGN_OR_RETURN(
        identification,
        AtField(call.collection().IdentifyScore(query, options, call.context()), "score"));
    if (identification.verdict == matching::Verdict::kInsufficientInput)
      WarnOfTooLittle(call, "score", WhyTooLittle(query, options.excerpt, settings));
  } else {
    return FieldError(absl::StatusCode::kInvalidArgument, "query",
                      "neither audio nor score is set");
  }

  RETURN_IF_ERROR(call.InStage(v1::STAGE_RESPOND, [&] {
    return FillCandidates(call.collection(), options.against, identification.candidates,
                          response->mutable_candidates());
  }));
  response->set_verdict(ToWire(identification.verdict));
  response->set_windows(identification.windows);
  metrics_.RecordVerdict(call.method(), response->verdict());
  call.FillInfo(query_s, response->mutable_info());
  return absl::OkStatus();
}

absl::Status RetrievalService::Batch(Call& call, const v1::BatchRequest& request,
                                     v1::BatchResponse* response) const {
  const int most = std::min(limits_.max_batch_queries, call.caller().quota.batch);
  RETURN_IF_ERROR(CheckFieldRange("queries", request.queries_size(), Range<int>{1, most}));
  int64_t answer_bytes = 0;
  for (const v1::BatchQuery& query : request.queries()) {
    RETURN_IF_ERROR(call.KeepGoing());
    if (&query != &request.queries(0)) call.BeginPart();
    v1::BatchResult* result = response->add_results();
    absl::Status status = BatchQuery(call, query, result);
    if (IsCallersDoing(status)) return status;
    // Evidence can make of a small request an answer a thousand times its size.
    if (status.ok() &&
        answer_bytes + static_cast<int64_t>(result->ByteSizeLong()) > limits_.max_message_bytes()) {
      status = FieldError(absl::StatusCode::kResourceExhausted, "queries",
                          "the answers together are too large",
                          absl::StrCat("up to ", limits_.max_message_bytes(), " bytes"));
    }
    if (!status.ok()) FillError(status, response->results_size() - 1, result);
    answer_bytes += static_cast<int64_t>(result->ByteSizeLong());
  }
  return absl::OkStatus();
}

absl::Status RetrievalService::BatchQuery(Call& call, const v1::BatchQuery& query,
                                          v1::BatchResult* result) const {
  switch (query.query_case()) {
    case v1::BatchQuery::kSearchScores:
      return SearchScores(call, query.search_scores(), result->mutable_search());
    case v1::BatchQuery::kSearchRecordings:
      return SearchRecordings(call, query.search_recordings(), result->mutable_search());
    case v1::BatchQuery::kIdentify:
      return Identify(call, query.identify(), result->mutable_identify());
    case v1::BatchQuery::QUERY_NOT_SET:
      break;
  }
  return FieldError(absl::StatusCode::kInvalidArgument, "query",
                    "neither a search nor an identification is set");
}

absl::Status RetrievalService::Embed(Call& call, const v1::EmbedRequest& request,
                                     v1::EmbedResponse* response) const {
  ASSIGN_OR_RETURN(const auto plan, ToEmbedPlan(request, limits_));
  matching::EmbeddingSequence sequence;
  double query_s = 0;
  if (request.query_case() == v1::EmbedRequest::kAudio) {
    ASSIGN_OR_RETURN(const auto query, Decode(call, true, request.audio()));
    query_s = query.duration_s();
    RETURN_IF_ERROR(CheckEmbedWindows(query_s, plan, limits_));
    ASSIGN_OR_RETURN(
        sequence,
        AtField(call.collection().EmbedAudio(query, plan.windows, call.context()), "audio"));
  } else if (request.query_case() == v1::EmbedRequest::kScore) {
    ASSIGN_OR_RETURN(const auto query, Decode(call, true, request.score()));
    query_s = query.duration_s;
    RETURN_IF_ERROR(CheckEmbedWindows(query_s, plan, limits_));
    ASSIGN_OR_RETURN(sequence, AtField(call.collection().EmbedScore(query, plan.tempo_ratio,
                                                                    plan.windows, call.context()),
                                       "score"));
  } else {
    return FieldError(absl::StatusCode::kInvalidArgument, "query",
                      "neither audio nor score is set");
  }
  response->set_dimension(sequence.dimension);
  response->set_window_seconds(sequence.window_s);
  response->mutable_start_seconds()->Add(sequence.start_s.begin(), sequence.start_s.end());
  response->mutable_values()->Add(sequence.embeddings.begin(), sequence.embeddings.end());
  call.FillInfo(query_s, response->mutable_info());
  return absl::OkStatus();
}

}  // namespace antiphon::server
