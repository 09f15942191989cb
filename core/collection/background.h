// Music that is always there to compare with: a cohort of passages that belong to no collection,
// embedded by the model and kept with it. How well a query goes along with the best of them says
// how well it would go along with anything, so that an answer means the same among three pieces as
// among ten thousand (cohort normalisation of scores, as in speaker verification: Rosenberg et al.
// 1992; Auckenthaler, Carey and Lloyd-Thomas 2000).
//
// Immutable once made; safe from any thread.
#ifndef ANTIPHON_CORE_COLLECTION_BACKGROUND_H_
#define ANTIPHON_CORE_COLLECTION_BACKGROUND_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/catalog/catalog.h"
#include "core/collection/collection_view.h"
#include "core/index/vector_index.h"

namespace antiphon::collection {

class Background {
 public:
  // A passage: its runs, one for each tempo that it was read at, as CollectionView::ReadRuns gives
  // them. run.source and run.first_vector do not matter.
  using Passage = std::vector<CollectionView::SourceRun>;

  // InvalidArgument unless every run has a window, a positive hop, length and tempo ratio, and
  // `dimension` floats for each window.
  [[nodiscard]] static absl::StatusOr<std::shared_ptr<const Background>> Make(
      std::string model_id, int dimension, std::vector<Passage> scores,
      std::vector<Passage> recordings);

  // Reads what ToBytes wrote. Untrusted input: DataLoss says what is wrong.
  [[nodiscard]] static absl::StatusOr<std::shared_ptr<const Background>> Parse(
      std::string_view bytes);

  // A header in JSON, and vectors of one byte a value: cosines come out within 0.01 of what they
  // were. docs/formats.md describes it.
  std::string ToBytes() const;

  const std::string& model_id() const { return model_id_; }
  int dimension() const { return dimension_; }
  bool empty(catalog::Side side) const { return passages(side).empty(); }

  // By Found::position.source.
  const std::vector<Passage>& passages(catalog::Side side) const;

  // As CollectionView, over all passages of a side. Requires that there are any.
  [[nodiscard]] absl::StatusOr<std::vector<CollectionView::Found>> Search(
      catalog::Side side, std::span<const float> queries, int k) const;

 private:
  // One side: its passages, and the same vectors where they can be searched.
  struct Part {
    std::vector<Passage> passages;
    std::vector<catalog::SnippetRun> runs;  // by first_vector
    std::unique_ptr<const index::VectorIndex> index;
  };

  Background() = default;
  static absl::StatusOr<Part> MakePart(std::vector<Passage> passages, int dimension);
  const Part& part(catalog::Side side) const;

  std::string model_id_;
  int dimension_ = 0;
  Part scores_, recordings_;
};

}  // namespace antiphon::collection

#endif  // ANTIPHON_CORE_COLLECTION_BACKGROUND_H_
