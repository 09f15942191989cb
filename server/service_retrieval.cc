#include "server/service_retrieval.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "server/conversions.h"
#include "server/snippets.h"
#include "server/status_map.h"

namespace antiphon::server {
namespace {

using retrieval::Hit;

void FillHit(const Hit& hit, v1::Hit* out) {
  out->set_query_start_seconds(hit.query_start_s);
  out->set_query_end_seconds(hit.query_end_s);
  out->set_tempo_ratio(hit.tempo_ratio);
  out->set_similarity(hit.similarity);
}

// The stretch of a source of `duration_s` that a hit means: windows at its end reach beyond it.
std::pair<double, double> ReferenceStretch(const Hit& hit, double duration_s) {
  const double start = std::max(0.0, hit.reference_start_s);
  return {start, std::max(start, std::min(hit.reference_end_s, duration_s))};
}

absl::Status FillScoreHits(const Engine& engine, const std::vector<Hit>& hits, bool include_snippets,
                           v1::SearchResponse* response) {
  for (const Hit& hit : hits) {
    v1::Hit* out = response->add_hits();
    FillHit(hit, out);
    *out->mutable_source() = SourceOf(engine.pieces().at(hit.source));
    const auto score = engine.ReadScore(hit.source);
    if (!score.ok()) return score.status();
    const auto [start, end] = ReferenceStretch(hit, (*score)->duration_s);
    *out->mutable_reference_start() = ToPosition(start, &(*score)->tempo_map);
    *out->mutable_reference_end() = ToPosition(end, &(*score)->tempo_map);
    if (!include_snippets || start >= end) continue;
    absl::StatusOr<std::string> midi = CutMidi(**score, start, end);
    if (!midi.ok()) return midi.status();
    out->set_snippet(*std::move(midi));
  }
  return absl::OkStatus();
}

absl::Status FillRecordingHits(const Engine& engine, const std::vector<Hit>& hits, bool include_snippets,
                               v1::SearchResponse* response) {
  std::map<int, std::string> sound;  // encoded, by recording: several hits may lie in one
  for (const Hit& hit : hits) {
    v1::Hit* out = response->add_hits();
    FillHit(hit, out);
    const catalog::Recording& recording = engine.recordings().at(hit.source);
    *out->mutable_source() = SourceOf(recording);
    const auto [start, end] = ReferenceStretch(hit, recording.duration_s);
    *out->mutable_reference_start() = ToPosition(start, nullptr);
    *out->mutable_reference_end() = ToPosition(end, nullptr);
    if (!include_snippets || start >= end) continue;
    auto found = sound.find(hit.source);
    if (found == sound.end()) {
      absl::StatusOr<std::string> audio = engine.ReadAudio(hit.source);
      if (!audio.ok()) return audio.status();
      found = sound.emplace(hit.source, *std::move(audio)).first;
    }
    absl::StatusOr<std::string> wav = CutWav(found->second, start, end, engine.feature_settings().sample_rate);
    if (!wav.ok()) return wav.status();
    out->set_snippet(*std::move(wav));
  }
  return absl::OkStatus();
}

absl::Status FillCandidates(const Engine& engine, catalog::Side side, const retrieval::Identification& identification,
                            v1::IdentifyResponse* response) {
  for (const retrieval::Candidate& candidate : identification.candidates) {
    v1::Candidate* out = response->add_candidates();
    out->set_confidence(candidate.confidence);
    out->set_score(candidate.score);
    out->set_votes(candidate.votes);
    out->set_query_seconds(candidate.query_s);
    out->set_tempo_ratio(candidate.tempo_ratio);
    const double place = std::max(0.0, candidate.reference_s);
    if (side == catalog::Side::kRecordings) {
      *out->mutable_source() = SourceOf(engine.recordings().at(candidate.source));
      *out->mutable_reference() = ToPosition(place, nullptr);
      continue;
    }
    *out->mutable_source() = SourceOf(engine.pieces().at(candidate.source));
    const auto score = engine.ReadScore(candidate.source);
    if (!score.ok()) return score.status();
    *out->mutable_reference() = ToPosition(place, &(*score)->tempo_map);
  }
  return absl::OkStatus();
}

}  // namespace

RetrievalService::RetrievalService(CallRunner& runner, Metrics& metrics, const Limits& limits)
    : runner_(runner), metrics_(metrics), limits_(limits) {}

grpc::ServerUnaryReactor* RetrievalService::SearchScores(grpc::CallbackServerContext* context,
                                                         const v1::SearchScoresRequest* request,
                                                         v1::SearchResponse* response) {
  return runner_.Run("Retrieval.SearchScores", Placement::kQueued, context, *request, response,
                     [=, this](Call& call) { return DoSearchScores(call, *request, response); });
}

grpc::ServerUnaryReactor* RetrievalService::SearchRecordings(grpc::CallbackServerContext* context,
                                                             const v1::SearchRecordingsRequest* request,
                                                             v1::SearchResponse* response) {
  return runner_.Run("Retrieval.SearchRecordings", Placement::kQueued, context, *request, response,
                     [=, this](Call& call) { return DoSearchRecordings(call, *request, response); });
}

grpc::ServerUnaryReactor* RetrievalService::Identify(grpc::CallbackServerContext* context,
                                                     const v1::IdentifyRequest* request,
                                                     v1::IdentifyResponse* response) {
  return runner_.Run("Retrieval.Identify", Placement::kQueued, context, *request, response,
                     [=, this](Call& call) { return DoIdentify(call, *request, response); });
}

grpc::ServerUnaryReactor* RetrievalService::Embed(grpc::CallbackServerContext* context, const v1::EmbedRequest* request,
                                                  v1::EmbedResponse* response) {
  return runner_.Run("Retrieval.Embed", Placement::kQueued, context, *request, response,
                     [=, this](Call& call) { return DoEmbed(call, *request, response); });
}

absl::StatusOr<audio::Waveform> RetrievalService::Decode(Call& call, bool present, const v1::Audio& audio) const {
  return call.InStage(v1::STAGE_DECODE, [&] {
    return DecodeAudio(present, audio, call.engine().feature_settings().sample_rate, limits_);
  });
}

absl::StatusOr<music::Score> RetrievalService::Decode(Call& call, bool present, const v1::Score& score) const {
  return call.InStage(v1::STAGE_DECODE, [&] { return DecodeScore(present, score, limits_); });
}

absl::Status RetrievalService::DoSearchScores(Call& call, const v1::SearchScoresRequest& request,
                                              v1::SearchResponse* response) const {
  const auto options = ToSearchOptions(request.options(), limits_);
  if (!options.ok()) return options.status();
  const auto query = Decode(call, request.has_audio(), request.audio());
  if (!query.ok()) return query.status();
  const auto hits = call.engine().SearchScores(*query, *options, call.context());
  if (!hits.ok()) return AtField(hits.status(), "audio");
  absl::Status filled = call.InStage(v1::STAGE_RESPOND, [&] {
    return FillScoreHits(call.engine(), *hits, request.options().include_snippets(), response);
  });
  if (!filled.ok()) return filled;
  call.FillInfo(query->duration_s(), response->mutable_info());
  return absl::OkStatus();
}

absl::Status RetrievalService::DoSearchRecordings(Call& call, const v1::SearchRecordingsRequest& request,
                                                  v1::SearchResponse* response) const {
  const auto options = ToSearchOptions(request.options(), limits_);
  if (!options.ok()) return options.status();
  const auto query = Decode(call, request.has_score(), request.score());
  if (!query.ok()) return query.status();
  const auto hits = call.engine().SearchRecordings(*query, *options, call.context());
  if (!hits.ok()) return AtField(hits.status(), "score");
  absl::Status filled = call.InStage(v1::STAGE_RESPOND, [&] {
    return FillRecordingHits(call.engine(), *hits, request.options().include_snippets(), response);
  });
  if (!filled.ok()) return filled;
  call.FillInfo(query->duration_s, response->mutable_info());
  return absl::OkStatus();
}

absl::Status RetrievalService::DoIdentify(Call& call, const v1::IdentifyRequest& request,
                                          v1::IdentifyResponse* response) const {
  const auto options = ToIdentifyOptions(request, limits_);
  if (!options.ok()) return options.status();
  const auto side = ToSide(request.against());
  if (!side.ok()) return side.status();

  absl::StatusOr<retrieval::Identification> identification;
  double query_s = 0;
  if (request.query_case() == v1::IdentifyRequest::kAudio) {
    if (*side == catalog::Side::kRecordings) {
      return FieldError(absl::StatusCode::kUnimplemented, "against", "audio is identified against scores only",
                        "SIDE_SCORES");
    }
    const auto query = Decode(call, true, request.audio());
    if (!query.ok()) return query.status();
    query_s = query->duration_s();
    identification = call.engine().IdentifyAudio(*query, *options, call.context());
    if (!identification.ok()) return AtField(identification.status(), "audio");
  } else if (request.query_case() == v1::IdentifyRequest::kScore) {
    const auto query = Decode(call, true, request.score());
    if (!query.ok()) return query.status();
    query_s = query->duration_s;
    identification = call.engine().IdentifyScore(*query, *side, *options, call.context());
    if (!identification.ok()) return AtField(identification.status(), "score");
  } else {
    return FieldError(absl::StatusCode::kInvalidArgument, "query", "neither audio nor score is set");
  }

  absl::Status filled =
      call.InStage(v1::STAGE_RESPOND, [&] { return FillCandidates(call.engine(), *side, *identification, response); });
  if (!filled.ok()) return filled;
  response->set_verdict(ToWire(identification->verdict));
  response->set_windows(identification->windows);
  metrics_.RecordVerdict(absl::AsciiStrToLower(absl::StripPrefix(v1::Verdict_Name(response->verdict()), "VERDICT_")));
  call.FillInfo(query_s, response->mutable_info());
  return absl::OkStatus();
}

absl::Status RetrievalService::DoEmbed(Call& call, const v1::EmbedRequest& request, v1::EmbedResponse* response) const {
  const auto plan = ToEmbedPlan(request, limits_);
  if (!plan.ok()) return plan.status();
  absl::StatusOr<retrieval::EmbeddingSequence> sequence;
  double query_s = 0;
  if (request.query_case() == v1::EmbedRequest::kAudio) {
    const auto query = Decode(call, true, request.audio());
    if (!query.ok()) return query.status();
    query_s = query->duration_s();
    if (absl::Status status = CheckEmbedWindows(query_s, *plan, limits_); !status.ok()) return status;
    sequence = call.engine().EmbedAudio(*query, plan->windows, call.context());
    if (!sequence.ok()) return AtField(sequence.status(), "audio");
  } else if (request.query_case() == v1::EmbedRequest::kScore) {
    const auto query = Decode(call, true, request.score());
    if (!query.ok()) return query.status();
    query_s = query->duration_s;
    if (absl::Status status = CheckEmbedWindows(query_s, *plan, limits_); !status.ok()) return status;
    sequence = call.engine().EmbedScore(*query, plan->tempo_ratio, plan->windows, call.context());
    if (!sequence.ok()) return AtField(sequence.status(), "score");
  } else {
    return FieldError(absl::StatusCode::kInvalidArgument, "query", "neither audio nor score is set");
  }
  response->set_dimension(sequence->dimension);
  response->set_window_seconds(sequence->window_s);
  response->mutable_start_seconds()->Add(sequence->start_s.begin(), sequence->start_s.end());
  response->mutable_values()->Add(sequence->embeddings.begin(), sequence->embeddings.end());
  call.FillInfo(query_s, response->mutable_info());
  return absl::OkStatus();
}

}  // namespace antiphon::server
