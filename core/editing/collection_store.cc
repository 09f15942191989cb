#include "core/editing/collection_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/catalog/checks.h"
#include "core/collection/collection_files.h"
#include "core/collection/source_embedder.h"
#include "core/editing/collection_store_impl.h"

namespace antiphon::editing {
namespace {

using catalog::Change;
using catalog::Side;

// How often an edit is embedded anew because the model was replaced meanwhile.
constexpr int kMaxAttempts = 3;

absl::Status NotThere(absl::string_view field) {
  return absl::NotFoundError(absl::StrCat(field, ": there is none of that id"));
}

absl::Status CheckVersion(absl::string_view what, int64_t version,
                          std::optional<int64_t> expected) {
  if (!expected.has_value() || *expected == version) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat(what, " version: is ", version, ", not ", *expected));
}

absl::Status CheckReference(const collection::CollectionView& view, const std::string& piece_id) {
  if (piece_id.empty() || view.FindPiece(piece_id).has_value()) return absl::OkStatus();
  return NotThere("recording piece_id");
}

absl::Status KeepGoing(const matching::RequestContext& context) {
  return context.keep_going ? context.keep_going() : absl::OkStatus();
}

// What was embedded with one can go into the other.
bool EmbedAlike(const collection::LoadedCollection& one,
                const collection::LoadedCollection& other) {
  return one.audio_encoder == other.audio_encoder && one.score_encoder == other.score_encoder &&
         collection::PlanOf(one.manifest) == collection::PlanOf(other.manifest);
}

Change ToChange(collection::SourceRecord record) {
  Change change;
  change.side = record.side;
  change.id = record.id();
  change.piece = std::move(record.piece);
  change.recording = std::move(record.recording);
  change.content = std::move(record.content);
  change.runs = std::move(record.runs);
  change.vectors = std::move(record.vectors);
  return change;
}

Change ToDeletion(Side side, const std::string& id) {
  Change change;
  change.kind = Change::Kind::kDelete;
  change.side = side;
  change.id = id;
  return change;
}

collection::Edit MakeEdit(Change change) {
  collection::Edit edit = {change.side, change.id, nullptr};
  if (change.kind == Change::Kind::kDelete) return edit;
  edit.put = std::make_shared<const collection::SourceRecord>(collection::SourceRecord{
      change.side, std::move(change.piece), std::move(change.recording), std::move(change.content),
      std::move(change.runs), std::move(change.vectors)});
  return edit;
}

}  // namespace

absl::StatusOr<collection::Edit> ToEdit(Change change, int dimension) {
  collection::Edit edit = MakeEdit(std::move(change));
  if (edit.put == nullptr) return edit;
  const absl::Status status = collection::CheckRecord(*edit.put, dimension);
  if (!status.ok()) return absl::DataLossError(status.message());
  return edit;
}

std::shared_ptr<const retrieval::Collection> CollectionStore::Impl::Now() const {
  absl::MutexLock lock(&state_mutex);
  return current;
}

void CollectionStore::Impl::Swap(collection::LoadedCollection loaded) {
  auto next = retrieval::Collection::Make(
      std::make_shared<const collection::LoadedCollection>(std::move(loaded)));
  // If this was its last owner, the collection before is freed outside of the lock: that may unmap
  // gigabytes.
  std::shared_ptr<const retrieval::Collection> last = next;
  {
    absl::MutexLock lock(&state_mutex);
    current.swap(last);
    edit_status.last_change = journal->last_sequence();
    edit_status.unmerged = pending.count();
  }
  if (options.on_change && last != nullptr) options.on_change(std::move(next));
  const bool due = IsMergeDue();
  absl::MutexLock lock(&state_mutex);
  merge_due = due;
}

absl::StatusOr<std::vector<collection::Edit>> CollectionStore::Impl::Commit(
    std::vector<Change> changes) {
  // Durable first, then visible: a search must never find what a crash could still undo. No step
  // after Append has a failure to return.
  collection::LoadedCollection loaded = Now()->loaded();
  ASSIGN_OR_RETURN(const int64_t last, journal->Append(loaded.manifest.origin, changes));
  std::vector<collection::Edit> edits;
  for (Change& change : changes) {
    const int64_t number = change.sequence;
    edits.push_back(MakeEdit(std::move(change)));
    pending.Add(number, edits.back());
  }
  loaded.view = loaded.view->With(edits);
  Swap(std::move(loaded));
  return edits;
}

