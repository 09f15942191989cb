// A bundle made of sources that exist already, in their order and with their metadata and versions:
// of those of another bundle, or of a folder of files. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_COLLECTION_BUNDLE_FROM_SOURCES_H_
#define ANTIPHON_CORE_COLLECTION_BUNDLE_FROM_SOURCES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/catalog/source_record.h"
#include "core/collection/bundle_builder.h"

namespace antiphon::collection {

// Read one by one, so that no more than one is in memory.
struct SourceList {
  int64_t pieces = 0;
  int64_t recordings = 0;
  // Of a side, by position: side, metadata and content; runs and vectors are not used. Damage and
  // other failures end the work.
  std::function<absl::StatusOr<catalog::SourceRecord>(catalog::Side side, int64_t position)> read;
};

struct FromSourcesOptions {
  BuilderOptions builder;
  int64_t last_change = 0;  // no version of a source is above it
  // Leave out what the model can't embed, instead of failing with a list of it. Recordings of a
  // piece that is left out are of no piece then.
  bool skip_failed = false;
  std::function<absl::Status()> keep_going;  // asked before each source; may be empty
  std::function<void(int64_t done, int64_t all)> progress;  // after each source; may be empty
  // Asked once nobody else can publish below the root, before anything is read; may be empty.
  std::function<absl::Status()> once_locked;
};

struct FromSources {
  bundle::Manifest manifest;
  std::vector<std::string> left_out;  // "piece ID: reason"
  std::vector<std::string> warnings;  // "recording ID: …"
};

// Publishes a generation of a new origin below `bundle_root`, once it has been opened and found
// whole. FailedPrecondition, with a line for each, where sources can't be embedded. Otherwise fails
// as BundleBuilder, `read` and the callbacks do. A failure publishes nothing, and a root that it
// made is removed again.
[[nodiscard]] absl::StatusOr<FromSources> MakeBundleFromSources(const std::string& bundle_root,
                                                                const SourceList& sources,
                                                                const FromSourcesOptions& options);

// Whether a failure to embed is the source's, and others may do: not that of an encoder or a disk.
bool IsOfTheSource(const absl::Status& failure);

}  // namespace antiphon::collection

#endif  // ANTIPHON_CORE_COLLECTION_BUNDLE_FROM_SOURCES_H_
