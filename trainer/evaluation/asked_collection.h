// The collection that a suite asks: a bundle that the index command made, or one that the suite
// makes of its entries and keeps. Blocking; belongs to one thread.
#ifndef ANTIPHON_TRAINER_EVALUATION_ASKED_COLLECTION_H_
#define ANTIPHON_TRAINER_EVALUATION_ASKED_COLLECTION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "trainer/base/progress.h"
#include "trainer/datasets/distinct_music.h"
#include "trainer/datasets/reference_collection.h"
#include "trainer/evaluation/suite_options.h"
#include "trainer/metrics/report.h"

namespace antiphon::trainer::evaluation {

// How a suite indexes with `model`, one of the models' folders: the index command's own defaults.
// The bundle is kept in `folder`.
datasets::ReferenceCollectionOptions ReferenceCollectionFor(const ModelOptions& models,
                                                            const std::string& model,
                                                            const std::string& folder);

// A bundle that the index command made, with the model that is measured. Fails as
// datasets::OpenIndexed.
[[nodiscard]] absl::StatusOr<std::unique_ptr<const retrieval::BundleCollection>> OpenIndexedFor(
    const ModelOptions& models, const std::string& bundle);

struct IndexedPieces {
  std::shared_ptr<const retrieval::BundleCollection> collection;  // null: no bundle was given
  datasets::Catalogue pieces;                                     // of it, by source
};

// Opens `bundle` and notes in the report what it holds; nothing where the name is empty. Fails as
// OpenIndexedFor and datasets::ReadPieces.
[[nodiscard]] absl::StatusOr<IndexedPieces> ReadIndexed(const ModelOptions& models,
                                                        const std::string& bundle,
                                                        Progress& progress,
                                                        metrics::Report& report);

// What is asked with one model: the bundle, if there is one, or what
// datasets::OpenReferenceCollection makes of the entries.
[[nodiscard]] absl::StatusOr<std::shared_ptr<const retrieval::BundleCollection>> OpenAsked(
    const IndexedPieces& indexed, const std::vector<datasets::CollectionEntry>& entries,
    const datasets::ReferenceCollectionOptions& options, Progress& progress);

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_ASKED_COLLECTION_H_
