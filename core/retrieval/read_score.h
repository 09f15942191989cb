// The score of a piece, parsed. Internal to core/retrieval.
#ifndef ANTIPHON_CORE_RETRIEVAL_READ_SCORE_H_
#define ANTIPHON_CORE_RETRIEVAL_READ_SCORE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "core/collection/loaded_collection.h"
#include "core/music/score.h"

namespace antiphon::retrieval {

// From the score cache, where the collection has one. Requires a valid position. DataLoss when it
// cannot be parsed. Safe from any thread.
[[nodiscard]] absl::StatusOr<std::shared_ptr<const music::Score>> ReadScore(
    const collection::LoadedCollection& loaded, int piece);

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_READ_SCORE_H_
