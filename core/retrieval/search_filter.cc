#include "core/retrieval/search_filter.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace antiphon::retrieval {
namespace {

using catalog::Side;

// One list of a filter: an empty one lets everything pass.
class Allowed {
 public:
  explicit Allowed(const std::vector<std::string>& entries)
      : entries_(entries.begin(), entries.end()) {}
  bool Passes(const std::string& value) const {
    return entries_.empty() || entries_.contains(value);
  }

 private:
  std::unordered_set<std::string> entries_;
};

// The work of the piece that a recording is of; empty when there is no such piece.
std::string WorkOf(const collection::CollectionView& view, const catalog::Recording& recording) {
  const std::optional<int> piece = view.FindPiece(recording.piece_id);
  return piece.has_value() ? view.pieces()[*piece].work_id : "";
}

std::vector<std::string> InLowerCase(std::vector<std::string> texts) {
  for (std::string& text : texts) absl::AsciiStrToLower(&text);
  return texts;
}

}  // namespace

absl::Status CheckFilter(const matching::SearchFilter& filter) {
  return CheckRange("min_similarity", filter.min_similarity,
                    matching::SearchFilter::kMinSimilarityRange);
}

collection::ResolvedFilter Resolve(const collection::CollectionView& view, Side side,
                                   const matching::SearchFilter& filter) {
  collection::ResolvedFilter resolved{.sources = {}, .exact = filter.exact};
  if (filter.sources.empty()) return resolved;
  const Allowed composers(InLowerCase(filter.sources.composers));
  const Allowed collections(filter.sources.collections), piece_ids(filter.sources.piece_ids);
  const Allowed work_ids(filter.sources.work_ids);
  const bool any_composer = filter.sources.composers.empty();
  std::vector<bool>& passes = resolved.sources.emplace();
  const auto add = [&](const auto& source, const std::string& piece_id,
                       const std::string& work_id) {
    passes.push_back(collections.Passes(source.collection) && piece_ids.Passes(piece_id) &&
                     work_ids.Passes(work_id) &&
                     (any_composer || composers.Passes(absl::AsciiStrToLower(source.composer))));
  };
  if (side == Side::kScores) {
    for (const catalog::Piece& piece : view.pieces()) add(piece, piece.id, piece.work_id);
  } else {
    const bool any_work = filter.sources.work_ids.empty();
    for (const catalog::Recording& recording : view.recordings())
      add(recording, recording.piece_id, any_work ? "" : WorkOf(view, recording));
  }
  return resolved;
}

absl::StatusOr<matching::Span> PartOf(const matching::QueryExcerpt& excerpt, double duration_s) {
  const double start_s = excerpt.start_s, end_s = excerpt.end_s.value_or(duration_s);
  switch (matching::FaultOf(excerpt, duration_s)) {
    case matching::ExcerptFault::kStart:
      return absl::InvalidArgumentError(absl::StrCat(
          "excerpt start must be from 0 to the query's end at ", duration_s, " s, is ", start_s));
    case matching::ExcerptFault::kEnd:
      return absl::InvalidArgumentError(
          absl::StrCat("excerpt end must be after its start at ", start_s, " s, is ", end_s));
    case matching::ExcerptFault::kNone:
      break;
  }
  return matching::Span{start_s, std::min(end_s, duration_s)};
}

}  // namespace antiphon::retrieval
