// What can be found at one moment: what a generation of a bundle holds (the base), what has been
// added to it since, and without what has been taken away from it since.
//
// Immutable, and safe from any thread: an edit makes new contents that share everything unchanged
// with the old, so that a search goes on undisturbed in the contents it began with. Vectors of the
// base stay in its index, those of additions lie beside it and are searched exactly; a merge
// (collection_store.h) makes a new base of both.
#ifndef ANTIPHON_CORE_COLLECTION_COLLECTION_VIEW_H_
#define ANTIPHON_CORE_COLLECTION_COLLECTION_VIEW_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/check_range.h"
#include "core/catalog/catalog.h"
#include "core/catalog/source_record.h"
#include "core/index/vector_index.h"

namespace antiphon::collection {

// Piece or recording and runs are as a catalogue asks (core/catalog/checks.h); vectors are finite,
// and as many as the runs say. InvalidArgument says what is not.
[[nodiscard]] absl::Status CheckRecord(const catalog::SourceRecord& record, int dimension);

// What an edit does: puts a source in the place of the one with its id, if any, or takes one away.
struct Edit {
  catalog::Side side = catalog::Side::kScores;
  std::string id;
  std::shared_ptr<const catalog::SourceRecord>
      put;  // of this side and id, CheckRecord; null: take it away
};

// Which sources of one side may be found; see CollectionView::Search.
struct ResolvedFilter {
  std::optional<std::vector<bool>> sources = {};  // by position; none: all
  bool exact = false;                             // compare every vector, whatever the index
};

// Which runs of a source are read: all, or those of one part (or of the whole, catalog::kWhole),
// and of tempi within a range.
struct RunFilter {
  std::optional<int> part = {};
  Range<double> tempo_ratios = {0, std::numeric_limits<double>::infinity()};

  bool Passes(const catalog::SnippetRun& run) const {
    return run.part == part.value_or(run.part) && tempo_ratios.Contains(run.tempo_ratio);
  }
};

class CollectionView {
 public:
  // Each index must hold as many vectors as the catalogue says.
  static std::shared_ptr<const CollectionView> FromBase(
      std::shared_ptr<const catalog::Catalog> catalog,
      std::shared_ptr<const index::VectorIndex> score_index,
      std::shared_ptr<const index::VectorIndex> recording_index);

  // These contents after the edits, in their order. Taking away what is not there changes nothing.
  // Positions of sources are those of the new contents: they change with every edit. What is put
  // comes last, also in the place of another. Takes time by the number of sources and of edits,
  // whatever their size.
  std::shared_ptr<const CollectionView> With(std::span<const Edit> edits) const;

  // Sources that are there, those of the base first; a position is the place in these lists.
  const std::vector<catalog::Piece>& pieces() const;
  const std::vector<catalog::Recording>& recordings() const;
  int64_t source_count(catalog::Side side) const;
  double duration_s(catalog::Side side, int source) const;  // end of a source, seconds

  std::optional<int> FindPiece(std::string_view id) const;
  std::optional<int> FindRecording(std::string_view id) const;

  // As catalog::Catalog.
  [[nodiscard]] absl::StatusOr<std::string> ReadMidi(int piece) const;
  [[nodiscard]] absl::StatusOr<std::string> ReadAudio(int recording) const;

  // Vectors that can be found; how many of them lie beside the base; how many of the base can't be
  // found any more.
  int64_t vector_count(catalog::Side side) const;
  int64_t added_vectors(catalog::Side side) const;
  int64_t removed_vectors(catalog::Side side) const;
  index::IndexKind index_kind(catalog::Side side) const;

  // The base as it was opened, whatever has been edited since.
  const catalog::Catalog& base_catalog() const;
  const index::VectorIndex& base_index(catalog::Side side) const;

  // A run of adjoining windows of a source, with its vectors, [run.count, dimension].
  // run.first_vector counts from 0 within the source, run.source is its position.
  struct SourceRun {
    catalog::SnippetRun run;
    std::vector<float> vectors;
  };
  // A source's runs, in the order they were indexed. Requires a valid position. Fails as the index
  // does.
  [[nodiscard]] absl::StatusOr<std::vector<SourceRun>> ReadRuns(catalog::Side side, int source,
                                                                const RunFilter& filter = {}) const;

  // A vector found for one of the queries.
  struct Found {
    int query = 0;  // row of `queries`
    catalog::SnippetPosition position;
    float similarity = 0;
  };
  // The k most similar vectors in scope for each of the queries, [q, dimension]; by query, best
  // first, equal ones in the order they were indexed. scope.sources, if any, must have
  // source_count(side) entries. Fails as VectorIndex::Search does.
  [[nodiscard]] absl::StatusOr<std::vector<Found>> Search(catalog::Side side,
                                                          std::span<const float> queries, int k,
                                                          const ResolvedFilter& scope = {}) const;

  ~CollectionView();

 private:
  struct Impl;
  explicit CollectionView(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::collection

#endif  // ANTIPHON_CORE_COLLECTION_COLLECTION_VIEW_H_
