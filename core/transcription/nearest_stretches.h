// The stretches of scores that are near to a sound in which no piece is recognised. Blocking; safe
// from any thread. Internal to core/transcription.
#ifndef ANTIPHON_CORE_TRANSCRIPTION_NEAREST_STRETCHES_H_
#define ANTIPHON_CORE_TRANSCRIPTION_NEAREST_STRETCHES_H_

#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"
#include "core/matching/match.h"
#include "core/matching/request.h"
#include "core/music/time_map.h"
#include "core/retrieval/collection.h"
#include "core/transcription/nearest_path.h"

namespace antiphon::transcription {

struct NearestStretch {
  int piece = -1;
  int part = catalog::kWhole;  // of the piece, that is near alone
  matching::Span sound = {};
  music::TimeMap map;     // from seconds of the sound to seconds of the score
  double similarity = 0;  // mean cosine of its windows
};

// The best path through the nearest windows of `stretch`, run by run, in order of time and without
// overlap. Memory grows by about 20 kB for each second of sound. Fails as Collection::SearchScores.
[[nodiscard]] absl::StatusOr<std::vector<NearestStretch>> FindNearest(
    const retrieval::Collection& collection, const audio::Waveform& sound,
    const matching::Span& stretch, const matching::SearchFilter& filter, const PathOptions& options,
    const matching::RequestContext& context);

}  // namespace antiphon::transcription

#endif  // ANTIPHON_CORE_TRANSCRIPTION_NEAREST_STRETCHES_H_
