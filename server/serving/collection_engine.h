// The engine that answers from a retrieval::Collection.
#ifndef ANTIPHON_SERVER_SERVING_COLLECTION_ENGINE_H_
#define ANTIPHON_SERVER_SERVING_COLLECTION_ENGINE_H_

#include <memory>

#include "core/retrieval/collection.h"
#include "server/serving/engine.h"
#include "server/serving/score_cache.h"

namespace antiphon::server {

// `scores` may be shared by engines of other moments of the same bundle.
std::shared_ptr<const Engine> MakeCollectionEngine(
    std::shared_ptr<const retrieval::Collection> collection, std::shared_ptr<ScoreCache> scores);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVING_COLLECTION_ENGINE_H_
