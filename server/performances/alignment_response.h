// A performance (core/alignment) as the wire's messages. Stateless; safe from any thread.
#ifndef ANTIPHON_SERVER_PERFORMANCES_ALIGNMENT_RESPONSE_H_
#define ANTIPHON_SERVER_PERFORMANCES_ALIGNMENT_RESPONSE_H_

#include "antiphon/v1/retrieval.pb.h"
#include "core/alignment/performance.h"
#include "core/music/score.h"

namespace antiphon::server {

// The lists of the response, and its agreement. `performance` is AlignPerformance's of `score`;
// `offset_s` is added to times of the recording.
void FillAlignment(const music::Score& score, const alignment::Performance& performance,
                   double offset_s, bool with_notes, v1::AlignResponse* response);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_PERFORMANCES_ALIGNMENT_RESPONSE_H_
