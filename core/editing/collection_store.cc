#include "core/editing/collection_store.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/base/error_reason.h"
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

absl::Status IsThere(absl::string_view field) {
  return WithReason(absl::AlreadyExistsError(absl::StrCat(field, ": is there already")),
                    ErrorReason::kIdTaken);
}

absl::Status NotThere(absl::string_view field, ErrorReason reason = ErrorReason::kIdUnknown) {
  return WithReason(absl::NotFoundError(absl::StrCat(field, ": there is none of that id")), reason);
}

absl::Status CheckVersion(absl::string_view what, int64_t version,
                          std::optional<int64_t> expected) {
  if (!expected.has_value() || *expected == version) return absl::OkStatus();
  return WithReason(
      absl::AbortedError(absl::StrCat(what, " version: is ", version, ", not ", *expected)),
      ErrorReason::kVersionMismatch);
}

absl::Status CheckReference(const collection::CollectionView& view, const std::string& piece_id) {
  if (piece_id.empty() || view.FindPiece(piece_id).has_value()) return absl::OkStatus();
  return NotThere("recording piece_id", ErrorReason::kPieceUnknown);
}

absl::Status KeepGoing(const matching::RequestContext& context) {
  return context.keep_going ? context.keep_going() : absl::OkStatus();
}

// `score` is null where `midi` is still to be read.
absl::StatusOr<catalog::SourceRecord> EmbedPiece(const collection::LoadedCollection& loaded,
                                                 catalog::Piece piece, const std::string& midi,
                                                 const music::Score* score,
                                                 const matching::RequestContext& context) {
  const encoder::WindowEncoder& encoder = *loaded.score_encoder;
  const collection::SourcePlan plan = collection::PlanOf(loaded.manifest);
  return score == nullptr
             ? collection::EmbedPiece(encoder, plan, std::move(piece), midi, context)
             : collection::EmbedPiece(encoder, plan, std::move(piece), *score, midi, context);
}

absl::StatusOr<catalog::SourceRecord> EmbedRecording(const collection::LoadedCollection& loaded,
                                                     catalog::Recording recording,
                                                     const std::string& audio, bool accept_damaged,
                                                     audio::DecodeReport* decoding,
                                                     const matching::RequestContext& context) {
  return collection::EmbedRecording(
      *loaded.audio_encoder, *loaded.front_end, collection::PlanOf(loaded.manifest),
      std::move(recording), audio,
      accept_damaged ? audio::DamagedAudio::kAccept : audio::DamagedAudio::kRefuse, decoding,
      context);
}

absl::StatusOr<EditResult> With(absl::StatusOr<EditResult> result,
                                const audio::DecodeReport& decoding) {
  if (result.ok()) result->decoding = decoding;
  return result;
}

// What was embedded with one can go into the other.
bool EmbedAlike(const collection::LoadedCollection& one,
                const collection::LoadedCollection& other) {
  return one.audio_encoder == other.audio_encoder && one.score_encoder == other.score_encoder &&
         collection::PlanOf(one.manifest) == collection::PlanOf(other.manifest);
}

Change ToChange(catalog::SourceRecord record) {
  Change change;
  change.side = record.side;
  change.id = record.id();
  change.source = std::move(record);
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
  edit.put = std::make_shared<const catalog::SourceRecord>(std::move(change.source));
  return edit;
}

}  // namespace

absl::StatusOr<collection::Edit> ToEdit(Change change, int dimension) {
  collection::Edit edit = MakeEdit(std::move(change));
  if (edit.put == nullptr) return edit;
  RETURN_IF_ERROR(
      MapError(collection::CheckRecord(*edit.put, dimension),
               [](const absl::Status& status) { return absl::DataLossError(status.message()); }));
  return edit;
}

std::shared_ptr<const retrieval::BundleCollection> CollectionStore::Impl::Now() const {
  SteadyMutexLock lock(&state_mutex);
  return current;
}

