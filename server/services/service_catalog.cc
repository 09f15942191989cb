#include "server/services/service_catalog.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/scores/read_score.h"
#include "server/services/pages.h"
#include "server/services/response_builder.h"
#include "server/services/snippets.h"
#include "server/wire/conversions.h"
#include "server/wire/field_checks.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// The stretch of a source of `duration_s` that a request means.
absl::StatusOr<std::pair<double, double>> Stretch(const v1::GetSnippetRequest& request,
                                                  double duration_s) {
  const double start = request.has_start_seconds() ? request.start_seconds() : 0.0;
  const double end = request.has_end_seconds() ? request.end_seconds() : duration_s;
  // The comparisons are written so that NaN fails them.
  if (!(start >= 0 && start < duration_s)) {
    return FieldError(kInvalid, "start_seconds", absl::StrCat(start, " is out of range"),
                      absl::StrCat("0 to below ", duration_s));
  }
  if (!(end > start)) {
    return FieldError(kInvalid, "end_seconds",
                      absl::StrCat(end, " is not after the start, ", start));
  }
  return std::make_pair(start, std::min(end, duration_s));
}

// Of ListSameMusic: every piece is searched for.
constexpr int kSameMusicPage = 20;
constexpr Range<int> kSameMusicPageRange = {1, 100};

// `request` lists pieces or recordings; its fields are "page_size", "filter", "page_token".
template <typename Source, typename Request>
absl::StatusOr<SourcePage> PageOf(const std::vector<Source>& sources, const Request& request,
                                  const Limits& limits) {
  const int page_size = request.has_page_size() ? request.page_size() : limits.default_page_size;
  RETURN_IF_ERROR(CheckFieldRange("page_size", page_size, Range<int>{1, limits.max_page_size}));
  if (static_cast<int64_t>(request.filter().size()) > limits.max_filter_bytes) {
    return FieldError(kInvalid, "filter",
                      absl::StrCat("is ", request.filter().size(), " bytes long"),
                      absl::StrCat("up to ", limits.max_filter_bytes, " bytes"));
  }
  return SelectPage(sources, request.filter(), request.page_token(), page_size);
}

}  // namespace

CatalogService::CatalogService(CallRunner& runner, StreamRunner& streams, Store& store,
                               const Limits& limits)
    : runner_(runner), streams_(streams), store_(store), limits_(limits) {}

std::vector<Method> CatalogService::Methods() {
  using Self = CatalogService;
  const auto queued = CallPolicy::kQueued;
  return {
      runner_.Unary("Catalog.ListPieces", queued, this, &Self::ListPieces),
      runner_.Unary("Catalog.GetPiece", queued, this, &Self::GetPiece),
      runner_.Unary("Catalog.ListRecordings", queued, this, &Self::ListRecordings),
      runner_.Unary("Catalog.GetRecording", queued, this, &Self::GetRecording),
      runner_.Unary("Catalog.ListSameMusic", queued, this, &Self::ListSameMusic),
      runner_.Unary("Catalog.GetSnippet", queued, this, &Self::GetSnippet),
      runner_.Unary("Catalog.AddPiece", queued, this, &Self::AddPiece),
      streams_.Dialogue<v1::AddPieceRequest, v1::AddPiecesResponse>(
          "Catalog.AddPieces",
          [this](Call& call, auto& stream) { return AddPieces(call, stream); }),
      runner_.Unary("Catalog.UpdatePiece", queued, this, &Self::UpdatePiece),
      runner_.Unary("Catalog.DeletePiece", queued, this, &Self::DeletePiece),
      runner_.Unary("Catalog.AddRecording", queued, this, &Self::AddRecording),
      runner_.Unary("Catalog.UpdateRecording", queued, this, &Self::UpdateRecording),
      runner_.Unary("Catalog.DeleteRecording", queued, this, &Self::DeleteRecording),
  };
}

