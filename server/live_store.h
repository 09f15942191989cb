// The Store that serves a bundle.
#ifndef ANTIPHON_SERVER_LIVE_STORE_H_
#define ANTIPHON_SERVER_LIVE_STORE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "server/config.h"
#include "server/metrics.h"
#include "server/store.h"

namespace antiphon::server {

// Opens the bundle with encoders that batch across requests. `config` and `metrics` are borrowed, and outlive the
// store. Fails as retrieval::Collection::Open does.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Store>> OpenLiveStore(const Config& config, Metrics& metrics);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_LIVE_STORE_H_
