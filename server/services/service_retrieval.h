// antiphon.v1.Retrieval: reads the query, asks the collection, writes the answer. Safe from any
// thread.
#ifndef ANTIPHON_SERVER_SERVICES_SERVICE_RETRIEVAL_H_
#define ANTIPHON_SERVER_SERVICES_SERVICE_RETRIEVAL_H_

#include <vector>

#include "antiphon/v1/retrieval.pb.h"
#include "core/audio/waveform.h"
#include "core/music/score.h"
#include "server/calls/call_runner.h"
#include "server/calls/stream_runner.h"
#include "server/serving/store.h"
#include "server/telemetry/metrics.h"
#include "server/wire/limits.h"

namespace antiphon::server {

class RetrievalService {
 public:
  // All but `limits` are borrowed, and outlive every call.
  RetrievalService(CallRunner& runner, StreamRunner& streams, const Store& store, Metrics& metrics,
                   const Limits& limits);

  // This object outlives every call.
  std::vector<Method> Methods();

 private:
  absl::Status SearchScores(Call& call, const v1::SearchScoresRequest& request,
                            v1::SearchResponse* response) const;
  absl::Status SearchRecordings(Call& call, const v1::SearchRecordingsRequest& request,
                                v1::SearchResponse* response) const;
  absl::Status Identify(Call& call, const v1::IdentifyRequest& request,
                        v1::IdentifyResponse* response) const;
  absl::Status Batch(Call& call, const v1::BatchRequest& request,
                     v1::BatchResponse* response) const;
  absl::Status BatchQuery(Call& call, const v1::BatchQuery& query, v1::BatchResult* result) const;
  absl::Status Embed(Call& call, const v1::EmbedRequest& request,
                     v1::EmbedResponse* response) const;

  // A query as its stage kDecode gives it.
  absl::StatusOr<audio::Waveform> Decode(Call& call, bool present, const v1::Audio& audio) const;
  absl::StatusOr<music::Score> Decode(Call& call, bool present, const v1::Score& score) const;

  CallRunner& runner_;
  StreamRunner& streams_;
  const Store& store_;
  Metrics& metrics_;
  const Limits limits_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVICES_SERVICE_RETRIEVAL_H_
