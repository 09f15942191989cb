// The score that a request is about: one that it brings, or a piece of the collection.
//
// Stateless; safe from any thread. Failures name the field (status_map.h).
#ifndef ANTIPHON_SERVER_PERFORMANCES_SCORE_REFERENCE_H_
#define ANTIPHON_SERVER_PERFORMANCES_SCORE_REFERENCE_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "antiphon/v1/types.pb.h"
#include "core/music/score.h"
#include "server/calls/call.h"
#include "server/wire/limits.h"

namespace antiphon::server {

// Holds on to the score alone, so that a call may outlast the collection it came from.
struct ScoreReference {
  std::shared_ptr<const music::Score> score;  // null: none is named
  std::optional<v1::Source> source;           // of a piece
  std::string field;                          // of the request that names it; empty: none does
};

// Fields: PREFIX and "score.midi" or "score.file". Warns of what the reader repaired.
[[nodiscard]] absl::StatusOr<ScoreReference> ReferenceToScore(Call& call, absl::string_view prefix,
                                                              const v1::Score& score,
                                                              const Limits& limits);

// The piece at a position of the call's collection.
[[nodiscard]] absl::StatusOr<ScoreReference> ReferenceToPiece(Call& call, int piece);

// NotFound where the call's collection has none of that id. Field: PREFIX and "piece_id".
[[nodiscard]] absl::StatusOr<ScoreReference> ReferenceToPiece(Call& call, absl::string_view prefix,
                                                              const std::string& id);

// For messages with a oneof `reference` of `score` and `piece_id`; no score where neither is set.
template <typename Options>
absl::StatusOr<ScoreReference> ReadReference(Call& call, absl::string_view prefix,
                                             const Options& options, const Limits& limits) {
  switch (options.reference_case()) {
    case Options::kScore:
      return ReferenceToScore(call, prefix, options.score(), limits);
    case Options::kPieceId:
      return ReferenceToPiece(call, prefix, options.piece_id());
    case Options::REFERENCE_NOT_SET:
      break;
  }
  return ScoreReference();
}

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_PERFORMANCES_SCORE_REFERENCE_H_
