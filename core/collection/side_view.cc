// Numbers used here. A *source* of the base is its position in the catalogue, which never changes.
// A *position* is the place in the lists of this view: first the sources of the base that are left,
// then the added records. A *row* is the number of a vector in the base's index; the *id* of a
// vector is its row, or, for an added record, a number from the index's size on that is given out
// anew for every search.
#include "core/collection/side_view.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/base/status_macros.h"

namespace antiphon::collection {
namespace {

using catalog::Side;
using catalog::SnippetPosition;
using catalog::SnippetRun;
using index::RowRange;

// CheckRecord has made sure that runs follow one another without gaps from 0 on.
int64_t VectorsOf(const catalog::SourceRecord& record) {
  return record.runs.empty() ? 0 : record.runs.back().first_vector + record.runs.back().count;
}

// The ranges in order, adjoining ones joined. Sources are indexed one after another, so the rows of
// neighbours adjoin: a filter that passes most sources leaves few ranges, and a search takes time
// by their number. Ranges of sources in the order of the catalogue are sorted already.
std::vector<RowRange> Joined(std::vector<RowRange> ranges) {
  const auto before = [](const RowRange& a, const RowRange& b) { return a.first < b.first; };
  if (!std::is_sorted(ranges.begin(), ranges.end(), before))
    std::sort(ranges.begin(), ranges.end(), before);
  std::vector<RowRange> joined;
  for (const RowRange& range : ranges) {
    if (joined.empty() || joined.back().last != range.first) {
      joined.push_back(range);
    } else {
      joined.back().last = range.last;
    }
  }
  return joined;
}

// The list of a view's sources. Where nothing was edited it is the catalogue's own list, kept alive
// by `owner`: opening a collection of a million pieces then copies none of them.
template <typename Source>
std::shared_ptr<const std::vector<Source>> ListOf(
    const std::shared_ptr<const catalog::Catalog>& owner, const std::vector<Source>& all,
    const std::vector<int>& base_sources,
    const std::vector<std::shared_ptr<const catalog::SourceRecord>>& added,
    Source catalog::SourceRecord::*member) {
  if (added.empty() && base_sources.size() == all.size()) return {owner, &all};
  auto list = std::make_shared<std::vector<Source>>();
  list->reserve(base_sources.size() + added.size());
  for (const int source : base_sources) list->push_back(all[source]);
  for (const auto& record : added) list->push_back((*record).*member);
  return list;
}

}  // namespace

std::shared_ptr<const BaseSide> BaseSide::Make(Side side,
                                               std::shared_ptr<const catalog::Catalog> catalog,
                                               std::shared_ptr<const index::VectorIndex> index) {
  auto base = std::make_shared<BaseSide>();
  base->side = side;
  const std::vector<SnippetRun>& runs = catalog->runs(side);
  const size_t sources =
      side == Side::kScores ? catalog->pieces().size() : catalog->recordings().size();
  // A counting sort: runs by source, in the order of their vectors within each.
  base->first_run.assign(sources + 1, 0);
  for (const SnippetRun& run : runs) ++base->first_run[run.source + 1];
  std::partial_sum(base->first_run.begin(), base->first_run.end(), base->first_run.begin());
  base->runs.resize(runs.size());
  std::vector<int> next = base->first_run;
  for (size_t i = 0; i < runs.size(); ++i) base->runs[next[runs[i].source]++] = static_cast<int>(i);
  base->catalog = std::move(catalog);
  base->index = std::move(index);
  return base;
}

std::optional<int> BaseSide::Find(std::string_view id) const {
  return side == Side::kScores ? catalog->FindPiece(id) : catalog->FindRecording(id);
}

SideView::SideView(std::shared_ptr<const BaseSide> base) : base_(std::move(base)) {
  base_sources_.resize(base_->source_count());
  std::iota(base_sources_.begin(), base_sources_.end(), 0);
  position_of_ = base_sources_;
  ListSources();
  FindRows();
}

SideView::SideView(std::shared_ptr<const BaseSide> base, std::vector<int> base_sources,
                   std::vector<Record> added)
    : base_(std::move(base)), base_sources_(std::move(base_sources)), added_(std::move(added)) {
  position_of_.assign(base_->source_count(), -1);
  for (size_t i = 0; i < base_sources_.size(); ++i)
    position_of_[base_sources_[i]] = static_cast<int>(i);
  added_position_.reserve(added_.size());
  for (size_t i = 0; i < added_.size(); ++i) {
    added_position_[added_[i]->id()] = static_cast<int>(base_sources_.size() + i);
    added_vectors_ += VectorsOf(*added_[i]);
  }
  ListSources();
  FindRows();
}

void SideView::ListSources() {
  const catalog::Catalog& catalog = *base_->catalog;
  if (base_->side == Side::kScores) {
    pieces_ = ListOf(base_->catalog, catalog.pieces(), base_sources_, added_,
                     &catalog::SourceRecord::piece);
  } else {
    recordings_ = ListOf(base_->catalog, catalog.recordings(), base_sources_, added_,
                         &catalog::SourceRecord::recording);
  }
}

// Everything but the rows of what has been taken away.
void SideView::FindRows() {
  const std::vector<SnippetRun>& runs = base_->catalog->runs(base_->side);
  std::vector<RowRange> removed;
  for (int source = 0; source < base_->source_count(); ++source) {
    if (position_of_[source] >= 0) continue;
    for (const int run : base_->RunsOf(source)) {
      removed.push_back({runs[run].first_vector, runs[run].first_vector + runs[run].count});
    }
  }
  int64_t end = 0;
  for (const RowRange& range : Joined(std::move(removed))) {
    if (range.first > end) rows_.push_back({end, range.first});
    end = range.last;
  }
  if (end < base_->index->size()) rows_.push_back({end, base_->index->size()});
}

std::shared_ptr<const SideView> SideView::With(std::span<const Edit* const> edits) const {
  std::vector<bool> kept(base_->source_count(), false);
  for (const int source : base_sources_) kept[source] = true;
  std::vector<Record> added = added_;
  std::unordered_map<std::string_view, size_t> place;  // in `added`; the ids are the records'
  for (size_t i = 0; i < added.size(); ++i) place[added[i]->id()] = i;
  for (const Edit* edit : edits) {
    // Whether it puts or takes away, what had the id goes. What is put comes last, even in the
    // place of a source of the base, so base sources keep their order and their rows.
    if (const std::optional<int> source = base_->Find(edit->id); source.has_value())
      kept[*source] = false;
    if (const auto it = place.find(edit->id); it != place.end()) {
      const size_t at = it->second;
      place.erase(it);      // before the record that its key lies in
      added[at] = nullptr;  // erased at the end: the places of the others must not move now
    }
    if (edit->put == nullptr) continue;
    added.push_back(edit->put);
    place[edit->put->id()] = added.size() - 1;
  }
  std::erase(added, nullptr);
  std::vector<int> base_sources;
  for (int source = 0; source < base_->source_count(); ++source) {
    if (kept[source]) base_sources.push_back(source);
  }
  return std::shared_ptr<const SideView>(
      new SideView(base_, std::move(base_sources), std::move(added)));
}

std::optional<int> SideView::Find(std::string_view id) const {
  // Added records first: one may stand in the place of a source of the base with the same id.
  if (const auto it = added_position_.find(id); it != added_position_.end()) return it->second;
  const std::optional<int> source = base_->Find(id);
  if (!source.has_value() || position_of_[*source] < 0) return std::nullopt;
  return position_of_[*source];
}

const catalog::SourceRecord* SideView::RecordAt(int source) const {
  const auto base = static_cast<int>(base_sources_.size());
  return source < base ? nullptr : added_[source - base].get();
}

absl::StatusOr<std::string> SideView::ReadContent(int source) const {
  if (const catalog::SourceRecord* record = RecordAt(source); record != nullptr)
    return record->content;
  const int base_source = base_sources_[source];
  return base_->side == Side::kScores ? base_->catalog->ReadMidi(base_source)
                                      : base_->catalog->ReadAudio(base_source);
}

absl::StatusOr<std::vector<CollectionView::SourceRun>> SideView::ReadRuns(
    int source, const RunFilter& filter) const {
  // In the catalogue first_vector counts within the index; in the result, within the source.
  std::vector<CollectionView::SourceRun> result;
  const auto add = [&](SnippetRun run, std::vector<float> vectors) {
    run.first_vector =
        result.empty() ? 0 : result.back().run.first_vector + result.back().run.count;
    run.source = source;
    result.push_back({run, std::move(vectors)});
  };
  if (const catalog::SourceRecord* record = RecordAt(source); record != nullptr) {
    const int dimension = base_->index->dimension();
    for (const SnippetRun& run : record->runs) {
      if (!filter.Passes(run)) continue;
      const auto first = record->vectors.begin() + run.first_vector * dimension;
      add(run, std::vector<float>(first, first + run.count * dimension));
    }
    return result;
  }
  for (const int i : base_->RunsOf(base_sources_[source])) {
    const SnippetRun& run = base_->catalog->runs(base_->side)[i];
    if (!filter.Passes(run)) continue;
    ASSIGN_OR_RETURN(std::vector<float> vectors,
                     base_->index->Reconstruct(run.first_vector, run.count));
    add(run, std::move(vectors));
  }
  return result;
}

// Takes time by the number of sources and their runs, for each search with a filter. That is little
// beside the search itself, because the catalogue has a row for each run, not for each vector.
std::vector<RowRange> SideView::RowsThatPass(const std::vector<bool>& sources) const {
  const std::vector<SnippetRun>& runs = base_->catalog->runs(base_->side);
  std::vector<RowRange> rows;
  for (size_t i = 0; i < base_sources_.size(); ++i) {
    if (!sources[i]) continue;
    for (const int run : base_->RunsOf(base_sources_[i])) {
      rows.push_back({runs[run].first_vector, runs[run].first_vector + runs[run].count});
    }
  }
  return Joined(std::move(rows));
}

std::vector<SideView::AddedBlock> SideView::BlocksThatPass(const ResolvedFilter& scope) const {
  std::vector<AddedBlock> blocks;
  int64_t next_id = base_->index->size();
  for (size_t i = 0; i < added_.size(); ++i) {
    const auto source = static_cast<int>(base_sources_.size() + i);
    if (scope.sources.has_value() && !(*scope.sources)[source]) continue;
    if (added_[i]->runs.empty()) continue;  // Locate needs blocks whose first ids differ
    blocks.push_back({source, next_id});
    next_id += VectorsOf(*added_[i]);
  }
  return blocks;
}

absl::StatusOr<SnippetPosition> SideView::Locate(int64_t id,
                                                 std::span<const AddedBlock> blocks) const {
  if (id < base_->index->size()) {
    // Only rows that are left were searched, so the source has a position.
    ASSIGN_OR_RETURN(SnippetPosition position, base_->catalog->Locate(base_->side, id));
    position.source = position_of_[position.source];
    return position;
  }
  const AddedBlock& block = *std::prev(
      std::upper_bound(blocks.begin(), blocks.end(), id,
                       [](int64_t value, const AddedBlock& b) { return value < b.first_id; }));
  const std::vector<SnippetRun>& runs = RecordAt(block.source)->runs;
  const int64_t vector = id - block.first_id;
  const SnippetRun& run = *std::prev(
      std::upper_bound(runs.begin(), runs.end(), vector,
                       [](int64_t value, const SnippetRun& r) { return value < r.first_vector; }));
  const double start_s = run.start_s + static_cast<double>(vector - run.first_vector) * run.hop_s;
  return SnippetPosition{block.source, run.tempo_ratio, start_s, start_s + run.window_s, run.part};
}

absl::StatusOr<std::vector<CollectionView::Found>> SideView::Search(
    std::span<const float> queries, int k, const ResolvedFilter& scope) const {
  const std::vector<AddedBlock> added = BlocksThatPass(scope);
  std::vector<index::VectorBlock> beside;
  for (const AddedBlock& block : added) {
    const catalog::SourceRecord& record = *RecordAt(block.source);
    beside.push_back({record.vectors.data(), VectorsOf(record), block.first_id});
  }
  std::vector<RowRange> chosen;
  if (scope.sources.has_value()) chosen = RowsThatPass(*scope.sources);
  const std::vector<RowRange>& rows = scope.sources.has_value() ? chosen : rows_;
  ASSIGN_OR_RETURN(
      const index::SearchResult result,
      base_->index->Search(queries, k, {.rows = rows, .exact = scope.exact, .beside = beside}));
  std::vector<CollectionView::Found> found;
  found.reserve(result.ids.size());
  for (size_t i = 0; i < result.ids.size(); ++i) {
    if (result.ids[i] < 0) continue;  // fewer than k vectors are in scope
    ASSIGN_OR_RETURN(const SnippetPosition position, Locate(result.ids[i], added));
    found.push_back({static_cast<int>(i) / k, position, result.similarities[i]});
  }
  return found;
}

}  // namespace antiphon::collection
