// From the bytes of a score or of a recording to all that a collection keeps of it. Indexing and
// additions at run time both go through here, so that they embed alike. Internal to core/collection
// and core/editing; stateless, safe from any thread.
#ifndef ANTIPHON_CORE_COLLECTION_SOURCE_EMBEDDER_H_
#define ANTIPHON_CORE_COLLECTION_SOURCE_EMBEDDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/decode_report.h"
#include "core/bundle/manifest.h"
#include "core/collection/collection_view.h"
#include "core/collection/embedder.h"
#include "core/encoder/window_encoder.h"
#include "core/features/audio_front_end.h"
#include "core/matching/request.h"

namespace antiphon::collection {

// Where windows are cut; see bundle::Manifest.
struct SourcePlan {
  std::vector<double> tempo_ratios;
  double score_hop_s = 0;
  double recording_hop_s = 0;

  bool operator==(const SourcePlan&) const = default;
};
SourcePlan PlanOf(const bundle::Manifest& manifest);

// `piece` needs id, title, composer and collection, and says whether the parts are embedded one by
// one as well; the rest is filled in from the score.
// InvalidArgument on bytes that are no score, one with no notes that the model reads (which says so
// when all are drums), or text that a catalogue would not keep. Otherwise fails as the encoder
// does, or as `context` says, which is asked before every stage.
[[nodiscard]] absl::StatusOr<catalog::SourceRecord> EmbedPiece(
    const encoder::WindowEncoder& score_encoder, const SourcePlan& plan, catalog::Piece piece,
    std::string file, const matching::RequestContext& context = {});
// The same with `score`, as notation::ReadScore reads `file`.
[[nodiscard]] absl::StatusOr<catalog::SourceRecord> EmbedPiece(
    const encoder::WindowEncoder& score_encoder, const SourcePlan& plan, catalog::Piece piece,
    const music::Score& score, std::string file, const matching::RequestContext& context = {});

// `recording` needs all but its duration. InvalidArgument on sound that cannot be decoded or is
// silent, FailedPrecondition with the reason kAudioDamaged on damage that is not accepted;
// otherwise as above. `report`, unless null, says what could not be decoded. Requires a front end
// with the encoder's settings.
[[nodiscard]] absl::StatusOr<catalog::SourceRecord> EmbedRecording(
    const encoder::WindowEncoder& audio_encoder, const features::AudioFrontEnd& front_end,
    const SourcePlan& plan, catalog::Recording recording, std::string audio,
    audio::DamagedAudio damaged = audio::DamagedAudio::kRefuse,
    audio::DecodeReport* report = nullptr, const matching::RequestContext& context = {});

}  // namespace antiphon::collection

#endif  // ANTIPHON_CORE_COLLECTION_SOURCE_EMBEDDER_H_
