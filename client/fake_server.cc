#include "client/fake_server.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace antiphon::testing {
namespace {

constexpr int kRefusedTopK = 99;

// A page of a list of `count`, called prefix-0, prefix-1, …
template <typename Request, typename Response, typename Add>
void FillPage(const Request& request, int count, const std::string& prefix, Response& page,
              Add add) {
  const int first = request.page_token().empty() ? 0 : std::stoi(request.page_token());
  const int next = std::min(count, first + request.page_size());
  for (int i = first; i < next; ++i) add(absl::StrCat(prefix, i));
  if (next < count) page.set_next_page_token(absl::StrCat(next));
  page.set_total(count);
}

}  // namespace

grpc::Status ServerFailure(grpc::StatusCode code, const std::string& message,
                           const std::string& field,
                           std::optional<std::chrono::milliseconds> retry_delay) {
  v1::ErrorStatus trailer;
  trailer.set_code(code);
  trailer.set_message(message);
  if (!field.empty()) {
    v1::ErrorDetail detail;
    detail.set_field(field);
    trailer.add_details()->PackFrom(detail);
  }
  if (retry_delay) {
    v1::RetryInfo retry;
    retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(retry_delay->count() * 1'000'000));
    google::protobuf::Any& any = *trailer.add_details();
    any.set_type_url("type.googleapis.com/google.rpc.RetryInfo");
    any.set_value(retry.SerializeAsString());
  }
  return grpc::Status(code, message, trailer.SerializeAsString());
}

FakeServer::FakeServer(std::shared_ptr<grpc::ServerCredentials> credentials) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", std::move(credentials), &port_);
  builder.RegisterService(static_cast<v1::Retrieval::Service*>(this));
  builder.RegisterService(static_cast<v1::Catalog::Service*>(this));
  builder.RegisterService(static_cast<v1::Admin::Service*>(this));
  server_ = builder.BuildAndStart();
}

FakeServer::~FakeServer() { server_->Shutdown(std::chrono::system_clock::now()); }

std::string FakeServer::address() const { return absl::StrCat("127.0.0.1:", port_); }

void FakeServer::Meet(grpc::ServerContext* context) {
  absl::MutexLock lock(&mutex_);
  metadata.clear();
  for (const auto& [key, value] : context->client_metadata()) {
    metadata.emplace(std::string(key.data(), key.size()), std::string(value.data(), value.size()));
  }
  if (!request_id.empty()) context->AddInitialMetadata("x-request-id", request_id);
}

template <typename Message>
grpc::Status FakeServer::Answer(grpc::ServerContext* context, const Message& answer,
                                Message* response) {
  Meet(context);
  ++calls;
  std::this_thread::sleep_for(delay);
  if (!failure.ok() && failures-- > 0) return failure;
  *response = answer;
  return grpc::Status::OK;
}

grpc::Status FakeServer::SearchScores(grpc::ServerContext* context,
                                      const v1::SearchScoresRequest* request,
                                      v1::SearchResponse* response) {
  search_scores_request = *request;
  return Answer(context, search_response, response);
}

grpc::Status FakeServer::SearchRecordings(grpc::ServerContext* context,
                                          const v1::SearchRecordingsRequest* request,
                                          v1::SearchResponse* response) {
  search_recordings_request = *request;
  return Answer(context, search_response, response);
}

grpc::Status FakeServer::Identify(grpc::ServerContext* context, const v1::IdentifyRequest* request,
                                  v1::IdentifyResponse* response) {
  identify_request = *request;
  return Answer(context, identify_response, response);
}

grpc::Status FakeServer::Batch(grpc::ServerContext* context, const v1::BatchRequest* request,
                               v1::BatchResponse* response) {
  batch_request = *request;
  v1::BatchResponse answer;
  for (const v1::BatchQuery& query : request->queries()) {
    v1::BatchResult& result = *answer.add_results();
    if (query.identify().top_k() == kRefusedTopK) {
      const grpc::Status refused =
          ServerFailure(grpc::StatusCode::INVALID_ARGUMENT, "top_k: 99", "top_k");
      result.mutable_error()->ParseFromString(refused.error_details());
    } else if (query.has_identify()) {
      *result.mutable_identify() = identify_response;
    } else {
      *result.mutable_search() = search_response;
    }
  }
  return Answer(context, answer, response);
}

