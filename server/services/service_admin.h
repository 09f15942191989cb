// antiphon.v1.Admin: what the server is doing, and what an operator may tell it to do. Safe from
// any thread.
#ifndef ANTIPHON_SERVER_SERVICES_SERVICE_ADMIN_H_
#define ANTIPHON_SERVER_SERVICES_SERVICE_ADMIN_H_

#include <memory>
#include <string>
#include <vector>

#include "antiphon/v1/admin.pb.h"
#include "core/base/steady_time.h"
#include "core/index/device_pool.h"
#include "server/calls/call_runner.h"
#include "server/runtime/lifecycle.h"
#include "server/serving/one_at_a_time.h"
#include "server/serving/store.h"
#include "server/snapshots/snapshot_keeper.h"
#include "server/wire/limits.h"

namespace antiphon::server {

// What Status says besides what the store knows.
struct AdminFacts {
  std::string device;
  std::shared_ptr<const index::DevicePool> index_devices = nullptr;  // null: the CPU
  Limits limits;
  int queue_capacity = 0;
  int max_streams = 0;
  bool tls = false;
  bool authentication = false;       // API keys are asked for
  bool client_certificates = false;  // so are certificates of clients
};

class AdminService {
 public:
  // All references are borrowed, and outlive every call.
  // `turns` is shared with whoever else works on the collection as a whole.
  AdminService(CallRunner& runner, Store& store, SnapshotKeeper& snapshots, OneAtATime& turns,
               const Lifecycle& lifecycle, AdminFacts facts);

  // This object outlives every call. Reload, Merge, Snapshot and Restore run one at a time, as far
  // as they work on the collection: a second is Aborted.
  std::vector<Method> Methods();

 private:
  absl::Status Status(Call& call, const v1::StatusRequest& request,
                      v1::StatusResponse* response) const;
  absl::Status Reload(Call& call, const v1::ReloadRequest& request, v1::ReloadResponse* response);
  absl::Status Merge(Call& call, const v1::MergeRequest& request, v1::MergeResponse* response);
  absl::Status Snapshot(Call& call, const v1::SnapshotRequest& request,
                        v1::SnapshotResponse* response);
  absl::Status Restore(Call& call, const v1::RestoreRequest& request,
                       v1::RestoreResponse* response);
  absl::Status ListSnapshots(Call& call, const v1::ListSnapshotsRequest& request,
                             v1::ListSnapshotsResponse* response);
  absl::Status DeleteSnapshot(Call& call, const v1::DeleteSnapshotRequest& request,
                              v1::DeleteSnapshotResponse* response);

  CallRunner& runner_;
  Store& store_;
  SnapshotKeeper& snapshots_;
  OneAtATime& turns_;
  const Lifecycle& lifecycle_;
  const AdminFacts facts_;
  const SteadyTime started_ = SteadyNow();
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVICES_SERVICE_ADMIN_H_
