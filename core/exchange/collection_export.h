// A collection written as a folder of files: scores and recordings as they were given, their
// metadata as tables, and a manifest from which ImportCollection makes the same collection again.
// Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_EXCHANGE_COLLECTION_EXPORT_H_
#define ANTIPHON_CORE_EXCHANGE_COLLECTION_EXPORT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace antiphon::exchange {

struct ExportOptions {
  std::function<absl::Status()> keep_going;  // asked before each source; may be empty
  std::function<void(int64_t done, int64_t all)> progress;  // after each source; may be empty
};

struct Exported {
  int64_t generation = 0;  // of the bundle; edits in its journal are exported too
  int64_t pieces = 0, recordings = 0;
  int64_t bytes = 0;                  // of scores and recordings
  std::vector<std::string> left_out;  // damaged generations and changes, one a line
};

// `folder` must not exist (AlreadyExists), its parent must (NotFound); it appears there whole and
// durable, or not at all. One source at a time is in memory. Fails as OpenOffline does.
[[nodiscard]] absl::StatusOr<Exported> ExportCollection(const std::string& bundle_root,
                                                        const std::string& folder,
                                                        const ExportOptions& options = {});

}  // namespace antiphon::exchange

#endif  // ANTIPHON_CORE_EXCHANGE_COLLECTION_EXPORT_H_
