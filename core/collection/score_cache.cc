#include "core/collection/score_cache.h"

#include <algorithm>
#include <utility>

#include "core/base/status_macros.h"

namespace antiphon::collection {

ScoreCache::ScoreCache(int64_t max_notes) : max_notes_(max_notes) {}

int64_t ScoreCache::Cost(const music::Score& score) {
  return std::max<int64_t>(100, static_cast<int64_t>(score.notes.size()));
}

absl::StatusOr<std::shared_ptr<const music::Score>> ScoreCache::Get(const std::string& key,
                                                                    const Reader& reader) {
  {
    absl::MutexLock lock(&mutex_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->score;
    }
  }
  ASSIGN_OR_RETURN(music::Score read, reader());
  auto score = std::make_shared<const music::Score>(std::move(read));
  const int64_t cost = Cost(*score);

  absl::MutexLock lock(&mutex_);
  if (by_key_.contains(key) || cost > max_notes_) return score;
  while (notes_ + cost > max_notes_) {
    notes_ -= Cost(*entries_.back().score);
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
  entries_.push_front({key, score});
  by_key_[key] = entries_.begin();
  notes_ += cost;
  return score;
}

}  // namespace antiphon::collection