void CollectionStore::Impl::Swap(collection::LoadedCollection loaded) {
  auto next = std::make_shared<const retrieval::BundleCollection>(
      std::make_shared<const collection::LoadedCollection>(std::move(loaded)));
  {
    SteadyMutexLock lock(&state_mutex);
    current.swap(next);  // the one before is freed, if this was its last owner, outside of the lock
    edit_status.last_change = journal->last_sequence();
    edit_status.unmerged = pending.count();
  }
  const bool due = IsMergeDue();
  SteadyMutexLock lock(&state_mutex);
  merge_due = due;
}

void CollectionStore::Impl::WriteMark() {
  const absl::Status written = mark.Write(root);
  if (!written.ok() && !mark_lags) Report(written);
  mark_lags = !written.ok();
}

absl::StatusOr<std::vector<collection::Edit>> CollectionStore::Impl::Commit(
    std::vector<Change> changes) {
  // Durable first, then visible: a search must never find what a crash could still undo. No step
  // after Append has a failure to return.
  collection::LoadedCollection loaded = Now()->loaded();
  RETURN_IF_ERROR(journal->Append(loaded.manifest.origin, changes).status());
  if (mark.Note(loaded.manifest.origin, changes.back().sequence, changes.back().sha256))
    WriteMark();
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

absl::StatusOr<EditResult> CollectionStore::Impl::Run(const Put& put,
                                                      const matching::RequestContext& context) {
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    const std::shared_ptr<const retrieval::BundleCollection> before = Now();
    RETURN_IF_ERROR(put.check(before->view()));
    std::unique_ptr<catalog::SourceRecord> embedded;
    if (put.embed) {
      ASSIGN_OR_RETURN(catalog::SourceRecord record, put.embed(before->loaded()));
      embedded = std::make_unique<catalog::SourceRecord>(std::move(record));
    }
    RETURN_IF_ERROR(editing::KeepGoing(context));
    // Embedding takes seconds and holds no lock, so the collection may have changed meanwhile: the
    // check is asked again, and a new model needs a new embedding.
    absl::MutexLock lock(&edits_mutex);
    const std::shared_ptr<const retrieval::BundleCollection> now = Now();
    if (embedded != nullptr && !EmbedAlike(before->loaded(), now->loaded())) continue;
    RETURN_IF_ERROR(put.check(now->view()));
    ASSIGN_OR_RETURN(
        catalog::SourceRecord record,
        put.complete ? put.complete(now->view(), std::move(embedded)) : std::move(*embedded));
    std::vector<Change> changes;
    changes.push_back(ToChange(std::move(record)));
    ASSIGN_OR_RETURN(const std::vector<collection::Edit> edits, Commit(std::move(changes)));
    const catalog::SourceRecord& made = *edits.front().put;
    return EditResult{.version = pending.last(), .piece = made.piece, .recording = made.recording};
  }
  return WithReason(absl::AbortedError("the collection is being replaced: try again"),
                    ErrorReason::kCollectionReplaced);
}

CollectionStore::CollectionStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CollectionStore::~CollectionStore() = default;

absl::StatusOr<std::unique_ptr<CollectionStore>> CollectionStore::Open(
    const std::string& bundle_root, StoreOptions options) {
  auto impl = std::make_unique<Impl>(bundle_root, std::move(options));
  RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<CollectionStore>(new CollectionStore(std::move(impl)));
}

std::shared_ptr<const retrieval::BundleCollection> CollectionStore::Current() const {
  return impl_->Now();
}

CollectionStore::EditStatus CollectionStore::edit_status() const {
  SteadyMutexLock lock(&impl_->state_mutex);
  return impl_->edit_status;
}

absl::StatusOr<EditResult> CollectionStore::Apply(const EditRequest& request,
                                                  const matching::RequestContext& context) {
  return std::visit([&](const auto& edit) { return impl_->Apply(edit, context); }, request);
}

absl::StatusOr<EditResult> CollectionStore::Impl::Apply(const AddPiece& edit,
                                                        const matching::RequestContext& context) {
  RETURN_IF_ERROR(catalog::CheckPiece(edit.piece));
  Put put;
  put.check = [&](const collection::CollectionView& view) {
    return view.FindPiece(edit.piece.id).has_value() ? IsThere("piece id") : absl::OkStatus();
  };
  put.embed = [&](const collection::LoadedCollection& loaded) {
    catalog::Piece piece = edit.piece;
    piece.with_parts = edit.with_parts.value_or(loaded.manifest.with_parts);
    return EmbedPiece(loaded, std::move(piece), edit.midi, edit.score.get(), context);
  };
  return Run(put, context);
}

