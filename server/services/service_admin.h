// antiphon.v1.Admin: what the server is doing, and what an operator may tell it to do. Safe from
// any thread.
#ifndef ANTIPHON_SERVER_SERVICES_SERVICE_ADMIN_H_
#define ANTIPHON_SERVER_SERVICES_SERVICE_ADMIN_H_

#include <atomic>
#include <string>
#include <vector>

#include "antiphon/v1/admin.pb.h"
#include "core/base/steady_time.h"
#include "server/calls/call_runner.h"
#include "server/runtime/lifecycle.h"
#include "server/serving/store.h"
#include "server/wire/limits.h"

namespace antiphon::server {

// What Status says besides what the store knows.
struct AdminFacts {
  std::string device;
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
  AdminService(CallRunner& runner, Store& store, const Lifecycle& lifecycle, AdminFacts facts);

  // This object outlives every call. Of all but Status, one runs at a time: a second is Aborted.
  std::vector<Method> Methods();

 private:
  absl::Status Status(Call& call, const v1::StatusRequest& request,
                      v1::StatusResponse* response) const;
  absl::Status Reload(const v1::ReloadRequest& request, v1::ReloadResponse* response);
  absl::Status Merge(const v1::MergeRequest& request, v1::MergeResponse* response);
  absl::Status Snapshot(const v1::SnapshotRequest& request, v1::SnapshotResponse* response);
  absl::Status Restore(const v1::RestoreRequest& request, v1::RestoreResponse* response);

  // A method that runs unless another of these does: Aborted.
  template <typename Request, typename Response>
  Method OneAtATime(const char* name,
                    absl::Status (AdminService::*work)(const Request&, Response*));

  CallRunner& runner_;
  Store& store_;
  const Lifecycle& lifecycle_;
  const AdminFacts facts_;
  const SteadyTime started_ = SteadyNow();
  std::atomic<bool> busy_ = false;  // one of those that run one at a time
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVICES_SERVICE_ADMIN_H_