grpc::Status FakeServer::IdentifyLong(grpc::ServerContext* context,
                                      grpc::ServerReader<v1::IdentifyStreamRequest>* reader,
                                      v1::IdentifyLongResponse* response) {
  if (!failure.ok()) return Answer(context, long_response, response);
  v1::IdentifyStreamRequest request;
  while (reader->Read(&request)) {
    if (request.has_options()) stream_options = request.options();
    stream_samples += request.samples();
  }
  while (stalls && !context->IsCancelled())
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return Answer(context, long_response, response);
}

grpc::Status FakeServer::IdentifyLive(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<v1::IdentifyLiveResponse, v1::IdentifyStreamRequest>* stream) {
  v1::IdentifyLiveResponse none;
  if (grpc::Status status = Answer(context, none, &none); !status.ok()) return status;
  v1::IdentifyStreamRequest request;
  for (size_t next = 0; stream->Read(&request);) {
    if (request.has_options()) {
      stream_options = request.options();
      continue;
    }
    stream_samples += request.samples();
    if (next < live_responses.size()) stream->Write(live_responses[next++]);
  }
  while (stalls && !context->IsCancelled())
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return grpc::Status::OK;
}

grpc::Status FakeServer::Align(grpc::ServerContext* context, const v1::AlignRequest* request,
                               v1::AlignResponse* response) {
  align_request = *request;
  if (!align_failure.ok()) return align_failure;
  return Answer(context, align_response, response);
}

grpc::Status FakeServer::AlignLong(grpc::ServerContext* context,
                                   grpc::ServerReader<v1::AlignStreamRequest>* reader,
                                   v1::AlignResponse* response) {
  if (!failure.ok()) return Answer(context, align_response, response);
  v1::AlignStreamRequest request;
  while (reader->Read(&request)) {
    if (request.has_options()) align_stream_options = request.options();
    stream_samples += request.samples();
  }
  return Answer(context, align_response, response);
}

grpc::Status FakeServer::Follow(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<v1::FollowResponse, v1::FollowRequest>* stream) {
  v1::FollowResponse none;
  if (grpc::Status status = Answer(context, none, &none); !status.ok()) return status;
  v1::FollowRequest request;
  size_t next = 0;
  while (stream->Read(&request)) {
    if (request.has_options()) {
      follow_options = request.options();
      continue;
    }
    stream_samples += request.samples();
    if (next < follow_responses.size()) stream->Write(follow_responses[next++]);
  }
  while (next < follow_responses.size()) stream->Write(follow_responses[next++]);
  return grpc::Status::OK;
}

grpc::Status FakeServer::Transcribe(grpc::ServerContext* context,
                                    const v1::TranscribeRequest* request,
                                    v1::TranscribeResponse* response) {
  transcribe_request = *request;
  return Answer(context, transcribe_response, response);
}

grpc::Status FakeServer::Embed(grpc::ServerContext* context, const v1::EmbedRequest* request,
                               v1::EmbedResponse* response) {
  embed_request = *request;
  return Answer(context, embed_response, response);
}

grpc::Status FakeServer::ListPieces(grpc::ServerContext* context,
                                    const v1::ListPiecesRequest* request,
                                    v1::ListPiecesResponse* response) {
  list_request = *request;
  v1::ListPiecesResponse page;
  FillPage(*request, pieces, "piece-", page,
           [&](const std::string& id) { page.add_pieces()->set_id(id); });
  return Answer(context, page, response);
}

grpc::Status FakeServer::ListRecordings(grpc::ServerContext* context,
                                        const v1::ListRecordingsRequest* request,
                                        v1::ListRecordingsResponse* response) {
  list_recordings_request = *request;
  v1::ListRecordingsResponse page;
  FillPage(*request, recordings, "take-", page,
           [&](const std::string& id) { page.add_recordings()->set_id(id); });
  return Answer(context, page, response);
}

