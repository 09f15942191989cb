// From a recording or a score to a sequence of embeddings, one for each window. Stateless; safe
// from any thread.
#ifndef ANTIPHON_CORE_COLLECTION_EMBEDDER_H_
#define ANTIPHON_CORE_COLLECTION_EMBEDDER_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"
#include "core/catalog/catalog.h"
#include "core/encoder/window_encoder.h"
#include "core/features/audio_front_end.h"
#include "core/features/feature_sequence.h"
#include "core/matching/embedding_sequence.h"
#include "core/music/score.h"

namespace antiphon::collection {

// Windows that reach beyond the end are padded with silence as long as at least half of them lies
// inside; a source shorter than that gives one window. Windows with nothing in them (no note; level
// 0 throughout) are left out, so the result may be empty. The first window starts at 0.
//
// InvalidArgument: sound at another sample rate than the front end's, a tempo ratio outside [0.1,
// 10], a plan with a hop that is not positive or windows below 0. FailedPrecondition: a front end
// or encoder that does not fit. ResourceExhausted: a score whose notes would fill more than a fixed
// number of pianoroll cells.
[[nodiscard]] absl::StatusOr<matching::EmbeddingSequence> EmbedAudio(
    const encoder::WindowEncoder& audio_encoder, const features::AudioFrontEnd& front_end,
    const audio::Waveform& waveform, const matching::WindowPlan& plan);

[[nodiscard]] absl::StatusOr<matching::EmbeddingSequence> EmbedScore(
    const encoder::WindowEncoder& score_encoder, const music::Score& score, double tempo_ratio,
    const matching::WindowPlan& plan);

// The runs of adjoining windows in a sequence, which was read of the whole source or of a part:
// where empty windows were left out, a new run begins.
std::vector<catalog::SnippetRun> RunsOf(const matching::EmbeddingSequence& sequence, int source,
                                        int64_t first_vector, int part = catalog::kWhole);

// The steps of the above, for who wants to time them or to stop between them.

// A recording that is far too quiet is raised before: features::GainFor.
[[nodiscard]] absl::StatusOr<features::FeatureSequence> AudioFeatures(
    const features::AudioFrontEnd& front_end, const audio::Waveform& waveform);

[[nodiscard]] absl::StatusOr<features::FeatureSequence> ScoreFeatures(
    const features::FeatureSettings& settings, const music::Score& score, double tempo_ratio);

// First frames of the windows that the plan takes, ascending. Requires a valid plan.
std::vector<int64_t> SelectWindows(const features::FeatureSequence& sequence, int window_frames,
                                   const matching::WindowPlan& plan);

// `keep_going`, unless empty, is asked by each call of the encoder (WindowEncoder::EncodeWhile;
// 1,024 windows at most); its failure ends the work.
[[nodiscard]] absl::StatusOr<matching::EmbeddingSequence> EmbedFeatures(
    const encoder::WindowEncoder& encoder, const features::FeatureSequence& sequence,
    double tempo_ratio, const matching::WindowPlan& plan,
    const std::function<absl::Status()>& keep_going = {});

// Windows of one source at one tempo, cut out and ready for an encoder: for short queries, so that
// those at several tempi go through the encoder together and no whole pianoroll is kept for each.
struct WindowBatch {
  matching::EmbeddingSequence frame;  // all but the embeddings
  std::vector<uint8_t> cells;         // [frame.start_s.size(), window_frames, channels, bands]
};

[[nodiscard]] absl::StatusOr<WindowBatch> CutWindows(const encoder::EncoderInfo& info,
                                                     const features::FeatureSequence& sequence,
                                                     double tempo_ratio,
                                                     const matching::WindowPlan& plan);

// One sequence for each batch, in as few calls of the encoder as may be. Requires batches cut for
// this encoder.
[[nodiscard]] absl::StatusOr<std::vector<matching::EmbeddingSequence>> EmbedBatches(
    const encoder::WindowEncoder& encoder, std::vector<WindowBatch> batches,
    const std::function<absl::Status()>& keep_going = {});

}  // namespace antiphon::collection

#endif  // ANTIPHON_CORE_COLLECTION_EMBEDDER_H_
