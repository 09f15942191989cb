// The engine that answers from a retrieval::Collection, and the queries that one is tried with before it serves.
#ifndef ANTIPHON_SERVER_COLLECTION_ENGINE_H_
#define ANTIPHON_SERVER_COLLECTION_ENGINE_H_

#include <memory>

#include "absl/status/status.h"
#include "core/retrieval/collection.h"
#include "server/engine.h"

namespace antiphon::server {

std::shared_ptr<const Engine> MakeCollectionEngine(std::shared_ptr<const retrieval::Collection> collection);

// Sends a few seconds of sound and a few notes all the way through, so that the first client does not pay for what is
// done once, and a collection that cannot answer does not go into service.
[[nodiscard]] absl::Status WarmUp(const Engine& engine);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_COLLECTION_ENGINE_H_
