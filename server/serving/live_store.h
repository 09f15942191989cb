// The Store that serves a bundle: a editing::CollectionStore with encoders that batch across
// requests, each collection tried out before it serves.
#ifndef ANTIPHON_SERVER_SERVING_LIVE_STORE_H_
#define ANTIPHON_SERVER_SERVING_LIVE_STORE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "server/config.h"
#include "server/serving/store.h"
#include "server/telemetry/metrics.h"

namespace antiphon::server {

// Opens config.bundle; read only (read_only_store.h) where that is asked for or this process may
// not write to it, which is logged. Snapshots go to config.snapshot_dir. `config` and `metrics` are
// borrowed, and outlive the store. Fails as editing::CollectionStore::Open does, or as the
// collection's trial (self_check.h).
[[nodiscard]] absl::StatusOr<std::unique_ptr<Store>> OpenLiveStore(const Config& config,
                                                                   Metrics& metrics);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVING_LIVE_STORE_H_
