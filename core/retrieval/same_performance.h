// Whether two sounds of the same music are one performance, or two.
//
// Where notes begin, levels rise. Short stretches of one sound's rises are laid over the other's:
// in one performance all of them lie at the same distance, to a frame, whatever codec, room or
// loudspeaker the sound went through; players do not repeat themselves to a hundredth of a second.
// Distances that agree tell recordings apart as in fingerprints (Wang 2003), with rises of whole
// spectra in the place of peaks. Pure functions; safe from any thread. Internal to core/retrieval.
#ifndef ANTIPHON_CORE_RETRIEVAL_SAME_PERFORMANCE_H_
#define ANTIPHON_CORE_RETRIEVAL_SAME_PERFORMANCE_H_

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"
#include "core/matching/answer.h"
#include "core/matching/match.h"

namespace antiphon::retrieval {

// Seconds of the other sound before and after what the query is thought to match, that are looked
// at as well.
inline constexpr double kPerformanceMargin_s = 0.75;

// `query` and `other` have one sample rate; `match` says which part of each goes along with the
// other, and how fast. kUnknown where there are less than 7 s of it. InvalidArgument where the
// sample rate is none that can be analysed.
[[nodiscard]] absl::StatusOr<matching::Performance> ComparePerformances(
    const audio::Waveform& query, const audio::Waveform& other, const matching::Match& match);

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_SAME_PERFORMANCE_H_
