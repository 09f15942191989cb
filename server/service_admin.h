// antiphon.v1.Admin: what the server is doing. Safe from any thread.
#ifndef ANTIPHON_SERVER_SERVICE_ADMIN_H_
#define ANTIPHON_SERVER_SERVICE_ADMIN_H_

#include <string>

#include "absl/time/time.h"
#include "antiphon/v1/admin.grpc.pb.h"
#include "server/call_runner.h"
#include "server/lifecycle.h"
#include "server/limits.h"
#include "server/store.h"

namespace antiphon::server {

// What Status says besides what the engine knows.
struct AdminFacts {
  std::string device;
  Limits limits;
  int queue_capacity = 0;
};

class AdminService final : public v1::Admin::CallbackService {
 public:
  // All references are borrowed, and outlive every call.
  AdminService(CallRunner& runner, Store& store, const Lifecycle& lifecycle, AdminFacts facts);

  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext* context, const v1::StatusRequest* request,
                                   v1::StatusResponse* response) override;

 private:
  absl::Status DoStatus(Call& call, v1::StatusResponse* response) const;

  CallRunner& runner_;
  Store& store_;
  const Lifecycle& lifecycle_;
  const AdminFacts facts_;
  const absl::Time started_ = absl::Now();
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVICE_ADMIN_H_
