// Generations made from others: what serves, additions included, written as files; files taken over
// unchanged. Internal to core/collection and core/editing; stateless, safe from any thread.
#ifndef ANTIPHON_CORE_COLLECTION_GENERATION_WRITER_H_
#define ANTIPHON_CORE_COLLECTION_GENERATION_WRITER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/bundle/bundle.h"
#include "core/collection/loaded_collection.h"
#include "core/index/vector_index.h"

namespace antiphon::collection {

// Writes encoders, confidence, catalogue and indexes of the parts into `directory`; nothing is
// embedded anew. The base of their contents lies in `base_directory`. `options` are the indexes'
// build settings; their kind and dimension come from the parts, and no device is used. Returns
// their manifest with the counts of what was written. `keep_going` is asked before each source.
// DataLoss when a file of the base is not any more what it was when it was opened.
[[nodiscard]] absl::StatusOr<bundle::Manifest> WriteGeneration(
    const LoadedCollection& loaded, const std::string& base_directory, const std::string& directory,
    index::IndexOptions options, const std::function<absl::Status()>& keep_going);

// Copies all files that the manifest lists.
[[nodiscard]] absl::Status CopyFiles(const bundle::Manifest& manifest, const std::string& from,
                                     const std::string& to);

// DataLoss unless the files that WriteGeneration copies, or with `all` every file, have the same
// contents in both.
[[nodiscard]] absl::Status CheckCopies(const bundle::Manifest& original,
                                       const bundle::Manifest& copy, bool all);

// Bytes of the files that opening the generation reads into memory. The catalogue is not among
// them: of it only the metadata is kept.
int64_t LoadedBytes(const bundle::Manifest& manifest);

// Bytes of memory that can still be had, by the kernel's reckoning and by the limit of the control
// group; nothing where neither is told. `proc` and `cgroup` are the folders of those file systems.
std::optional<int64_t> AvailableMemory(const std::string& proc = "/proc",
                                       const std::string& cgroup = "/sys/fs/cgroup");

}  // namespace antiphon::collection

#endif  // ANTIPHON_CORE_COLLECTION_GENERATION_WRITER_H_
