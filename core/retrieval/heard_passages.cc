#include "core/retrieval/heard_passages.h"

namespace antiphon::retrieval {

std::vector<music::HeardPassage> HeardPassagesOf(const WholePath& path) {
  std::vector<music::HeardPassage> passages;
  for (const TracedPassage& traced : path.passages) {
    const matching::Match& match = traced.match;
    music::HeardPassage& passage = passages.emplace_back();
    passage.push_back({match.query.start_s, match.reference.start_s});
    for (const matching::Place& place : traced.trace) {
      if (place.query_s > passage.back().heard_s && place.reference_s > passage.back().score_s &&
          place.query_s < match.query.end_s && place.reference_s < match.reference.end_s)
        passage.push_back({place.query_s, place.reference_s});
    }
    if (match.query.end_s > passage.back().heard_s &&
        match.reference.end_s > passage.back().score_s)
      passage.push_back({match.query.end_s, match.reference.end_s});
  }
  std::erase_if(passages, [](const music::HeardPassage& passage) { return passage.size() < 2; });
  return passages;
}

}  // namespace antiphon::retrieval
