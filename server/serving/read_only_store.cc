#include "server/serving/read_only_store.h"

#include <utility>

#include "core/base/status_macros.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

using editing::CollectionStore;

absl::Status Refuse() {
  return CallerError(absl::StatusCode::kFailedPrecondition,
                     "this server may only read its collection");
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReadOnlyStore>> ReadOnlyStore::Open(Opener opener) {
  ASSIGN_OR_RETURN(std::shared_ptr<const Engine> engine, opener());
  return std::unique_ptr<ReadOnlyStore>(new ReadOnlyStore(std::move(opener), std::move(engine)));
}

ReadOnlyStore::ReadOnlyStore(Opener opener, std::shared_ptr<const Engine> engine)
    : opener_(std::move(opener)), engine_(std::move(engine)) {}

std::shared_ptr<const Engine> ReadOnlyStore::Current() const {
  absl::MutexLock lock(&mutex_);
  return engine_;
}

absl::StatusOr<catalog::Piece> ReadOnlyStore::AddPiece(catalog::Piece, std::string,
                                                       const matching::RequestContext&) {
  return Refuse();
}

absl::StatusOr<catalog::Piece> ReadOnlyStore::UpdatePiece(const std::string&,
                                                          const editing::PieceUpdate&,
                                                          std::optional<int64_t>,
                                                          const matching::RequestContext&) {
  return Refuse();
}

absl::StatusOr<CollectionStore::Deleted> ReadOnlyStore::DeletePiece(const std::string&,
                                                                    std::optional<int64_t>, bool) {
  return Refuse();
}

absl::StatusOr<catalog::Recording> ReadOnlyStore::AddRecording(catalog::Recording, std::string,
                                                               const matching::RequestContext&) {
  return Refuse();
}

absl::StatusOr<catalog::Recording> ReadOnlyStore::UpdateRecording(const std::string&,
                                                                  const editing::RecordingUpdate&,
                                                                  std::optional<int64_t>,
                                                                  const matching::RequestContext&) {
  return Refuse();
}

absl::StatusOr<CollectionStore::Deleted> ReadOnlyStore::DeleteRecording(const std::string&,
                                                                        std::optional<int64_t>) {
  return Refuse();
}

absl::StatusOr<CollectionStore::Reloaded> ReadOnlyStore::Reload() {
  absl::MutexLock reload(&reload_mutex_);
  ASSIGN_OR_RETURN(std::shared_ptr<const Engine> opened, opener_());
  CollectionStore::Reloaded reloaded;
  reloaded.generation = opened->manifest().generation;
  reloaded.rejected_generations = opened->rejected_generations();
  absl::MutexLock lock(&mutex_);
  reloaded.previous_generation = engine_->manifest().generation;
  engine_ = std::move(opened);
  return reloaded;
}

absl::StatusOr<CollectionStore::Merged> ReadOnlyStore::Merge() { return Refuse(); }

absl::StatusOr<Store::Snapshot> ReadOnlyStore::TakeSnapshot(const std::string&) { return Refuse(); }

absl::StatusOr<bundle::Manifest> ReadOnlyStore::Restore(const std::string&) { return Refuse(); }

}  // namespace antiphon::server
