// What a collection is made of, and the check that the parts belong together. Internal to
// core/collection, core/editing and core/retrieval; tests put collections together from parts of
// their own.
#ifndef ANTIPHON_CORE_COLLECTION_LOADED_COLLECTION_H_
#define ANTIPHON_CORE_COLLECTION_LOADED_COLLECTION_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/bundle/bundle.h"
#include "core/collection/background.h"
#include "core/collection/collection_view.h"
#include "core/collection/score_cache.h"
#include "core/encoder/window_encoder.h"
#include "core/features/audio_front_end.h"
#include "core/index/vector_index.h"
#include "core/matching/confidence.h"

namespace antiphon::collection {

struct CollectionOptions {
  encoder::EncoderOptions encoder;
  // Search settings, device and threads. Kind and dimension come from the bundle.
  index::IndexOptions index;
  // Wraps each encoder once loaded, for instance to batch across requests; empty leaves it as it
  // is.
  std::function<std::unique_ptr<encoder::WindowEncoder>(std::unique_ptr<encoder::WindowEncoder>)>
      wrap_encoder;
  // Keeps parsed scores, for all collections opened with it; null: each is parsed when it is read.
  std::shared_ptr<ScoreCache> scores;
};

// Parts are shared: copies of these, with other contents, are collections of their own.
struct LoadedCollection {
  bundle::Manifest manifest;  // of the generation that is the contents' base
  std::vector<std::string> rejected_generations;
  matching::ConfidenceModel confidence;
  std::shared_ptr<const Background> background;  // null where the model came with none
  std::shared_ptr<const features::AudioFrontEnd> front_end;
  std::shared_ptr<const encoder::WindowEncoder> audio_encoder;
  std::shared_ptr<const encoder::WindowEncoder> score_encoder;
  std::shared_ptr<const CollectionView> view;
  std::shared_ptr<ScoreCache> scores;  // of the options; may be null

  const features::FeatureSettings& settings() const { return audio_encoder->info().settings; }
};

// Model ids, dimensions, feature settings and counts agree between encoders, the contents' base,
// the background and manifest: DataLoss says which do not. Requires every part but the front end.
[[nodiscard]] absl::Status CheckParts(const LoadedCollection& loaded);

// Opens a generation, checks the parts and encodes one window with each encoder. Encoders whose
// files are those of `other`, if any, are shared with it and not loaded again. DataLoss when a file
// is missing; messages name files by their last component only.
[[nodiscard]] absl::StatusOr<std::unique_ptr<LoadedCollection>> OpenGeneration(
    const bundle::OpenedBundle& generation, const CollectionOptions& options,
    const LoadedCollection* other = nullptr);

// Reads from a folder, a generation's or a model's, by what an answer is judged: confidence model
// and background. Where a file is missing there is the default, or none. DataLoss for damage.
[[nodiscard]] absl::Status ReadJudgement(const std::string& folder, LoadedCollection& loaded);

struct OpenedCollection {
  bundle::OpenedBundle bundle;
  std::unique_ptr<LoadedCollection> loaded;
};

// OpenBundle of `bundle_root`, and OpenGeneration while its indexes are checked.
[[nodiscard]] absl::StatusOr<OpenedCollection> OpenCollection(const std::string& bundle_root,
                                                              const CollectionOptions& options);

}  // namespace antiphon::collection

#endif  // ANTIPHON_CORE_COLLECTION_LOADED_COLLECTION_H_
