#include "trainer/evaluation/asked_collection.h"

#include "core/base/status_macros.h"

namespace antiphon::trainer::evaluation {

datasets::ReferenceCollectionOptions ReferenceCollectionFor(const ModelOptions& models,
                                                            const std::string& model,
                                                            const std::string& folder) {
  datasets::ReferenceCollectionOptions options;
  options.builder.model_directory = model;
  options.builder.encoder = models.encoder;
  options.folder = folder;
  options.builder.with_parts = models.with_parts;
  return options;
}

absl::StatusOr<std::unique_ptr<const retrieval::BundleCollection>> OpenIndexedFor(
    const ModelOptions& models, const std::string& bundle) {
  return datasets::OpenIndexed(bundle, ReferenceCollectionFor(models, models.model, "").builder);
}

absl::StatusOr<IndexedPieces> ReadIndexed(const ModelOptions& models, const std::string& bundle,
                                          Progress& progress, metrics::Report& report) {
  IndexedPieces indexed;
  if (bundle.empty()) return indexed;
  ASSIGN_OR_RETURN(indexed.collection, OpenIndexedFor(models, bundle));
  ASSIGN_OR_RETURN(indexed.pieces, datasets::ReadPieces(*indexed.collection, progress));
  report.settings["bundle"] = datasets::ToText(indexed.pieces.count);
  return indexed;
}

absl::StatusOr<std::shared_ptr<const retrieval::BundleCollection>> OpenAsked(
    const IndexedPieces& indexed, const std::vector<datasets::CollectionEntry>& entries,
    const datasets::ReferenceCollectionOptions& options, Progress& progress) {
  if (indexed.collection != nullptr) return indexed.collection;
  return datasets::OpenReferenceCollection(entries, options, progress);
}

}  // namespace antiphon::trainer::evaluation