absl::Status CatalogService::ListPieces(Call& call, const v1::ListPiecesRequest& request,
                                        v1::ListPiecesResponse* response) const {
  const retrieval::Collection& collection = call.collection();
  ASSIGN_OR_RETURN(const auto page, PageOf(collection.pieces(), request, limits_));
  for (const int piece : page.positions)
    *response->add_pieces() = ToWire(collection.pieces()[piece]);
  response->set_next_page_token(page.next_page_token);
  response->set_total(page.total);
  response->set_generation(collection.manifest().generation);
  return absl::OkStatus();
}

absl::Status CatalogService::ListRecordings(Call& call, const v1::ListRecordingsRequest& request,
                                            v1::ListRecordingsResponse* response) const {
  const retrieval::Collection& collection = call.collection();
  ASSIGN_OR_RETURN(const auto page, PageOf(collection.recordings(), request, limits_));
  for (const int recording : page.positions)
    *response->add_recordings() = ToWire(collection.recordings()[recording]);
  response->set_next_page_token(page.next_page_token);
  response->set_total(page.total);
  response->set_generation(collection.manifest().generation);
  return absl::OkStatus();
}

absl::Status CatalogService::GetPiece(Call& call, const v1::GetPieceRequest& request,
                                      v1::GetPieceResponse* response) const {
  const retrieval::Collection& collection = call.collection();
  if (request.piece_id().empty()) return FieldError(kInvalid, "piece_id", "missing");
  const std::optional<int> piece = collection.FindPiece(request.piece_id());
  if (!piece.has_value())
    return FieldError(absl::StatusCode::kNotFound, "piece_id", "no such piece");
  *response->mutable_piece() = ToWire(collection.pieces()[*piece]);
  for (const catalog::Recording& recording : collection.recordings()) {
    if (recording.piece_id == request.piece_id()) *response->add_recordings() = ToWire(recording);
  }
  // What is known of a piece is said of one whose score can't be read any more, too.
  if (const auto score = collection.ReadScore(*piece); score.ok()) {
    for (int part = 0; part < std::ssize((*score)->parts); ++part)
      *response->add_parts() = PartOf(**score, part);
  }
  if (request.include_file()) {
    ASSIGN_OR_RETURN(std::string file, collection.ReadScoreFile(*piece));
    if (const auto format = notation::FormatOf(file)) response->set_score_format(ToWire(*format));
    response->set_file(std::move(file));
  }
  response->set_generation(collection.manifest().generation);
  return absl::OkStatus();
}

absl::Status CatalogService::GetRecording(Call& call, const v1::GetRecordingRequest& request,
                                          v1::GetRecordingResponse* response) const {
  const retrieval::Collection& collection = call.collection();
  if (request.recording_id().empty()) return FieldError(kInvalid, "recording_id", "missing");
  const std::optional<int> recording = collection.FindRecording(request.recording_id());
  if (!recording.has_value())
    return FieldError(absl::StatusCode::kNotFound, "recording_id", "no such recording");
  *response->mutable_recording() = ToWire(collection.recordings()[*recording]);
  response->set_generation(collection.manifest().generation);
  return absl::OkStatus();
}

absl::Status CatalogService::ListSameMusic(Call& call, const v1::ListSameMusicRequest& request,
                                           v1::ListSameMusicResponse* response) const {
  const retrieval::Collection& collection = call.collection();
  response->set_generation(collection.manifest().generation);
  SourcePage page;
  if (!request.piece_id().empty()) {
    const std::optional<int> piece = collection.FindPiece(request.piece_id());
    if (!piece.has_value())
      return FieldError(absl::StatusCode::kNotFound, "piece_id", "no such piece");
    page = {{*piece}, "", 1};
  } else {
    const int page_size = request.has_page_size() ? request.page_size() : kSameMusicPage;
    RETURN_IF_ERROR(CheckFieldRange("page_size", page_size, kSameMusicPageRange));
    ASSIGN_OR_RETURN(page, SelectPage(collection.pieces(), "", request.page_token(), page_size));
  }
  for (const int piece : page.positions) {
    ASSIGN_OR_RETURN(std::vector<matching::SharedMusic> shared,
                     collection.FindSameMusic(piece, call.context()));
    if (request.piece_id().empty())
      std::erase_if(shared, [](const auto& pair) { return pair.other < pair.piece; });
    RETURN_IF_ERROR(FillSharedMusic(collection, shared, response->mutable_pairs()));
  }
  response->set_next_page_token(page.next_page_token);
  response->set_total(page.total);
  return absl::OkStatus();
}

