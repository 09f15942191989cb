#include "client/rpc/connection.h"

#include "client/rpc/connection_impl.h"
#include "core/base/status_macros.h"

namespace antiphon::client {

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::~Connection() = default;

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  ASSIGN_OR_RETURN(Channel channel, OpenChannel(options));
  return std::unique_ptr<Connection>(
      new Connection(std::make_unique<Impl>(options, std::move(channel))));
}

absl::StatusOr<v1::SearchResponse> Connection::SearchScores(
    const v1::SearchScoresRequest& request) {
  return impl_->caller.Call(*impl_->retrieval, &v1::Retrieval::Stub::SearchScores, request,
                            Repeatable::kYes);
}
absl::StatusOr<v1::SearchResponse> Connection::SearchRecordings(
    const v1::SearchRecordingsRequest& request) {
  return impl_->caller.Call(*impl_->retrieval, &v1::Retrieval::Stub::SearchRecordings, request,
                            Repeatable::kYes);
}
absl::StatusOr<v1::IdentifyResponse> Connection::Identify(const v1::IdentifyRequest& request) {
  return impl_->caller.Call(*impl_->retrieval, &v1::Retrieval::Stub::Identify, request,
                            Repeatable::kYes);
}
absl::StatusOr<v1::BatchResponse> Connection::Batch(const v1::BatchRequest& request) {
  return impl_->caller.Call(*impl_->retrieval, &v1::Retrieval::Stub::Batch, request,
                            Repeatable::kYes);
}
absl::StatusOr<v1::EmbedResponse> Connection::Embed(const v1::EmbedRequest& request) {
  return impl_->caller.Call(*impl_->retrieval, &v1::Retrieval::Stub::Embed, request,
                            Repeatable::kYes);
}
absl::StatusOr<v1::ListPiecesResponse> Connection::ListPieces(
    const v1::ListPiecesRequest& request) {
  return impl_->caller.Call(*impl_->catalog, &v1::Catalog::Stub::ListPieces, request,
                            Repeatable::kYes);
}
absl::StatusOr<v1::GetPieceResponse> Connection::GetPiece(const v1::GetPieceRequest& request) {
  return impl_->caller.Call(*impl_->catalog, &v1::Catalog::Stub::GetPiece, request,
                            Repeatable::kYes);
}
absl::StatusOr<v1::ListRecordingsResponse> Connection::ListRecordings(
    const v1::ListRecordingsRequest& request) {
  return impl_->caller.Call(*impl_->catalog, &v1::Catalog::Stub::ListRecordings, request,
                            Repeatable::kYes);
}
absl::StatusOr<v1::GetRecordingResponse> Connection::GetRecording(
    const v1::GetRecordingRequest& request) {
  return impl_->caller.Call(*impl_->catalog, &v1::Catalog::Stub::GetRecording, request,
                            Repeatable::kYes);
}
absl::StatusOr<v1::GetSnippetResponse> Connection::GetSnippet(
    const v1::GetSnippetRequest& request) {
  return impl_->caller.Call(*impl_->catalog, &v1::Catalog::Stub::GetSnippet, request,
                            Repeatable::kYes);
}
absl::StatusOr<v1::AddPieceResponse> Connection::AddPiece(const v1::AddPieceRequest& request) {
  return impl_->caller.Call(*impl_->catalog, &v1::Catalog::Stub::AddPiece, request,
                            Repeatable::kNo);
}
absl::StatusOr<v1::UpdatePieceResponse> Connection::UpdatePiece(
    const v1::UpdatePieceRequest& request) {
  return impl_->caller.Call(*impl_->catalog, &v1::Catalog::Stub::UpdatePiece, request,
                            Repeatable::kNo);
}
absl::StatusOr<v1::DeletePieceResponse> Connection::DeletePiece(
    const v1::DeletePieceRequest& request) {
  return impl_->caller.Call(*impl_->catalog, &v1::Catalog::Stub::DeletePiece, request,
                            Repeatable::kNo);
}
absl::StatusOr<v1::AddRecordingResponse> Connection::AddRecording(
    const v1::AddRecordingRequest& request) {
  return impl_->caller.Call(*impl_->catalog, &v1::Catalog::Stub::AddRecording, request,
                            Repeatable::kNo);
}
absl::StatusOr<v1::UpdateRecordingResponse> Connection::UpdateRecording(
    const v1::UpdateRecordingRequest& request) {
  return impl_->caller.Call(*impl_->catalog, &v1::Catalog::Stub::UpdateRecording, request,
                            Repeatable::kNo);
}
absl::StatusOr<v1::DeleteRecordingResponse> Connection::DeleteRecording(
    const v1::DeleteRecordingRequest& request) {
  return impl_->caller.Call(*impl_->catalog, &v1::Catalog::Stub::DeleteRecording, request,
                            Repeatable::kNo);
}
absl::StatusOr<v1::StatusResponse> Connection::Status() {
  return impl_->caller.Call(*impl_->admin, &v1::Admin::Stub::Status, v1::StatusRequest(),
                            Repeatable::kYes);
}
absl::StatusOr<v1::ReloadResponse> Connection::Reload() {
  return impl_->caller.Call(*impl_->admin, &v1::Admin::Stub::Reload, v1::ReloadRequest(),
                            Repeatable::kNo);
}
absl::StatusOr<v1::MergeResponse> Connection::Merge() {
  return impl_->caller.Call(*impl_->admin, &v1::Admin::Stub::Merge, v1::MergeRequest(),
                            Repeatable::kNo);
}
absl::StatusOr<v1::SnapshotResponse> Connection::Snapshot(const v1::SnapshotRequest& request) {
  return impl_->caller.Call(*impl_->admin, &v1::Admin::Stub::Snapshot, request, Repeatable::kNo);
}
absl::StatusOr<v1::RestoreResponse> Connection::Restore(const v1::RestoreRequest& request) {
  return impl_->caller.Call(*impl_->admin, &v1::Admin::Stub::Restore, request, Repeatable::kNo);
}

absl::StatusOr<v1::Limits> Connection::Limits() {
  if (!impl_->limits) {
    ASSIGN_OR_RETURN(v1::StatusResponse status, Status());
    impl_->limits = status.limits();
  }
  return *impl_->limits;
}

const std::string& Connection::server() const { return impl_->caller.options().server; }

}  // namespace antiphon::client
