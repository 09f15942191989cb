// The generations below a root: which there are, which is in force, whether one is as it was
// published. Free of state. Internal to core/bundle.
#ifndef ANTIPHON_CORE_BUNDLE_GENERATIONS_H_
#define ANTIPHON_CORE_BUNDLE_GENERATIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/bundle/manifest.h"

namespace antiphon::bundle {

// Generations that have a folder, the newest first.
std::vector<int64_t> ListGenerations(const std::string& root);

// The manifest in `folder`, which must be of that generation.
[[nodiscard]] absl::StatusOr<Manifest> ReadManifest(const std::string& folder, int64_t generation);

// Every file of the manifest is in `folder`, with its size and SHA-256.
[[nodiscard]] absl::Status CheckFiles(const std::string& folder, const Manifest& manifest);

// Both: the manifest of a generation that is as it was published.
[[nodiscard]] absl::StatusOr<Manifest> CheckGeneration(const std::string& folder,
                                                       int64_t generation);

}  // namespace antiphon::bundle

#endif  // ANTIPHON_CORE_BUNDLE_GENERATIONS_H_
