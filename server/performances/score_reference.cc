#include "server/performances/score_reference.h"

#include <utility>

#include "core/base/status_macros.h"
#include "server/services/decode.h"
#include "server/services/warnings.h"
#include "server/wire/conversions.h"
#include "server/wire/field_checks.h"
#include "server/wire/status_map.h"

namespace antiphon::server {

absl::StatusOr<ScoreReference> ReferenceToScore(Call& call, absl::string_view prefix,
                                                const v1::Score& score, const Limits& limits) {
  ASSIGN_OR_RETURN(music::Score decoded, call.InStage(v1::STAGE_DECODE, [&] {
    return DecodeScore(prefix, true, score, limits);
  }));
  ScoreReference reference;
  reference.field = ScoreFieldOf(prefix, score);
  WarnOfScore(call, reference.field, decoded);
  reference.score = std::make_shared<const music::Score>(std::move(decoded));
  return reference;
}

absl::StatusOr<ScoreReference> ReferenceToPiece(Call& call, int piece) {
  ScoreReference reference;
  ASSIGN_OR_RETURN(reference.score, call.InStage(v1::STAGE_DECODE, [&] {
    return call.collection().ReadScore(piece);
  }));
  reference.source = SourceOf(call.collection().pieces().at(piece));
  return reference;
}

absl::StatusOr<ScoreReference> ReferenceToPiece(Call& call, absl::string_view prefix,
                                                const std::string& id) {
  const std::string field = absl::StrCat(prefix, "piece_id");
  RETURN_IF_ERROR(CheckId(field, id));
  const std::optional<int> piece = call.collection().FindPiece(id);
  if (!piece) return FieldError(absl::StatusCode::kNotFound, field, "no such piece");
  ASSIGN_OR_RETURN(ScoreReference reference, ReferenceToPiece(call, *piece));
  reference.field = field;
  return reference;
}

}  // namespace antiphon::server
