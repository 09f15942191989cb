// A collection embedded anew, for another model or other hops, from the scores and the sound that
// its bundle keeps. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_EDITING_REINDEXING_H_
#define ANTIPHON_CORE_EDITING_REINDEXING_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/collection/bundle_from_sources.h"
#include "core/index/vector_index.h"

namespace antiphon::editing {

struct ReindexOptions {
  std::string model_directory;  // holds audio_encoder.pt, score_encoder.pt and what comes with them
  std::string output;           // another bundle, which must not exist; empty: the same one
  encoder::EncoderOptions encoder;
  // What is not given stays as it is in the bundle.
  std::optional<index::IndexKind> kind;
  std::optional<std::vector<double>> tempo_ratios;
  std::optional<double> score_hop_s, recording_hop_s;
  // As for MakeBundleFromSources.
  bool skip_failed = false;
  std::function<absl::Status()> keep_going;
  std::function<void(int64_t done, int64_t all)> progress;
};

struct Reindexed {
  collection::FromSources made;
  int64_t former_generation = 0;     // that was embedded anew
  std::vector<std::string> damaged;  // generations and changes that were not in it, one a line
};

// Embeds every source, edits included, with its metadata and its version, and publishes a
// generation of a new origin, of this bundle or of another. Changes go on to be numbered after
// those before. The former generations and their edits stay until a later merge: vectors of one
// model must not be mixed with those of another, so no edit belongs to both. Holds the bundle's
// lock throughout, unless it has no journal and another bundle is made. Fails as OpenOffline and
// MakeBundleFromSources do, or with AlreadyExists when `output` is a bundle.
[[nodiscard]] absl::StatusOr<Reindexed> ReindexBundle(const std::string& bundle_root,
                                                      const ReindexOptions& options);

}  // namespace antiphon::editing

#endif  // ANTIPHON_CORE_EDITING_REINDEXING_H_