absl::StatusOr<std::shared_ptr<const collection::SourceRecord>> CollectionStore::Impl::Run(
    const Put& put, const matching::RequestContext& context) {
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    const std::shared_ptr<const retrieval::Collection> before = Now();
    RETURN_IF_ERROR(put.check(before->view()));
    std::unique_ptr<collection::SourceRecord> embedded;
    if (put.embed) {
      ASSIGN_OR_RETURN(collection::SourceRecord record, put.embed(before->loaded()));
      embedded = std::make_unique<collection::SourceRecord>(std::move(record));
    }
    RETURN_IF_ERROR(editing::KeepGoing(context));
    // Embedding takes seconds and holds no lock, so the collection may have changed meanwhile: the
    // check is asked again, and a new model needs a new embedding.
    absl::MutexLock lock(&edits_mutex);
    const std::shared_ptr<const retrieval::Collection> now = Now();
    if (embedded != nullptr && !EmbedAlike(before->loaded(), now->loaded())) continue;
    RETURN_IF_ERROR(put.check(now->view()));
    ASSIGN_OR_RETURN(
        collection::SourceRecord record,
        put.complete ? put.complete(now->view(), std::move(embedded)) : std::move(*embedded));
    std::vector<Change> changes;
    changes.push_back(ToChange(std::move(record)));
    ASSIGN_OR_RETURN(const std::vector<collection::Edit> edits, Commit(std::move(changes)));
    return edits.front().put;
  }
  return absl::AbortedError("the collection is being replaced: try again");
}

absl::StatusOr<CollectionStore::Deleted> CollectionStore::Impl::Delete(
    std::vector<Change> changes) {
  const auto recordings = std::count_if(changes.begin(), changes.end(), [](const Change& change) {
    return change.side == Side::kRecordings;
  });
  ASSIGN_OR_RETURN(const std::vector<collection::Edit> edits, Commit(std::move(changes)));
  return Deleted{pending.last(), static_cast<int>(recordings)};
}

CollectionStore::CollectionStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CollectionStore::~CollectionStore() = default;

absl::StatusOr<std::unique_ptr<CollectionStore>> CollectionStore::Open(
    const std::string& bundle_root, StoreOptions options) {
  auto impl = std::make_unique<Impl>(bundle_root, std::move(options));
  RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<CollectionStore>(new CollectionStore(std::move(impl)));
}

std::shared_ptr<const retrieval::Collection> CollectionStore::Current() const {
  return impl_->Now();
}

CollectionStore::EditStatus CollectionStore::edit_status() const {
  absl::MutexLock lock(&impl_->state_mutex);
  return impl_->edit_status;
}

absl::StatusOr<catalog::Piece> CollectionStore::AddPiece(catalog::Piece piece, std::string midi,
                                                         const matching::RequestContext& context) {
  RETURN_IF_ERROR(catalog::CheckPiece(piece));
  Impl::Put put;
  put.check = [&](const collection::CollectionView& view) {
    return view.FindPiece(piece.id).has_value()
               ? absl::AlreadyExistsError("piece id: is there already")
               : absl::OkStatus();
  };
  put.embed = [&](const collection::LoadedCollection& loaded) {
    return collection::EmbedPiece(*loaded.score_encoder, collection::PlanOf(loaded.manifest), piece,
                                  midi, context);
  };
  ASSIGN_OR_RETURN(const auto record, impl_->Run(put, context));
  return record->piece;
}

absl::StatusOr<catalog::Piece> CollectionStore::UpdatePiece(
    const std::string& id, const PieceUpdate& update, std::optional<int64_t> expected_version,
    const matching::RequestContext& context) {
  Impl::Put put;
  put.check = [&](const collection::CollectionView& view) {
    const std::optional<int> position = view.FindPiece(id);
    if (!position.has_value()) return NotThere("piece id");
    return CheckVersion("piece", view.pieces()[*position].version, expected_version);
  };
  if (update.midi.has_value()) {
    put.embed = [&](const collection::LoadedCollection& loaded) {
      return collection::EmbedPiece(*loaded.score_encoder, collection::PlanOf(loaded.manifest),
                                    {.id = id}, *update.midi, context);
    };
  }
  put.complete = [&](const collection::CollectionView& view,
                     std::unique_ptr<collection::SourceRecord> embedded)
      -> absl::StatusOr<collection::SourceRecord> {
    const int position = *view.FindPiece(id);
    if (embedded == nullptr) {
      ASSIGN_OR_RETURN(collection::SourceRecord record,
                       collection::ReadSource(view, Side::kScores, position));
      embedded = std::make_unique<collection::SourceRecord>(std::move(record));
    }
    const catalog::Piece& before = view.pieces()[position];
    catalog::Piece& piece = embedded->piece;
    piece.title = update.title.value_or(before.title);
    piece.composer = update.composer.value_or(before.composer);
    piece.collection = update.collection.value_or(before.collection);
    return std::move(*embedded);
  };
  ASSIGN_OR_RETURN(const auto record, impl_->Run(put, context));
  return record->piece;
}

