// Scores that were read lately, so that positions can be given in bars and beats without parsing
// the same file for every hit. Shared by all collections that are served one after the other: a
// score is known by its piece and the version that the piece is in, not by its position. Bounded by
// the number of notes held; the one used longest ago goes first.
//
// Safe from any thread. Scores handed out stay valid after they have left the cache.
#ifndef ANTIPHON_CORE_COLLECTION_SCORE_CACHE_H_
#define ANTIPHON_CORE_COLLECTION_SCORE_CACHE_H_

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/music/score.h"

namespace antiphon::collection {

class ScoreCache {
 public:
  using Reader = std::function<absl::StatusOr<music::Score>()>;

  // Holds scores of at most `max_notes` notes together (a score counts as at least 100).
  explicit ScoreCache(int64_t max_notes);

  // From the cache or the reader, whose failure is returned and not remembered. `key` must be
  // another for every score that there has ever been. Two threads that miss the same score at once
  // both read it.
  [[nodiscard]] absl::StatusOr<std::shared_ptr<const music::Score>> Get(const std::string& key,
                                                                        const Reader& reader);

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const music::Score> score;
  };

  static int64_t Cost(const music::Score& score);

  const int64_t max_notes_;
  absl::Mutex mutex_;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // used last comes first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_ ABSL_GUARDED_BY(mutex_);
  int64_t notes_ ABSL_GUARDED_BY(mutex_) = 0;  // sum of Cost over entries_
};

}  // namespace antiphon::collection

#endif  // ANTIPHON_CORE_COLLECTION_SCORE_CACHE_H_
