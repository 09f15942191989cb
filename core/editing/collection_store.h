// A bundle that is served and changed at once.
//
// Current() is an immutable Collection; every edit, merge and reload puts another in its place.
// Edits are durable when they return (change_journal.h) and follow one another; searches never wait
// for them. A merge writes base and edits into a new generation of the bundle, in the background
// once there are enough of them, and forgets journalled edits only when every generation that could
// be fallen back to contains them.
//
// Safe from any thread. Owns the bundle's journal: one CollectionStore per bundle in all processes.
#ifndef ANTIPHON_CORE_EDITING_COLLECTION_STORE_H_
#define ANTIPHON_CORE_EDITING_COLLECTION_STORE_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/check_range.h"
#include "core/bundle/manifest.h"
#include "core/collection/loaded_collection.h"
#include "core/editing/edit_request.h"
#include "core/matching/request.h"

namespace antiphon::retrieval {
class BundleCollection;
}

namespace antiphon::editing {

struct StoreOptions {
  collection::CollectionOptions collection;
  // A merge begins by itself when edits reach this part of the base's vectors, and at least so
  // many; 0 switches it off.
  static constexpr Range<double> kMergeFractionRange = {0, std::numeric_limits<double>::infinity()};
  double merge_fraction = 0.1;
  int64_t merge_vectors = 200'000;
  int64_t merge_bytes = int64_t{256} << 20;  // or when their scores and sound take so much memory
  static constexpr Range<int> kKeepGenerationsRange = {1, std::numeric_limits<int>::max()};
  int keep_generations = 2;  // that a merge leaves on disk, itself included
  // A reload or a restoration is refused when less memory than this times the size of the files
  // that it reads into memory is available, a merge or a snapshot when less than twice as much is.
  static constexpr Range<double> kReloadMemoryFactorRange = {
      0, std::numeric_limits<double>::infinity()};
  double reload_memory_factor = 1.2;
  // Told of every generation before it is put in place, also when opening; a failure keeps the one
  // before (the reload, the merge or the restoration fails with it, and leaves nothing on disk).
  // Not asked about edits. Called with no lock that a search or an edit needs; must not reload,
  // merge, take a snapshot or restore. May be empty.
  std::function<absl::Status(const retrieval::BundleCollection&)> self_check;
  // Told of what goes wrong in the background, for the log: a merge, the removal of what is old, a
  // change that is damaged. From any thread; must change nothing itself. May be empty.
  std::function<void(const absl::Status&)> on_background_failure;
};

class CollectionStore {
 public:
  // Opens the current generation and applies the journal's changes that it does not contain;
  // damaged ones are left out and listed in edit_status(). Needs to write below `bundle_root`: what
  // is only read, Collection::Open opens. Fails as that and ChangeJournal::Open do, as self_check
  // does, or with InvalidArgument on options out of range. DataLoss where changes that were
  // acknowledged are neither in the generation nor in the journal (journal_mark.h).
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<CollectionStore>> Open(
      const std::string& bundle_root, StoreOptions options);
  ~CollectionStore();  // waits for a merge under way to stop

  std::shared_ptr<const retrieval::BundleCollection> Current() const;

  // Makes one edit. Embeds outside any lock, with `context` asked to go on before each stage and
  // once more before the change is made durable. A failure changes nothing. InvalidArgument: text,
  // score or sound that will not do, without a reason; ResourceExhausted: a limit, without a
  // reason. All else carries the reason for it (core/base/error_reason.h): AlreadyExists and
  // NotFound, Aborted for another version or a collection that is being replaced,
  // FailedPrecondition for a piece with recordings, and the failures of storage.
  [[nodiscard]] absl::StatusOr<EditResult> Apply(const EditRequest& request,
                                                 const matching::RequestContext& context = {});

  // Opens what CURRENT names now, beside what serves, tries it out and puts it in place, with those
  // of the journal's changes that belong to it. The generation before when there is nothing newer.
  // On failure what served goes on serving: FailedPrecondition, with the reasons, when CURRENT
  // names what cannot be used and nothing else is newer, ResourceExhausted when there is not the
  // memory.
  struct Reloaded {
    int64_t generation = 0;
    int64_t previous_generation = 0;
    std::vector<std::string> rejected_generations;
  };
  [[nodiscard]] absl::StatusOr<Reloaded> Reload();

  // Writes all edits into a new generation, reads it back and puts it in place. Edits go on
  // meanwhile. Aborted when somebody else is publishing, FailedPrecondition when somebody else has
  // published: reload first.
  struct Merged {
    int64_t generation = 0;
    int64_t changes = 0;  // 0: there was nothing to do
  };
  [[nodiscard]] absl::StatusOr<Merged> Merge();

  // Merge, also where there is nothing to merge: generation and journal are then of the versions
  // that are written. What fails leaves what was there, or a new generation and a journal that is
  // not up to date.
  [[nodiscard]] absl::StatusOr<Merged> Rewrite();
  [[nodiscard]] absl::Status BringJournalUpToDate();
  int journal_version() const;

  // Writes the collection as it is, edits included, as a bundle of its own with one generation;
  // `directory` must not exist (AlreadyExists), its parent must (NotFound), and its name must not
  // begin with ".snapshot-", as those that are unfinished do (InvalidArgument). It appears there
  // whole or not at all.
  [[nodiscard]] absl::StatusOr<bundle::Manifest> Snapshot(const std::string& directory) const;

  // Publishes the current generation of the bundle in `directory` as a new generation of this one,
  // and puts it in place; edits made before count no more. NotFound, or DataLoss with the reasons,
  // when it cannot be used; Aborted when somebody else is publishing.
  [[nodiscard]] absl::StatusOr<bundle::Manifest> Restore(const std::string& directory);

  struct EditStatus {
    int64_t last_change = 0;  // number of the last change; 0 where there has been none
    int64_t unmerged = 0;     // changes that are not part of the generation that serves
    std::vector<std::string> rejected_changes;
    bool merging = false;
  };
  EditStatus edit_status() const;

 private:
  struct Impl;
  explicit CollectionStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::editing

#endif  // ANTIPHON_CORE_EDITING_COLLECTION_STORE_H_
