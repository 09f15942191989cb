// Where in a sound pieces of a collection are recognised. Blocking; safe from any thread. Internal
// to core/transcription.
#ifndef ANTIPHON_CORE_TRANSCRIPTION_RECOGNISED_STRETCHES_H_
#define ANTIPHON_CORE_TRANSCRIPTION_RECOGNISED_STRETCHES_H_

#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"
#include "core/matching/match.h"
#include "core/matching/request.h"
#include "core/retrieval/collection.h"

namespace antiphon::transcription {

struct RecognisedStretch {
  int piece = -1;              // position in Collection::pieces()
  matching::Match match = {};  // where it was heard, and between which places of the score
  int transposition = 0;       // semitones by which the sound is above the score
  double confidence = 0;
  double similarity = 0;  // mean cosine along it
};

// In order of time, without overlap. At the pitch written wherever a piece is recognised so; of
// what is left, the three longest stretches, if of ten seconds or more, are asked about at other
// pitches too, up to six semitones off. Memory does not grow with the sound. Fails as
// Collection::IdentifyAudio does.
[[nodiscard]] absl::StatusOr<std::vector<RecognisedStretch>> RecognisePieces(
    const retrieval::Collection& collection, const audio::Waveform& sound,
    const matching::SearchFilter& filter, const matching::RequestContext& context);

// What of `whole` none of the spans covers. The spans are in order, without overlap.
std::vector<matching::Span> Uncovered(const matching::Span& whole,
                                      const std::vector<matching::Span>& spans);

}  // namespace antiphon::transcription

#endif  // ANTIPHON_CORE_TRANSCRIPTION_RECOGNISED_STRETCHES_H_
