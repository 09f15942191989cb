// The core's values as the wire's messages. Stateless; safe from any thread. (The other direction:
// decode.h, request_options.h, catalog_requests.h.)
#ifndef ANTIPHON_SERVER_WIRE_CONVERSIONS_H_
#define ANTIPHON_SERVER_WIRE_CONVERSIONS_H_

#include "antiphon/v1/admin.pb.h"
#include "antiphon/v1/catalog.pb.h"
#include "antiphon/v1/retrieval.pb.h"
#include "antiphon/v1/types.pb.h"
#include "core/catalog/catalog.h"
#include "core/matching/answer.h"
#include "core/music/score.h"
#include "core/scores/read_score.h"
#include "server/wire/limits.h"

namespace antiphon::server {

v1::Verdict ToWire(matching::Verdict verdict);
v1::ScoreFormat ToWire(notation::ScoreFormat format);
v1::Piece ToWire(const catalog::Piece& piece);
v1::Recording ToWire(const catalog::Recording& recording);
v1::Limits ToWire(const Limits& limits, int queue_capacity, int max_streams);

v1::Part PartOf(const music::Score& score, int part);  // a position in score.parts
v1::Source SourceOf(const catalog::Piece& piece);
// `piece`: the one that is played, null when the collection does not hold it.
v1::Source SourceOf(const catalog::Recording& recording, const catalog::Piece* piece);

// A place in a score, as music::PositionAt says it; `score` null: a place in a recording, in
// seconds only.
v1::Position ToPosition(double seconds, const music::Score* score);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_WIRE_CONVERSIONS_H_
