#include "server/serving/metered_store.h"

#include <utility>

namespace antiphon::server {

using Kind = Metrics::EditKind;
using editing::CollectionStore;

absl::StatusOr<catalog::Piece> MeteredStore::AddPiece(catalog::Piece piece, std::string midi,
                                                      const matching::RequestContext& context) {
  return Counted(Kind::kAddPiece, store_.AddPiece(std::move(piece), std::move(midi), context));
}

absl::StatusOr<catalog::Piece> MeteredStore::UpdatePiece(const std::string& id,
                                                         const editing::PieceUpdate& update,
                                                         std::optional<int64_t> expected_version,
                                                         const matching::RequestContext& context) {
  return Counted(Kind::kUpdatePiece, store_.UpdatePiece(id, update, expected_version, context));
}

absl::StatusOr<CollectionStore::Deleted> MeteredStore::DeletePiece(
    const std::string& id, std::optional<int64_t> expected_version, bool with_recordings) {
  return Counted(Kind::kDeletePiece, store_.DeletePiece(id, expected_version, with_recordings));
}

absl::StatusOr<catalog::Recording> MeteredStore::AddRecording(
    catalog::Recording recording, std::string audio, const matching::RequestContext& context) {
  return Counted(Kind::kAddRecording,
                 store_.AddRecording(std::move(recording), std::move(audio), context));
}

absl::StatusOr<catalog::Recording> MeteredStore::UpdateRecording(
    const std::string& id, const editing::RecordingUpdate& update,
    std::optional<int64_t> expected_version, const matching::RequestContext& context) {
  return Counted(Kind::kUpdateRecording,
                 store_.UpdateRecording(id, update, expected_version, context));
}

absl::StatusOr<CollectionStore::Deleted> MeteredStore::DeleteRecording(
    const std::string& id, std::optional<int64_t> expected_version) {
  return Counted(Kind::kDeleteRecording, store_.DeleteRecording(id, expected_version));
}

absl::StatusOr<CollectionStore::Reloaded> MeteredStore::Reload() {
  absl::StatusOr<CollectionStore::Reloaded> reloaded = store_.Reload();
  metrics_.RecordReload(Metrics::Reloaded::kCollection, reloaded.status());
  return reloaded;
}

absl::StatusOr<CollectionStore::Merged> MeteredStore::Merge() {
  return Counted(Kind::kMerge, store_.Merge());
}

absl::StatusOr<bundle::Manifest> MeteredStore::Restore(const std::string& name) {
  return Counted(Kind::kRestore, store_.Restore(name));
}

}  // namespace antiphon::server
