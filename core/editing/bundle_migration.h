// Bundles of earlier versions brought to the present one, and bundles whose journal is lost made
// usable again. Stateless; one at a time for a bundle, which the journal's lock ensures.
#ifndef ANTIPHON_CORE_EDITING_BUNDLE_MIGRATION_H_
#define ANTIPHON_CORE_EDITING_BUNDLE_MIGRATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/collection/loaded_collection.h"

namespace antiphon::editing {

// The versions of a bundle's parts, as docs/formats.md has them.
struct BundleVersions {
  int bundle = 0;
  int catalog = 0;
  int journal = 0;
  bool operator==(const BundleVersions&) const = default;
};
BundleVersions PresentVersions();

struct Migration {
  BundleVersions before;
  int64_t former_generation = 0;
  int64_t generation = 0;  // the former one: everything was of the present versions already
  int64_t changes = 0;     // of the journal, that became part of the new generation
  int64_t pieces = 0, recordings = 0;
  std::vector<std::string> left_out;  // damaged generations and changes, one a line
};

// Writes the collection, edits in the journal included, as a new generation of the present format
// and brings the journal to its present version. Nothing is embedded anew; origin, versions and
// last_change stay. The former generation stays until a later merge. A failure or a crash leaves
// what was there, or a new generation with a journal that the next call brings up to date. Does
// nothing where there is nothing to do. Fails as OpenOffline does (a server has the bundle open)
// and as CollectionStore::Merge does.
[[nodiscard]] absl::StatusOr<Migration> MigrateBundle(
    const std::string& bundle_root, const collection::CollectionOptions& options = {});

struct GivenUp {
  int64_t after = 0;    // the last change that is kept
  int64_t through = 0;  // the last change that was acknowledged; 0: not known, JOURNAL is damaged
  std::string
      kept_as;  // where the journal that does not fit is kept, below the bundle; may be empty
};

// Makes a bundle usable whose journal is lost, damaged, another's or an older copy, and whose
// acknowledged changes can't be had any more. A journal that holds changes of the collection stays;
// any other is put aside and a new one begun. No number is given out again. Nothing, and nothing
// changes, where no change is lost.
[[nodiscard]] absl::StatusOr<std::optional<GivenUp>> GiveUpLostChanges(
    const std::string& bundle_root);

}  // namespace antiphon::editing

#endif  // ANTIPHON_CORE_EDITING_BUNDLE_MIGRATION_H_
