// Catalogue and indexes as files of a generation, written source by source. Internal to
// core/collection and core/editing.
#ifndef ANTIPHON_CORE_COLLECTION_COLLECTION_FILES_H_
#define ANTIPHON_CORE_COLLECTION_COLLECTION_FILES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/bundle/manifest.h"
#include "core/catalog/catalog.h"
#include "core/collection/collection_view.h"
#include "core/index/vector_index.h"

namespace antiphon::collection {

// Belongs to one thread. Holds all vectors until they are written.
class CollectionFiles {
 public:
  // Begins a catalogue in `directory`. `options` gives the kind of the indexes, their build
  // settings and the dimension.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<CollectionFiles>> Create(
      const std::string& directory, const index::IndexOptions& options);

  // Puts a source behind those of its side; AlreadyExists on a repeated id. Requires CheckRecord.
  [[nodiscard]] absl::Status Add(const catalog::SourceRecord& record);

  // Writes the files, and into `manifest` how much there is of what. No other call may follow.
  [[nodiscard]] absl::Status Finish(bundle::Manifest& manifest);

 private:
  struct SideVectors {
    std::vector<float> vectors;  // [n, dimension]
    int64_t sources = 0;
  };

  CollectionFiles(std::string directory, index::IndexOptions options,
                  std::unique_ptr<catalog::CatalogWriter> writer);

  // Builds the index and forgets the vectors; returns how many there were.
  absl::StatusOr<int64_t> WriteIndex(SideVectors& side, const char* name) const;

  const std::string directory_;
  const index::IndexOptions options_;
  const std::unique_ptr<catalog::CatalogWriter> writer_;
  SideVectors scores_;
  SideVectors recordings_;
};

// A source as the contents hold it. Requires a valid position; fails as ReadMidi, ReadAudio and
// ReadRuns do.
[[nodiscard]] absl::StatusOr<catalog::SourceRecord> ReadSource(const CollectionView& view,
                                                               catalog::Side side, int source);

}  // namespace antiphon::collection

#endif  // ANTIPHON_CORE_COLLECTION_COLLECTION_FILES_H_
