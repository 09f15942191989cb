// What a CollectionStore is made of. Included by its own sources only: collection_store.cc has the
// edits, generations.cc what makes and opens generations.
#ifndef ANTIPHON_CORE_EDITING_COLLECTION_STORE_IMPL_H_
#define ANTIPHON_CORE_EDITING_COLLECTION_STORE_IMPL_H_

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/base/steady_mutex.h"
#include "core/catalog/change_journal.h"
#include "core/collection/loaded_collection.h"
#include "core/editing/collection_store.h"
#include "core/editing/journal_mark.h"
#include "core/editing/pending_edits.h"
#include "core/retrieval/bundle_collection.h"

namespace antiphon::editing {

struct CollectionStore::Impl {
  Impl(std::string bundle_root, StoreOptions live_options)
      : root(std::move(bundle_root)), options(std::move(live_options)) {}
  ~Impl();

  // --- collection_store.cc ---

  // How a piece or a recording comes to be put.
  struct Put {
    // Whether it may be, asked before anything is embedded and again when it is done.
    std::function<absl::Status(const collection::CollectionView&)> check;
    // Of the new score or sound; empty where it stays.
    std::function<absl::StatusOr<catalog::SourceRecord>(const collection::LoadedCollection&)> embed;
    // All of the source, of what is there now and of what was embedded, null if nothing; empty
    // where the latter is all.
    std::function<absl::StatusOr<catalog::SourceRecord>(const collection::CollectionView&,
                                                        std::unique_ptr<catalog::SourceRecord>)>
        complete;
  };
  absl::StatusOr<EditResult> Run(const Put& put, const matching::RequestContext& context)
      ABSL_LOCKS_EXCLUDED(edits_mutex);

  // One for each alternative of EditRequest.
  absl::StatusOr<EditResult> Apply(const AddPiece& edit, const matching::RequestContext& context)
      ABSL_LOCKS_EXCLUDED(edits_mutex);
  absl::StatusOr<EditResult> Apply(const UpdatePiece& edit, const matching::RequestContext& context)
      ABSL_LOCKS_EXCLUDED(edits_mutex);
  absl::StatusOr<EditResult> Apply(const DeletePiece& edit, const matching::RequestContext& context)
      ABSL_LOCKS_EXCLUDED(edits_mutex);
  absl::StatusOr<EditResult> Apply(const AddRecording& edit,
                                   const matching::RequestContext& context)
      ABSL_LOCKS_EXCLUDED(edits_mutex);
  absl::StatusOr<EditResult> Apply(const UpdateRecording& edit,
                                   const matching::RequestContext& context)
      ABSL_LOCKS_EXCLUDED(edits_mutex);
  absl::StatusOr<EditResult> Apply(const DeleteRecording& edit,
                                   const matching::RequestContext& context)
      ABSL_LOCKS_EXCLUDED(edits_mutex);

  // Makes the changes durable and puts the contents with them in place; the edits that they were.
  absl::StatusOr<std::vector<collection::Edit>> Commit(std::vector<catalog::Change> changes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_mutex);

  // Puts the collection of these parts in place.
  void Swap(collection::LoadedCollection loaded) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_mutex);

  std::shared_ptr<const retrieval::BundleCollection> Now() const ABSL_LOCKS_EXCLUDED(state_mutex);

  // Notes in the mark what has become durable in the journal. Not a step of the edit: where it
  // fails, the mark lags, and the failure is reported once.
  void WriteMark() ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_mutex);

  // --- generations.cc ---

  absl::Status Start() ABSL_LOCKS_EXCLUDED(generations_mutex, edits_mutex);
  // Opens the bundle and its journal, once they have proved to belong together.
  absl::StatusOr<collection::OpenedCollection> OpenWithJournal() ABSL_LOCKS_EXCLUDED(edits_mutex);
  absl::StatusOr<Merged> Merge(bool even_if_nothing)
      ABSL_LOCKS_EXCLUDED(generations_mutex, edits_mutex);
  absl::StatusOr<Reloaded> Reload() ABSL_LOCKS_EXCLUDED(generations_mutex, edits_mutex);
  absl::StatusOr<bundle::Manifest> Snapshot(const std::string& directory)
      ABSL_LOCKS_EXCLUDED(generations_mutex, edits_mutex);
  absl::StatusOr<bundle::Manifest> Restore(const std::string& directory)
      ABSL_LOCKS_EXCLUDED(generations_mutex, edits_mutex);

  // A generation, opened beside what serves and tried out.
  absl::StatusOr<std::unique_ptr<collection::LoadedCollection>> OpenBeside(
      const bundle::OpenedBundle& opened) const;

  // Publishes what lies in the writer's folder, once it has been opened beside what serves and its
  // copies of files (all of them, or those that generations take over) have proved to be those of
  // `original`.
  struct Published {
    std::unique_ptr<collection::LoadedCollection> loaded;
    std::string directory;
  };
  absl::StatusOr<Published> Publish(bundle::BundleWriter& writer, bundle::Manifest manifest,
                                    const bundle::Manifest& original, bool all) const;

  // Puts a generation in place together with the journal's changes that it does not contain.
  absl::Status PutInPlace(collection::LoadedCollection loaded, const std::string& directory)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(generations_mutex) ABSL_LOCKS_EXCLUDED(edits_mutex);

  // After a publication: removes generations and journalled changes that nothing can need any more.
  absl::Status ForgetOld(bundle::BundleWriter& writer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(generations_mutex) ABSL_LOCKS_EXCLUDED(edits_mutex);

  bool IsMergeDue() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_mutex);
  absl::Status TryToMerge();  // out of memory is a failure like others
  void MergeInBackground();
  absl::Status KeepGoing() const ABSL_LOCKS_EXCLUDED(state_mutex);  // Cancelled once it is to end
  void Report(const absl::Status& status) const;

  const std::string root;
  const StoreOptions options;
  std::unique_ptr<catalog::ChangeJournal> journal;

  // One merge, reload, snapshot or restore at a time.
  absl::Mutex generations_mutex ABSL_ACQUIRED_BEFORE(edits_mutex);
  int64_t named ABSL_GUARDED_BY(generations_mutex) =
      0;  // what CURRENT named when it was last acted on; 0: nothing
  std::string base_directory ABSL_GUARDED_BY(generations_mutex);  // of the generation that serves

  // One edit, or replacement of what they apply to, at a time. Taken for the end of an edit only.
  absl::Mutex edits_mutex ABSL_ACQUIRED_BEFORE(state_mutex);
  PendingEdits pending ABSL_GUARDED_BY(edits_mutex);
  JournalMark mark ABSL_GUARDED_BY(edits_mutex);
  bool mark_lags ABSL_GUARDED_BY(edits_mutex) = false;  // it could not be written

  // Held for a moment only.
  mutable SteadyMutex state_mutex;
  std::shared_ptr<const retrieval::BundleCollection> current ABSL_GUARDED_BY(state_mutex);
  EditStatus edit_status ABSL_GUARDED_BY(state_mutex);
  bool merge_due ABSL_GUARDED_BY(state_mutex) = false;
  bool stopping ABSL_GUARDED_BY(state_mutex) = false;

  std::thread merger;
};

// What a journalled change does, for a collection of this dimension; DataLoss when it does not fit.
absl::StatusOr<collection::Edit> ToEdit(catalog::Change change, int dimension);

}  // namespace antiphon::editing

#endif  // ANTIPHON_CORE_EDITING_COLLECTION_STORE_IMPL_H_