absl::StatusOr<EditResult> CollectionStore::Impl::Apply(const UpdatePiece& edit,
                                                        const matching::RequestContext& context) {
  Put put;
  std::optional<int64_t> embedded_version;  // whose stored score was embedded anew
  put.check = [&](const collection::CollectionView& view) {
    const std::optional<int> position = view.FindPiece(edit.id);
    if (!position.has_value()) return NotThere("piece id");
    const int64_t version = view.pieces()[*position].version;
    if (version != embedded_version.value_or(version)) {
      return WithReason(absl::AbortedError("the piece was changed meanwhile: try again"),
                        ErrorReason::kCollectionReplaced);
    }
    return CheckVersion("piece", version, edit.expected_version);
  };
  if (edit.midi.has_value() || edit.with_parts.has_value()) {
    put.embed =
        [&](const collection::LoadedCollection& loaded) -> absl::StatusOr<catalog::SourceRecord> {
      const int position = *loaded.view->FindPiece(edit.id);
      const catalog::Piece& before = loaded.view->pieces()[position];
      const bool with_parts = edit.with_parts.value_or(before.with_parts);
      const catalog::Piece piece = {.id = edit.id, .with_parts = with_parts};
      if (edit.midi.has_value())
        return EmbedPiece(loaded, piece, *edit.midi, edit.score.get(), context);
      embedded_version = before.version;
      if (with_parts == before.with_parts)
        return collection::ReadSource(*loaded.view, Side::kScores, position);
      ASSIGN_OR_RETURN(const std::string stored, loaded.view->ReadMidi(position));
      return EmbedPiece(loaded, piece, stored, nullptr, context);
    };
  }
  put.complete = [&](const collection::CollectionView& view,
                     std::unique_ptr<catalog::SourceRecord> embedded)
      -> absl::StatusOr<catalog::SourceRecord> {
    const int position = *view.FindPiece(edit.id);
    if (embedded == nullptr) {
      ASSIGN_OR_RETURN(catalog::SourceRecord record,
                       collection::ReadSource(view, Side::kScores, position));
      embedded = std::make_unique<catalog::SourceRecord>(std::move(record));
    }
    const catalog::Piece& before = view.pieces()[position];
    catalog::Piece& piece = embedded->piece;
    piece.title = edit.title.value_or(before.title);
    piece.composer = edit.composer.value_or(before.composer);
    piece.collection = edit.collection.value_or(before.collection);
    piece.work_id = edit.work_id.value_or(before.work_id);
    return std::move(*embedded);
  };
  return Run(put, context);
}

absl::StatusOr<EditResult> CollectionStore::Impl::Apply(
    const DeletePiece& edit, const matching::RequestContext& /*context*/) {
  absl::MutexLock lock(&edits_mutex);
  const std::shared_ptr<const retrieval::BundleCollection> now = Now();
  const collection::CollectionView& view = now->view();
  const std::optional<int> position = view.FindPiece(edit.id);
  if (!position.has_value()) return NotThere("piece id");
  RETURN_IF_ERROR(CheckVersion("piece", view.pieces()[*position].version, edit.expected_version));
  std::vector<Change> changes;
  for (const catalog::Recording& recording : view.recordings()) {
    // In one transaction with the piece: no crash leaves recordings of a piece that is gone.
    if (recording.piece_id == edit.id)
      changes.push_back(ToDeletion(Side::kRecordings, recording.id));
  }
  if (!changes.empty() && !edit.with_recordings) {
    return WithReason(absl::FailedPreconditionError(
                          absl::StrCat("piece id: recordings of it are there, ", changes.size())),
                      ErrorReason::kHasRecordings);
  }
  const auto recordings = static_cast<int>(changes.size());
  changes.push_back(ToDeletion(Side::kScores, edit.id));
  RETURN_IF_ERROR(Commit(std::move(changes)).status());
  return EditResult{.version = pending.last(), .recordings_deleted = recordings};
}

