// The collection that a suite asks: scores indexed as the index command does by default, kept on
// disk between runs. Blocking; belongs to one thread.
#ifndef ANTIPHON_TRAINER_DATASETS_REFERENCE_COLLECTION_H_
#define ANTIPHON_TRAINER_DATASETS_REFERENCE_COLLECTION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/collection/bundle_builder.h"
#include "core/retrieval/bundle_collection.h"
#include "trainer/base/progress.h"

namespace antiphon::trainer::datasets {

// A score of the catalogue; its place in the list is its source in the collection.
struct CollectionEntry {
  std::string id;
  std::string title;
  std::string composer;
  std::string midi;             // bytes
  std::string collection = {};  // what a question can be limited to
};

struct ReferenceCollectionOptions {
  collection::BuilderOptions builder;  // its model_directory names the model
  std::string folder;                  // where bundles are kept, each in a folder of its own
};

// Opens the bundle of these scores, this model and these settings; makes it first when it is not
// there. An entry that cannot be indexed fails the whole and is named.
[[nodiscard]] absl::StatusOr<std::unique_ptr<const retrieval::BundleCollection>>
OpenReferenceCollection(const std::vector<CollectionEntry>& entries,
                        const ReferenceCollectionOptions& options, Progress& progress);

// Opens a bundle that the index command made, with the judgement of the options' model; nothing is
// embedded. FailedPrecondition where it was made with another model.
[[nodiscard]] absl::StatusOr<std::unique_ptr<const retrieval::BundleCollection>> OpenIndexed(
    const std::string& bundle, const collection::BuilderOptions& options);

// The scores below a folder, in order of their paths: the id is the name of the file, the title its
// path.
[[nodiscard]] absl::StatusOr<std::vector<CollectionEntry>> ReadEntries(const std::string& midi_dir);

}  // namespace antiphon::trainer::datasets

#endif  // ANTIPHON_TRAINER_DATASETS_REFERENCE_COLLECTION_H_
