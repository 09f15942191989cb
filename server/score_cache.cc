#include "server/score_cache.h"

#include <algorithm>
#include <utility>

namespace antiphon::server {

ScoreCache::ScoreCache(Reader reader, int64_t max_notes) : reader_(std::move(reader)), max_notes_(max_notes) {}

int64_t ScoreCache::Cost(const music::Score& score) {
  return std::max<int64_t>(100, static_cast<int64_t>(score.notes.size()));
}

absl::StatusOr<std::shared_ptr<const music::Score>> ScoreCache::Get(int piece) {
  {
    absl::MutexLock lock(&mutex_);
    if (const auto found = by_piece_.find(piece); found != by_piece_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->score;
    }
  }
  absl::StatusOr<music::Score> read = reader_(piece);
  if (!read.ok()) return read.status();
  auto score = std::make_shared<const music::Score>(*std::move(read));
  const int64_t cost = Cost(*score);

  absl::MutexLock lock(&mutex_);
  if (by_piece_.contains(piece) || cost > max_notes_) return score;
  while (notes_ + cost > max_notes_) {
    notes_ -= Cost(*entries_.back().score);
    by_piece_.erase(entries_.back().piece);
    entries_.pop_back();
  }
  entries_.push_front({piece, score});
  by_piece_[piece] = entries_.begin();
  notes_ += cost;
  return score;
}

}  // namespace antiphon::server