absl::StatusOr<EditResult> CollectionStore::Impl::Apply(const AddRecording& edit,
                                                        const matching::RequestContext& context) {
  RETURN_IF_ERROR(catalog::CheckRecording(edit.recording));
  Put put;
  put.check = [&](const collection::CollectionView& view) {
    return view.FindRecording(edit.recording.id).has_value()
               ? IsThere("recording id")
               : CheckReference(view, edit.recording.piece_id);
  };
  audio::DecodeReport decoding;
  put.embed = [&](const collection::LoadedCollection& loaded) {
    return EmbedRecording(loaded, edit.recording, edit.audio, edit.accept_damaged, &decoding,
                          context);
  };
  return With(Run(put, context), decoding);
}

absl::StatusOr<EditResult> CollectionStore::Impl::Apply(const UpdateRecording& edit,
                                                        const matching::RequestContext& context) {
  audio::DecodeReport decoding;
  Put put;
  put.check = [&](const collection::CollectionView& view) {
    const std::optional<int> position = view.FindRecording(edit.id);
    if (!position.has_value()) return NotThere("recording id");
    const absl::Status status =
        CheckVersion("recording", view.recordings()[*position].version, edit.expected_version);
    return status.ok() && edit.piece_id.has_value() ? CheckReference(view, *edit.piece_id) : status;
  };
  if (edit.audio.has_value()) {
    put.embed = [&](const collection::LoadedCollection& loaded) {
      return EmbedRecording(loaded, {.id = edit.id}, *edit.audio, edit.accept_damaged, &decoding,
                            context);
    };
  }
  put.complete = [&](const collection::CollectionView& view,
                     std::unique_ptr<catalog::SourceRecord> embedded)
      -> absl::StatusOr<catalog::SourceRecord> {
    const int position = *view.FindRecording(edit.id);
    if (embedded == nullptr) {
      ASSIGN_OR_RETURN(catalog::SourceRecord record,
                       collection::ReadSource(view, Side::kRecordings, position));
      embedded = std::make_unique<catalog::SourceRecord>(std::move(record));
    }
    const catalog::Recording& before = view.recordings()[position];
    catalog::Recording& recording = embedded->recording;
    recording.title = edit.title.value_or(before.title);
    recording.composer = edit.composer.value_or(before.composer);
    recording.collection = edit.collection.value_or(before.collection);
    recording.piece_id = edit.piece_id.value_or(before.piece_id);
    return std::move(*embedded);
  };
  return With(Run(put, context), decoding);
}

absl::StatusOr<EditResult> CollectionStore::Impl::Apply(
    const DeleteRecording& edit, const matching::RequestContext& /*context*/) {
  absl::MutexLock lock(&edits_mutex);
  const std::shared_ptr<const retrieval::BundleCollection> now = Now();
  const std::optional<int> position = now->view().FindRecording(edit.id);
  if (!position.has_value()) return NotThere("recording id");
  RETURN_IF_ERROR(CheckVersion("recording", now->view().recordings()[*position].version,
                               edit.expected_version));
  std::vector<Change> changes;
  changes.push_back(ToDeletion(Side::kRecordings, edit.id));
  RETURN_IF_ERROR(Commit(std::move(changes)).status());
  return EditResult{.version = pending.last()};
}

absl::StatusOr<CollectionStore::Reloaded> CollectionStore::Reload() { return impl_->Reload(); }
absl::StatusOr<CollectionStore::Merged> CollectionStore::Merge() {
  return impl_->Merge(/*even_if_nothing=*/false);
}
absl::StatusOr<CollectionStore::Merged> CollectionStore::Rewrite() {
  ASSIGN_OR_RETURN(const Merged merged, impl_->Merge(/*even_if_nothing=*/true));
  RETURN_IF_ERROR(BringJournalUpToDate());
  return merged;
}
absl::Status CollectionStore::BringJournalUpToDate() { return impl_->journal->BringUpToDate(); }
int CollectionStore::journal_version() const { return impl_->journal->version(); }
absl::StatusOr<bundle::Manifest> CollectionStore::Snapshot(const std::string& directory) const {
  return impl_->Snapshot(directory);
}
absl::StatusOr<bundle::Manifest> CollectionStore::Restore(const std::string& directory) {
  return impl_->Restore(directory);
}

}  // namespace antiphon::editing
