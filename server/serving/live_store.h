// The Store that serves a bundle: a editing::CollectionStore with encoders that batch across
// requests, each collection tried out before it serves.
#ifndef ANTIPHON_SERVER_SERVING_LIVE_STORE_H_
#define ANTIPHON_SERVER_SERVING_LIVE_STORE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/index/device_pool.h"
#include "core/retrieval/collection.h"
#include "server/serving/batching_encoder.h"
#include "server/serving/store.h"
#include "server/telemetry/metrics.h"

namespace antiphon::server {

struct LiveStoreOptions {
  std::string bundle;      // directory, required
  bool read_only = false;  // change nothing in the bundle, which another server may have
  bool warm_up = true;     // answer a query of one's own before a collection serves
  // Devices, precision, search settings and threads. Two things are set elsewhere: the indexes'
  // device (OpenIndexDevices), and an encoder's batches, which are those of `batching`.
  collection::CollectionOptions collection;
  std::string index_device;  // as index::IndexOptions::device; empty: that of the encoders
  BatchingOptions batching;
  int compute_threads = 0;  // of one run of the network (encoder::SetComputeThreads); 0: the cores
};

// The device that all indexes of a server share, by index_device and what index::IndexOptions says
// of it; for `collection.index.devices`. What becomes of it is logged.
[[nodiscard]] absl::StatusOr<std::shared_ptr<index::DevicePool>> OpenIndexDevices(
    const LiveStoreOptions& options);

// Opens the bundle; read only (read_only_store.h) where that is asked for or this process may not
// write to it, which is logged. `metrics` is borrowed, and outlives the store. Fails as
// editing::CollectionStore::Open does, or as the collection's trial (self_check.h).
[[nodiscard]] absl::StatusOr<std::unique_ptr<Store>> OpenLiveStore(const LiveStoreOptions& options,
                                                                   Metrics& metrics);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVING_LIVE_STORE_H_