absl::StatusOr<CollectionStore::Deleted> CollectionStore::DeletePiece(
    const std::string& id, std::optional<int64_t> expected_version, bool with_recordings) {
  absl::MutexLock lock(&impl_->edits_mutex);
  const std::shared_ptr<const retrieval::Collection> now = impl_->Now();
  const collection::CollectionView& view = now->view();
  const std::optional<int> position = view.FindPiece(id);
  if (!position.has_value()) return NotThere("piece id");
  RETURN_IF_ERROR(CheckVersion("piece", view.pieces()[*position].version, expected_version));
  std::vector<Change> changes;
  for (const catalog::Recording& recording : view.recordings()) {
    // In one transaction with the piece: no crash leaves recordings of a piece that is gone.
    if (recording.piece_id == id) changes.push_back(ToDeletion(Side::kRecordings, recording.id));
  }
  if (!changes.empty() && !with_recordings) {
    return absl::FailedPreconditionError(
        absl::StrCat("piece id: recordings of it are there, ", changes.size()));
  }
  changes.push_back(ToDeletion(Side::kScores, id));
  return impl_->Delete(std::move(changes));
}

absl::StatusOr<catalog::Recording> CollectionStore::AddRecording(
    catalog::Recording recording, std::string audio, const matching::RequestContext& context) {
  RETURN_IF_ERROR(catalog::CheckRecording(recording));
  Impl::Put put;
  put.check = [&](const collection::CollectionView& view) {
    return view.FindRecording(recording.id).has_value()
               ? absl::AlreadyExistsError("recording id: is there already")
               : CheckReference(view, recording.piece_id);
  };
  put.embed = [&](const collection::LoadedCollection& loaded) {
    return collection::EmbedRecording(*loaded.audio_encoder, *loaded.front_end,
                                      collection::PlanOf(loaded.manifest), recording, audio,
                                      context);
  };
  ASSIGN_OR_RETURN(const auto record, impl_->Run(put, context));
  return record->recording;
}

absl::StatusOr<catalog::Recording> CollectionStore::UpdateRecording(
    const std::string& id, const RecordingUpdate& update, std::optional<int64_t> expected_version,
    const matching::RequestContext& context) {
  Impl::Put put;
  put.check = [&](const collection::CollectionView& view) {
    const std::optional<int> position = view.FindRecording(id);
    if (!position.has_value()) return NotThere("recording id");
    const absl::Status status =
        CheckVersion("recording", view.recordings()[*position].version, expected_version);
    return status.ok() && update.piece_id.has_value() ? CheckReference(view, *update.piece_id)
                                                      : status;
  };
  if (update.audio.has_value()) {
    put.embed = [&](const collection::LoadedCollection& loaded) {
      return collection::EmbedRecording(*loaded.audio_encoder, *loaded.front_end,
                                        collection::PlanOf(loaded.manifest), {.id = id},
                                        *update.audio, context);
    };
  }
  put.complete = [&](const collection::CollectionView& view,
                     std::unique_ptr<collection::SourceRecord> embedded)
      -> absl::StatusOr<collection::SourceRecord> {
    const int position = *view.FindRecording(id);
    if (embedded == nullptr) {
      ASSIGN_OR_RETURN(collection::SourceRecord record,
                       collection::ReadSource(view, Side::kRecordings, position));
      embedded = std::make_unique<collection::SourceRecord>(std::move(record));
    }
    const catalog::Recording& before = view.recordings()[position];
    catalog::Recording& recording = embedded->recording;
    recording.title = update.title.value_or(before.title);
    recording.composer = update.composer.value_or(before.composer);
    recording.collection = update.collection.value_or(before.collection);
    recording.piece_id = update.piece_id.value_or(before.piece_id);
    return std::move(*embedded);
  };
  ASSIGN_OR_RETURN(const auto record, impl_->Run(put, context));
  return record->recording;
}

absl::StatusOr<CollectionStore::Deleted> CollectionStore::DeleteRecording(
    const std::string& id, std::optional<int64_t> expected_version) {
  absl::MutexLock lock(&impl_->edits_mutex);
  const std::shared_ptr<const retrieval::Collection> now = impl_->Now();
  const std::optional<int> position = now->view().FindRecording(id);
  if (!position.has_value()) return NotThere("recording id");
  RETURN_IF_ERROR(
      CheckVersion("recording", now->view().recordings()[*position].version, expected_version));
  std::vector<Change> changes;
  changes.push_back(ToDeletion(Side::kRecordings, id));
  absl::StatusOr<Deleted> deleted = impl_->Delete(std::move(changes));
  if (deleted.ok()) deleted->recordings = 0;  // none along with it
  return deleted;
}

absl::StatusOr<CollectionStore::Reloaded> CollectionStore::Reload() { return impl_->Reload(); }
absl::StatusOr<CollectionStore::Merged> CollectionStore::Merge() { return impl_->Merge(); }
absl::StatusOr<bundle::Manifest> CollectionStore::Snapshot(const std::string& directory) const {
  return impl_->Snapshot(directory);
}
absl::StatusOr<bundle::Manifest> CollectionStore::Restore(const std::string& directory) {
  return impl_->Restore(directory);
}

}  // namespace antiphon::editing
