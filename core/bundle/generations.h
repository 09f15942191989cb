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

// The manifest of the generation in `folder`, once every file has proved to be there with its size
// and SHA-256.
[[nodiscard]] absl::StatusOr<Manifest> CheckGeneration(const std::string& folder,
                                                       int64_t generation);

}  // namespace antiphon::bundle

#endif  // ANTIPHON_CORE_BUNDLE_GENERATIONS_H_
