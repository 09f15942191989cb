// From a recording or a score to a sequence of embeddings, one for each window. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_RETRIEVAL_EMBEDDER_H_
#define ANTIPHON_CORE_RETRIEVAL_EMBEDDER_H_

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"
#include "core/encoder/window_encoder.h"
#include "core/features/audio_front_end.h"
#include "core/music/score.h"

namespace antiphon::retrieval {

// Embeddings of windows of one source at one tempo, in order of time.
struct EmbeddingSequence {
  int dimension = 0;
  double tempo_ratio = 1.0;       // the source was read at this multiple of its own tempo
  double window_s = 0;            // a window's length, seconds of the source
  std::vector<double> start_s;    // where each window starts, seconds of the source (nominal tempo for scores)
  std::vector<float> embeddings;  // [start_s.size(), dimension]
};

// Where to cut windows, in seconds as played (after the tempo ratio has been applied).
struct WindowPlan {
  double hop_s = 0.25;  // between the starts of windows; rounded to whole frames, at least one
  int max_windows = 0;  // 0 is all; otherwise stretches of `stretch_windows` are taken, spread evenly over the source
  int stretch_windows = 32;
};

// Windows that reach beyond the end are padded with silence as long as at least half of them lies inside; a source
// shorter than that gives one window. Windows with nothing in them (no note; level 0 throughout) are left out, so the
// result may be empty.
[[nodiscard]] absl::StatusOr<EmbeddingSequence> EmbedAudio(const encoder::WindowEncoder& audio_encoder,
                                                           const features::AudioFrontEnd& front_end,
                                                           const audio::Waveform& waveform, const WindowPlan& plan);

[[nodiscard]] absl::StatusOr<EmbeddingSequence> EmbedScore(const encoder::WindowEncoder& score_encoder,
                                                           const music::Score& score, double tempo_ratio,
                                                           const WindowPlan& plan);

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_EMBEDDER_H_
