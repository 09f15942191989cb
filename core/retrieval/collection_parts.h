// What a collection is made of, and the check that the parts belong together. Internal to retrieval; tests put
// collections together from parts of their own.
#ifndef ANTIPHON_CORE_RETRIEVAL_COLLECTION_PARTS_H_
#define ANTIPHON_CORE_RETRIEVAL_COLLECTION_PARTS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/bundle/manifest.h"
#include "core/catalog/catalog.h"
#include "core/encoder/window_encoder.h"
#include "core/features/audio_front_end.h"
#include "core/index/vector_index.h"
#include "core/retrieval/collection.h"

namespace antiphon::retrieval {

struct CollectionParts {
  bundle::Manifest manifest;
  std::vector<std::string> rejected_generations;
  ConfidenceModel confidence;
  std::unique_ptr<const features::AudioFrontEnd> front_end;
  std::unique_ptr<encoder::WindowEncoder> audio_encoder;
  std::unique_ptr<encoder::WindowEncoder> score_encoder;
  std::unique_ptr<index::VectorIndex> score_index;
  std::unique_ptr<index::VectorIndex> recording_index;
  std::unique_ptr<catalog::Catalog> catalog;

  const index::VectorIndex& index(catalog::Side side) const {
    return side == catalog::Side::kScores ? *score_index : *recording_index;
  }
  const features::FeatureSettings& settings() const { return audio_encoder->info().settings; }
  // End of a source, seconds.
  double duration_s(catalog::Side side, int source) const;
};

// Model ids, dimensions, feature settings and counts agree between encoders, indexes, catalogue and manifest: DataLoss
// says which do not. Requires every part but the front end.
[[nodiscard]] absl::Status CheckParts(const CollectionParts& parts);

// Opens the current generation below `bundle_root`, checks the parts and encodes one window with each encoder.
[[nodiscard]] absl::StatusOr<std::unique_ptr<CollectionParts>> OpenParts(const std::string& bundle_root,
                                                                         const CollectionOptions& options);

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_COLLECTION_PARTS_H_
