// Scores of the collection that were read lately, so that positions can be given in bars and beats without parsing the
// same file for every hit. Bounded by the number of notes held; the one used longest ago goes first.
//
// Safe from any thread. Scores handed out stay valid after they have left the cache.
#ifndef ANTIPHON_SERVER_SCORE_CACHE_H_
#define ANTIPHON_SERVER_SCORE_CACHE_H_

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/music/score.h"

namespace antiphon::server {

class ScoreCache {
 public:
  using Reader = std::function<absl::StatusOr<music::Score>(int piece)>;

  // Holds scores of at most `max_notes` notes together (a score counts as at least 100). `reader` must be safe from any
  // thread.
  ScoreCache(Reader reader, int64_t max_notes);

  // From the cache or the reader, whose failure is returned and not remembered. Two threads that miss the same score at
  // once both read it.
  [[nodiscard]] absl::StatusOr<std::shared_ptr<const music::Score>> Get(int piece);

 private:
  struct Entry {
    int piece = 0;
    std::shared_ptr<const music::Score> score;
  };

  static int64_t Cost(const music::Score& score);

  const Reader reader_;
  const int64_t max_notes_;
  absl::Mutex mutex_;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // used last comes first
  std::unordered_map<int, std::list<Entry>::iterator> by_piece_ ABSL_GUARDED_BY(mutex_);
  int64_t notes_ ABSL_GUARDED_BY(mutex_) = 0;  // sum of Cost over entries_
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SCORE_CACHE_H_
