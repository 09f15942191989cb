// antiphon.v1.Admin: what the server is doing, and what an operator may tell it to do. Safe from
// any thread.
#ifndef ANTIPHON_SERVER_SERVICES_SERVICE_ADMIN_H_
#define ANTIPHON_SERVER_SERVICES_SERVICE_ADMIN_H_

#include <string>

#include "absl/time/time.h"
#include "antiphon/v1/admin.grpc.pb.h"
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
  Limits limits;
  int queue_capacity = 0;
  int max_streams = 0;
  bool tls = false;
  bool authentication = false;  // API keys are asked for
};

class AdminService final : public v1::Admin::CallbackService {
 public:
  // All references are borrowed, and outlive every call.
  // `turns` is shared with whoever else works on the collection as a whole.
  AdminService(CallRunner& runner, Store& store, SnapshotKeeper& snapshots, OneAtATime& turns,
               const Lifecycle& lifecycle, AdminFacts facts);

  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext* context,
                                   const v1::StatusRequest* request,
                                   v1::StatusResponse* response) override;

  // Of these, one runs at a time, as far as it works on the collection: a second is Aborted.
  grpc::ServerUnaryReactor* Reload(grpc::CallbackServerContext* context,
                                   const v1::ReloadRequest* request,
                                   v1::ReloadResponse* response) override;
  grpc::ServerUnaryReactor* Merge(grpc::CallbackServerContext* context,
                                  const v1::MergeRequest* request,
                                  v1::MergeResponse* response) override;
  grpc::ServerUnaryReactor* Snapshot(grpc::CallbackServerContext* context,
                                     const v1::SnapshotRequest* request,
                                     v1::SnapshotResponse* response) override;
  grpc::ServerUnaryReactor* Restore(grpc::CallbackServerContext* context,
                                    const v1::RestoreRequest* request,
                                    v1::RestoreResponse* response) override;

  grpc::ServerUnaryReactor* ListSnapshots(grpc::CallbackServerContext* context,
                                          const v1::ListSnapshotsRequest* request,
                                          v1::ListSnapshotsResponse* response) override;
  grpc::ServerUnaryReactor* DeleteSnapshot(grpc::CallbackServerContext* context,
                                           const v1::DeleteSnapshotRequest* request,
                                           v1::DeleteSnapshotResponse* response) override;

 private:
  absl::Status DoStatus(Call& call, v1::StatusResponse* response) const;
  absl::Status DoReload(v1::ReloadResponse* response);
  absl::Status DoMerge(v1::MergeResponse* response);
  absl::Status DoSnapshot(Call& call, const v1::SnapshotRequest& request,
                          v1::SnapshotResponse* response);
  absl::Status DoRestore(Call& call, const v1::RestoreRequest& request,
                         v1::RestoreResponse* response);
  absl::Status DoListSnapshots(Call& call, const v1::ListSnapshotsRequest& request,
                               v1::ListSnapshotsResponse* response);
  absl::Status DoDeleteSnapshot(Call& call, const v1::DeleteSnapshotRequest& request,
                                v1::DeleteSnapshotResponse* response);

  CallRunner& runner_;
  Store& store_;
  SnapshotKeeper& snapshots_;
  OneAtATime& turns_;
  const Lifecycle& lifecycle_;
  const AdminFacts facts_;
  const absl::Time started_ = absl::Now();
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVICES_SERVICE_ADMIN_H_
