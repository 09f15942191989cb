// Which pieces of a collection hold the same music as one of them, in whole or in part. Internal to
// core/retrieval. Safe from any thread as long as `timer` belongs to it.
#ifndef ANTIPHON_CORE_RETRIEVAL_SAME_MUSIC_SEARCH_H_
#define ANTIPHON_CORE_RETRIEVAL_SAME_MUSIC_SEARCH_H_

#include <vector>

#include "absl/status/statusor.h"
#include "core/collection/loaded_collection.h"
#include "core/matching/answer.h"
#include "core/matching/stage_timer.h"

namespace antiphon::retrieval {

// Looks for the piece, as it is indexed at its own tempo, among all others, follows it through the
// best of them and compares the notes (core/music/same_music.h) passage by passage. Stretches that
// agree for less than 8 s of the piece are left out. The longest come first. Requires a valid
// position. Fails as the index does, or with DataLoss when a score cannot be read.
[[nodiscard]] absl::StatusOr<std::vector<matching::SharedMusic>> FindSameMusic(
    const collection::LoadedCollection& loaded, int piece, matching::StageTimer& timer);

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_SAME_MUSIC_SEARCH_H_
