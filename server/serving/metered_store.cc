#include "server/serving/metered_store.h"

#include <variant>

namespace antiphon::server {

using editing::CollectionStore;
using Kind = Metrics::EditKind;

namespace {

struct KindOf {
  Kind operator()(const editing::AddPiece&) const { return Kind::kAddPiece; }
  Kind operator()(const editing::UpdatePiece&) const { return Kind::kUpdatePiece; }
  Kind operator()(const editing::DeletePiece&) const { return Kind::kDeletePiece; }
  Kind operator()(const editing::AddRecording&) const { return Kind::kAddRecording; }
  Kind operator()(const editing::UpdateRecording&) const { return Kind::kUpdateRecording; }
  Kind operator()(const editing::DeleteRecording&) const { return Kind::kDeleteRecording; }
};

}  // namespace

absl::StatusOr<editing::EditResult> MeteredStore::Apply(const editing::EditRequest& request,
                                                        const matching::RequestContext& context) {
  return Counted(std::visit(KindOf(), request), store_.Apply(request, context));
}

absl::StatusOr<CollectionStore::Reloaded> MeteredStore::Reload() {
  absl::StatusOr<CollectionStore::Reloaded> reloaded = store_.Reload();
  metrics_.RecordReload(Metrics::Reloaded::kCollection, reloaded.status());
  return reloaded;
}

absl::StatusOr<CollectionStore::Merged> MeteredStore::Merge() {
  return Counted(Kind::kMerge, store_.Merge());
}

absl::StatusOr<bundle::Manifest> MeteredStore::Restore(const std::string& directory) {
  return Counted(Kind::kRestore, store_.Restore(directory));
}

}  // namespace antiphon::server