absl::Status CatalogService::GetSnippet(Call& call, const v1::GetSnippetRequest& request,
                                        v1::GetSnippetResponse* response) const {
  response->set_generation(call.collection().manifest().generation);
  switch (request.source_case()) {
    case v1::GetSnippetRequest::kPieceId:
      return PieceSnippet(call, request, response);
    case v1::GetSnippetRequest::kRecordingId:
      return RecordingSnippet(call, request, response);
    case v1::GetSnippetRequest::SOURCE_NOT_SET:
      break;
  }
  return FieldError(kInvalid, "source", "neither piece_id nor recording_id is set");
}

absl::Status CatalogService::PieceSnippet(Call& call, const v1::GetSnippetRequest& request,
                                          v1::GetSnippetResponse* response) const {
  const retrieval::Collection& collection = call.collection();
  const std::optional<int> piece = collection.FindPiece(request.piece_id());
  if (!piece.has_value())
    return FieldError(absl::StatusCode::kNotFound, "piece_id", "no such piece");
  return call.InStage(v1::STAGE_RESPOND, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const auto score, collection.ReadScore(*piece));
    ASSIGN_OR_RETURN(const auto stretch, Stretch(request, score->duration_s));
    ASSIGN_OR_RETURN(std::string midi, CutMidi(*score, stretch.first, stretch.second));
    response->set_format(v1::GetSnippetResponse::FORMAT_MIDI);
    response->set_content(std::move(midi));
    *response->mutable_source() = SourceOf(collection.pieces()[*piece]);
    *response->mutable_start() = ToPosition(stretch.first, score.get());
    *response->mutable_end() = ToPosition(stretch.second, score.get());
    return absl::OkStatus();
  });
}

absl::Status CatalogService::RecordingSnippet(Call& call, const v1::GetSnippetRequest& request,
                                              v1::GetSnippetResponse* response) const {
  const retrieval::Collection& collection = call.collection();
  const std::optional<int> position = collection.FindRecording(request.recording_id());
  if (!position.has_value())
    return FieldError(absl::StatusCode::kNotFound, "recording_id", "no such recording");
  const catalog::Recording& recording = collection.recordings()[*position];
  ASSIGN_OR_RETURN(auto stretch, Stretch(request, recording.duration_s));
  if (!request.has_end_seconds())
    stretch.second = std::min(stretch.second, stretch.first + limits_.max_snippet_s);
  if (stretch.second - stretch.first > limits_.max_snippet_s) {
    return FieldError(kInvalid, "end_seconds",
                      absl::StrCat("asks for ", stretch.second - stretch.first, " s"),
                      absl::StrCat("up to ", limits_.max_snippet_s, " s of a recording"));
  }
  return call.InStage(v1::STAGE_RESPOND, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::string audio, collection.ReadAudio(*position));
    ASSIGN_OR_RETURN(std::string wav, CutWav(audio, stretch.first, stretch.second,
                                             collection.feature_settings().sample_rate));
    response->set_format(v1::GetSnippetResponse::FORMAT_WAV);
    response->set_content(std::move(wav));
    *response->mutable_source() = SourceOfRecording(collection, *position);
    *response->mutable_start() = ToPosition(stretch.first, nullptr);
    *response->mutable_end() = ToPosition(stretch.second, nullptr);
    return absl::OkStatus();
  });
}

}  // namespace antiphon::server
