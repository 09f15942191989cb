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

// A plain file of that name is in `folder`, and has that size. The second reads all of it: it has
// that SHA-256, too.
[[nodiscard]] absl::Status CheckSize(const std::string& folder, const FileEntry& entry);
[[nodiscard]] absl::Status CheckFile(const std::string& folder, const FileEntry& entry);

// The manifest of a generation that is as it was published: all files pass.
[[nodiscard]] absl::StatusOr<Manifest> CheckGeneration(const std::string& folder,
                                                       int64_t generation);

}  // namespace antiphon::bundle

#endif  // ANTIPHON_CORE_BUNDLE_GENERATIONS_H_
