// Between the wire's messages and the core's values: everything a request may get wrong is found out here, and named.
//
// Stateless; safe from any thread. Failures name the field (status_map.h): InvalidArgument for what is missing,
// malformed or out of range, ResourceExhausted for what is too large.
#ifndef ANTIPHON_SERVER_CONVERSIONS_H_
#define ANTIPHON_SERVER_CONVERSIONS_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "antiphon/v1/admin.pb.h"
#include "antiphon/v1/catalog.pb.h"
#include "antiphon/v1/retrieval.pb.h"
#include "antiphon/v1/types.pb.h"
#include "core/audio/waveform.h"
#include "core/catalog/catalog.h"
#include "core/music/score.h"
#include "core/retrieval/collection.h"
#include "server/limits.h"

namespace antiphon::server {

// Mono sound at `sample_rate`, Hz. `present` is whether the request has the message at all. Fields: "audio",
// "audio.file", "audio.pcm.…".
[[nodiscard]] absl::StatusOr<audio::Waveform> DecodeAudio(bool present, const v1::Audio& audio, int sample_rate,
                                                          const Limits& limits);

// Fields: "score", "score.midi".
[[nodiscard]] absl::StatusOr<music::Score> DecodeScore(bool present, const v1::Score& score, const Limits& limits);

// Fields: "options.top_k", "options.hop_seconds".
[[nodiscard]] absl::StatusOr<retrieval::SearchOptions> ToSearchOptions(const v1::SearchOptions& options,
                                                                       const Limits& limits);

// Fields: "top_k", "min_confidence", "hop_seconds", "method".
[[nodiscard]] absl::StatusOr<retrieval::IdentifyOptions> ToIdentifyOptions(const v1::IdentifyRequest& request,
                                                                           const Limits& limits);

// Field: "against".
[[nodiscard]] absl::StatusOr<catalog::Side> ToSide(v1::Side side);

struct EmbedPlan {
  retrieval::WindowPlan windows;
  double tempo_ratio = 1;
};

// Fields: "hop_seconds", "tempo_ratio".
[[nodiscard]] absl::StatusOr<EmbedPlan> ToEmbedPlan(const v1::EmbedRequest& request, const Limits& limits);

// ResourceExhausted "hop_seconds" when a query of `duration_s` gives more windows than Limits::max_embed_windows.
[[nodiscard]] absl::Status CheckEmbedWindows(double duration_s, const EmbedPlan& plan, const Limits& limits);

v1::Verdict ToWire(retrieval::Verdict verdict);
v1::Piece ToWire(const catalog::Piece& piece);
v1::Recording ToWire(const catalog::Recording& recording);
v1::Limits ToWire(const Limits& limits, int queue_capacity);
v1::Source SourceOf(const catalog::Piece& piece);
v1::Source SourceOf(const catalog::Recording& recording);

// A place in a score, in seconds, beats, and bar and beat; `map` null: a place in a recording, in seconds only.
v1::Position ToPosition(double seconds, const music::TempoMap* map);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CONVERSIONS_H_
