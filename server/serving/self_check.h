// What a collection is asked before it serves: whether it can answer at all, and whether what it
// finds belongs together. Stateless; safe from any thread.
#ifndef ANTIPHON_SERVER_SERVING_SELF_CHECK_H_
#define ANTIPHON_SERVER_SERVING_SELF_CHECK_H_

#include "absl/status/status.h"
#include "core/retrieval/bundle_collection.h"

namespace antiphon::server {

// Sends a few seconds of sound and a few notes all the way through, so that the first client does
// not pay for what is done once, and a collection that cannot answer does not go into service.
// Fails as the queries do.
[[nodiscard]] absl::Status WarmUp(const retrieval::BundleCollection& collection);

// Embeds the beginnings of some of its pieces and looks for them: each must be found by itself, as
// it was indexed. A collection whose encoder, index and catalogue are whole but not of one another
// is DataLoss. One without notes passes.
[[nodiscard]] absl::Status CheckFindsItself(const retrieval::BundleCollection& collection);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVING_SELF_CHECK_H_
