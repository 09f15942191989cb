#include "core/collection/collection_view.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/catalog/checks.h"
#include "core/collection/side_view.h"

namespace antiphon::collection {
namespace {

using catalog::Side;

}  // namespace

// Everything that SideView relies on without checking. A record from the journal is input like any
// other: the journal knows neither the model nor its dimension.
absl::Status CheckRecord(const catalog::SourceRecord& record, int dimension) {
  RETURN_IF_ERROR(record.side == Side::kScores ? catalog::CheckPiece(record.piece)
                                               : catalog::CheckRecording(record.recording));
  int64_t vectors = 0;
  for (catalog::SnippetRun run : record.runs) {
    run.source = 0;  // the record is the only source there is
    RETURN_IF_ERROR(catalog::CheckRun(run, vectors, 1));
    vectors += run.count;
  }
  // By division: the product of hostile counts may wrap.
  if (record.vectors.size() % dimension != 0 ||
      static_cast<int64_t>(record.vectors.size()) / dimension != vectors) {
    return absl::InvalidArgumentError(absl::StrCat("vectors: ", record.vectors.size(),
                                                   " floats are not ", vectors, " of ", dimension));
  }
  if (!std::all_of(record.vectors.begin(), record.vectors.end(),
                   [](float value) { return std::isfinite(value); })) {
    return absl::InvalidArgumentError("vectors: one is not finite");
  }
  return absl::OkStatus();
}

// Two sides that know nothing of each other. An edit of one side leaves the other as it is, so a
// view made from another shares at least one side with it.
struct CollectionView::Impl {
  std::shared_ptr<const SideView> scores;
  std::shared_ptr<const SideView> recordings;

  const SideView& side(Side side) const { return side == Side::kScores ? *scores : *recordings; }
};

CollectionView::CollectionView(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CollectionView::~CollectionView() = default;

std::shared_ptr<const CollectionView> CollectionView::FromBase(
    std::shared_ptr<const catalog::Catalog> catalog,
    std::shared_ptr<const index::VectorIndex> score_index,
    std::shared_ptr<const index::VectorIndex> recording_index) {
  auto impl = std::make_unique<Impl>();
  impl->scores = std::make_shared<const SideView>(
      BaseSide::Make(Side::kScores, catalog, std::move(score_index)));
  impl->recordings = std::make_shared<const SideView>(
      BaseSide::Make(Side::kRecordings, std::move(catalog), std::move(recording_index)));
  return std::shared_ptr<const CollectionView>(new CollectionView(std::move(impl)));
}

std::shared_ptr<const CollectionView> CollectionView::With(std::span<const Edit> edits) const {
  // Splitting keeps the order within each side, which is all that matters: an edit's id is only
  // looked up on its own side.
  std::vector<const Edit*> scores, recordings;
  for (const Edit& edit : edits)
    (edit.side == Side::kScores ? scores : recordings).push_back(&edit);
  auto impl = std::make_unique<Impl>(*impl_);
  if (!scores.empty()) impl->scores = impl_->scores->With(scores);
  if (!recordings.empty()) impl->recordings = impl_->recordings->With(recordings);
  return std::shared_ptr<const CollectionView>(new CollectionView(std::move(impl)));
}

const std::vector<catalog::Piece>& CollectionView::pieces() const {
  return impl_->scores->pieces();
}
const std::vector<catalog::Recording>& CollectionView::recordings() const {
  return impl_->recordings->recordings();
}
int64_t CollectionView::source_count(Side side) const { return impl_->side(side).source_count(); }

double CollectionView::duration_s(Side side, int source) const {
  return side == Side::kScores ? pieces()[source].duration_s : recordings()[source].duration_s;
}

std::optional<int> CollectionView::FindPiece(std::string_view id) const {
  return impl_->scores->Find(id);
}
std::optional<int> CollectionView::FindRecording(std::string_view id) const {
  return impl_->recordings->Find(id);
}

absl::StatusOr<std::string> CollectionView::ReadMidi(int piece) const {
  return impl_->scores->ReadContent(piece);
}
absl::StatusOr<std::string> CollectionView::ReadAudio(int recording) const {
  return impl_->recordings->ReadContent(recording);
}

int64_t CollectionView::vector_count(Side side) const {
  return impl_->side(side).base_vectors() + impl_->side(side).added_vectors();
}
int64_t CollectionView::added_vectors(Side side) const { return impl_->side(side).added_vectors(); }
int64_t CollectionView::removed_vectors(Side side) const {
  return base_index(side).size() - impl_->side(side).base_vectors();
}
index::IndexKind CollectionView::index_kind(Side side) const { return base_index(side).kind(); }

// Both sides were made from the same catalogue.
const catalog::Catalog& CollectionView::base_catalog() const {
  return *impl_->scores->base().catalog;
}
const index::VectorIndex& CollectionView::base_index(Side side) const {
  return *impl_->side(side).base().index;
}

absl::StatusOr<std::vector<CollectionView::SourceRun>> CollectionView::ReadRuns(
    Side side, int source, const RunFilter& filter) const {
  return impl_->side(side).ReadRuns(source, filter);
}

absl::StatusOr<std::vector<CollectionView::Found>> CollectionView::Search(
    Side side, std::span<const float> queries, int k, const ResolvedFilter& scope) const {
  return impl_->side(side).Search(queries, k, scope);
}

}  // namespace antiphon::collection