grpc::Status FakeServer::ListSameMusic(grpc::ServerContext* context,
                                       const v1::ListSameMusicRequest* request,
                                       v1::ListSameMusicResponse* response) {
  same_music_request = *request;
  v1::ListSameMusicResponse page;
  FillPage(*request, static_cast<int>(same_music.size()), "", page,
           [&](const std::string& place) { *page.add_pairs() = same_music[std::stoul(place)]; });
  return Answer(context, page, response);
}

grpc::Status FakeServer::GetPiece(grpc::ServerContext* context, const v1::GetPieceRequest*,
                                  v1::GetPieceResponse* response) {
  return Answer(context, piece_response, response);
}

grpc::Status FakeServer::GetRecording(grpc::ServerContext* context, const v1::GetRecordingRequest*,
                                      v1::GetRecordingResponse* response) {
  return Answer(context, recording_response, response);
}

grpc::Status FakeServer::GetSnippet(grpc::ServerContext* context,
                                    const v1::GetSnippetRequest* request,
                                    v1::GetSnippetResponse* response) {
  snippet_request = *request;
  return Answer(context, snippet_response, response);
}

bool FakeServer::IsTaken(const std::string& id) const {
  return std::find(taken_ids.begin(), taken_ids.end(), id) != taken_ids.end();
}

grpc::Status FakeServer::Add(const v1::AddPieceRequest& request, v1::Piece* piece) {
  const std::string& id = request.piece().id();
  if (IsTaken(id)) {
    return ServerFailure(grpc::StatusCode::ALREADY_EXISTS,
                         absl::StrCat("piece.id: '", id, "' is there"), "piece.id");
  }
  added.push_back(request);
  piece->set_id(id);
  piece->set_version(static_cast<int64_t>(added.size()));
  return grpc::Status::OK;
}

grpc::Status FakeServer::AddPiece(grpc::ServerContext* context, const v1::AddPieceRequest* request,
                                  v1::AddPieceResponse* response) {
  v1::AddPieceResponse answer;
  if (grpc::Status status = Add(*request, answer.mutable_piece()); !status.ok()) {
    Meet(context);
    return status;
  }
  answer.mutable_warnings()->Add(warnings.begin(), warnings.end());
  answer.mutable_same_music()->Add(same_music.begin(), same_music.end());
  return Answer(context, answer, response);
}

grpc::Status FakeServer::AddPieces(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<v1::AddPiecesResponse, v1::AddPieceRequest>* stream) {
  v1::AddPiecesResponse none;
  if (grpc::Status status = Answer(context, none, &none); !status.ok()) return status;
  v1::AddPieceRequest request;
  for (int64_t index = 0; stream->Read(&request); ++index) {
    v1::AddPiecesResponse response;
    response.set_index(index);
    v1::Piece piece;
    if (const grpc::Status status = Add(request, &piece); status.ok()) {
      *response.mutable_piece() = piece;
      response.mutable_warnings()->Add(warnings.begin(), warnings.end());
      response.mutable_same_music()->Add(same_music.begin(), same_music.end());
    } else {
      response.mutable_error()->ParseFromString(status.error_details());
    }
    response.set_added(static_cast<int64_t>(added.size()));
    stream->Write(response);
  }
  return grpc::Status::OK;
}

grpc::Status FakeServer::UpdatePiece(grpc::ServerContext* context,
                                     const v1::UpdatePieceRequest* request,
                                     v1::UpdatePieceResponse* response) {
  update_piece_request = *request;
  v1::UpdatePieceResponse answer;
  answer.mutable_piece()->set_id(request->piece_id());
  answer.mutable_piece()->set_version(2);
  return Answer(context, answer, response);
}

grpc::Status FakeServer::DeletePiece(grpc::ServerContext* context,
                                     const v1::DeletePieceRequest* request,
                                     v1::DeletePieceResponse* response) {
  delete_piece_request = *request;
  deleted.push_back(request->piece_id());
  v1::DeletePieceResponse answer;
  answer.set_version(3);
  answer.set_recordings_deleted(request->with_recordings() ? 2 : 0);
  return Answer(context, answer, response);
}

