// The engine that answers from a bundle (retrieval::Collection), and the query it is tried with before it serves.
#ifndef ANTIPHON_SERVER_COLLECTION_ENGINE_H_
#define ANTIPHON_SERVER_COLLECTION_ENGINE_H_

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/config.h"
#include "server/engine.h"
#include "server/metrics.h"

namespace antiphon::server {

// Loads the current generation of config.bundle, with encoders that batch across requests. Fails as
// retrieval::Collection::Open does. `metrics` is told of every batch, and must outlive the engine.
[[nodiscard]] absl::StatusOr<std::shared_ptr<const Engine>> OpenCollectionEngine(const Config& config,
                                                                                 Metrics& metrics);

// Sends a few seconds of sound and a few notes all the way through, so that the first client does not pay for what is
// done once, and a collection that cannot answer does not go into service.
[[nodiscard]] absl::Status WarmUp(const Engine& engine);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_COLLECTION_ENGINE_H_
