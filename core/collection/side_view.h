// One side of CollectionView: the scores, or the recordings. Internal to core/collection.
//
// Immutable, and safe from any thread; shares the base and the added records with those it was made
// from.
#ifndef ANTIPHON_CORE_COLLECTION_SIDE_VIEW_H_
#define ANTIPHON_CORE_COLLECTION_SIDE_VIEW_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "core/catalog/catalog.h"
#include "core/collection/collection_view.h"
#include "core/index/vector_index.h"

namespace antiphon::collection {

// What a generation holds of one side.
struct BaseSide {
  catalog::Side side;
  std::shared_ptr<const catalog::Catalog> catalog;
  std::shared_ptr<const index::VectorIndex> index;
  std::vector<int> runs;       // of the catalogue, by source and in order
  std::vector<int> first_run;  // [source], in `runs`; and the end of the last

  static std::shared_ptr<const BaseSide> Make(catalog::Side side,
                                              std::shared_ptr<const catalog::Catalog> catalog,
                                              std::shared_ptr<const index::VectorIndex> index);

  int source_count() const { return static_cast<int>(first_run.size()) - 1; }
  std::optional<int> Find(std::string_view id) const;
  std::span<const int> RunsOf(int source) const {
    return std::span(runs).subspan(first_run[source], first_run[source + 1] - first_run[source]);
  }
};

class SideView {
 public:
  // All of the base, and nothing else.
  explicit SideView(std::shared_ptr<const BaseSide> base);

  // After the edits, which are of this side.
  std::shared_ptr<const SideView> With(std::span<const Edit* const> edits) const;

  // Of its own side.
  const std::vector<catalog::Piece>& pieces() const { return *pieces_; }
  const std::vector<catalog::Recording>& recordings() const { return *recordings_; }
  const BaseSide& base() const { return *base_; }

  int64_t source_count() const {
    return static_cast<int64_t>(base_sources_.size() + added_.size());
  }
  int64_t base_vectors() const { return index::CountRows(rows_); }  // that can be found
  int64_t added_vectors() const { return added_vectors_; }
  std::optional<int> Find(std::string_view id) const;

  // As CollectionView.
  [[nodiscard]] absl::StatusOr<std::string> ReadContent(int source) const;
  [[nodiscard]] absl::StatusOr<std::vector<CollectionView::SourceRun>> ReadRuns(
      int source, const RunFilter& filter) const;
  [[nodiscard]] absl::StatusOr<std::vector<CollectionView::Found>> Search(
      std::span<const float> queries, int k, const ResolvedFilter& scope) const;

 private:
  using Record = std::shared_ptr<const catalog::SourceRecord>;

  // A record that is searched, and the id of its first vector.
  struct AddedBlock {
    int source;
    int64_t first_id;
  };

  SideView(std::shared_ptr<const BaseSide> base, std::vector<int> base_sources,
           std::vector<Record> added);

  const catalog::SourceRecord* RecordAt(int source) const;  // null for a source of the base
  void ListSources();
  void FindRows();
  std::vector<index::RowRange> RowsThatPass(const std::vector<bool>& sources) const;
  std::vector<AddedBlock> BlocksThatPass(const ResolvedFilter& scope) const;
  absl::StatusOr<catalog::SnippetPosition> Locate(int64_t id,
                                                  std::span<const AddedBlock> blocks) const;

  std::shared_ptr<const BaseSide> base_;
  // The base's sources that are left, rising. They have the first positions.
  std::vector<int> base_sources_;
  std::vector<int> position_of_;  // of each of the base's sources; -1 where it has been taken away
  std::vector<Record> added_;     // the positions that follow
  std::unordered_map<std::string_view, int> added_position_;  // by the records' ids
  std::vector<index::RowRange> rows_;  // of the base's index that can be found
  int64_t added_vectors_ = 0;
  std::shared_ptr<const std::vector<catalog::Piece>> pieces_;  // one of the two is empty
  std::shared_ptr<const std::vector<catalog::Recording>> recordings_;
};

}  // namespace antiphon::collection

#endif  // ANTIPHON_CORE_COLLECTION_SIDE_VIEW_H_