grpc::Status FakeServer::AddRecording(grpc::ServerContext* context,
                                      const v1::AddRecordingRequest* request,
                                      v1::AddRecordingResponse* response) {
  const std::string& id = request->recording().id();
  if (IsTaken(id)) {
    Meet(context);
    return ServerFailure(grpc::StatusCode::ALREADY_EXISTS,
                         absl::StrCat("recording.id: '", id, "' is there"), "recording.id");
  }
  v1::AddRecordingResponse answer;
  if (grpc::Status status = Answer(context, answer, response); !status.ok()) return status;
  absl::MutexLock lock(&mutex_);
  add_recording_request = *request;
  recorded.push_back(*request);
  answer.mutable_recording()->set_id(id);
  answer.mutable_recording()->set_version(4);
  answer.mutable_warnings()->Add(warnings.begin(), warnings.end());
  *response = answer;
  return grpc::Status::OK;
}

grpc::Status FakeServer::UpdateRecording(grpc::ServerContext* context,
                                         const v1::UpdateRecordingRequest* request,
                                         v1::UpdateRecordingResponse* response) {
  update_recording_request = *request;
  v1::UpdateRecordingResponse answer;
  answer.mutable_recording()->set_id(request->recording_id());
  answer.mutable_recording()->set_version(5);
  return Answer(context, answer, response);
}

grpc::Status FakeServer::DeleteRecording(grpc::ServerContext* context,
                                         const v1::DeleteRecordingRequest* request,
                                         v1::DeleteRecordingResponse* response) {
  delete_recording_request = *request;
  deleted.push_back(request->recording_id());
  v1::DeleteRecordingResponse answer;
  answer.set_version(6);
  return Answer(context, answer, response);
}

grpc::Status FakeServer::Status(grpc::ServerContext* context, const v1::StatusRequest*,
                                v1::StatusResponse* response) {
  Meet(context);
  *response = status_response;
  return grpc::Status::OK;
}

grpc::Status FakeServer::Reload(grpc::ServerContext* context, const v1::ReloadRequest*,
                                v1::ReloadResponse* response) {
  v1::ReloadResponse answer;
  answer.set_generation(8);
  answer.set_previous_generation(7);
  return Answer(context, answer, response);
}

grpc::Status FakeServer::Merge(grpc::ServerContext* context, const v1::MergeRequest*,
                               v1::MergeResponse* response) {
  v1::MergeResponse answer;
  answer.set_generation(9);
  answer.set_merged_changes(12);
  return Answer(context, answer, response);
}

grpc::Status FakeServer::Snapshot(grpc::ServerContext* context, const v1::SnapshotRequest* request,
                                  v1::SnapshotResponse* response) {
  snapshot_request = *request;
  v1::SnapshotResponse answer;
  answer.set_name(request->name());
  answer.set_pieces(54);
  answer.set_bytes(1 << 20);
  return Answer(context, answer, response);
}

grpc::Status FakeServer::Restore(grpc::ServerContext* context, const v1::RestoreRequest* request,
                                 v1::RestoreResponse* response) {
  restore_request = *request;
  v1::RestoreResponse answer;
  answer.set_generation(10);
  answer.set_pieces(54);
  return Answer(context, answer, response);
}

grpc::Status FakeServer::ListSnapshots(grpc::ServerContext* context,
                                       const v1::ListSnapshotsRequest* request,
                                       v1::ListSnapshotsResponse* response) {
  v1::ListSnapshotsResponse page;
  const size_t first = request->page_token().empty() ? 0 : std::stoul(request->page_token());
  const size_t last = std::min({snapshots.size(), first + 2, first + request->page_size()});
  for (size_t i = first; i < last; ++i) *page.add_snapshots() = snapshots[i];
  if (last < snapshots.size()) page.set_next_page_token(std::to_string(last));
  page.set_total(static_cast<int64_t>(snapshots.size()));
  return Answer(context, page, response);
}

grpc::Status FakeServer::DeleteSnapshot(grpc::ServerContext* context,
                                        const v1::DeleteSnapshotRequest* request,
                                        v1::DeleteSnapshotResponse* response) {
  delete_snapshot_request = *request;
  v1::DeleteSnapshotResponse answer;
  answer.set_name(request->name());
  answer.set_bytes(3 << 20);
  return Answer(context, answer, response);
}

}  // namespace antiphon::testing
