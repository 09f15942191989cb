// grpc.health.v1.Health: whether the server takes calls, for load balancers and supervisors, as a
// whole ("") and by the name of each service, without a key. gRPC's own implementation would keep
// whatever anybody sends to it until all of it is there.
//
// Safe from any thread.
#ifndef ANTIPHON_SERVER_SERVICES_SERVICE_HEALTH_H_
#define ANTIPHON_SERVER_SERVICES_SERVICE_HEALTH_H_

#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "google/protobuf/wrappers.pb.h"
#include "server/calls/call_runner.h"
#include "server/calls/dispatcher.h"

namespace antiphon::server {

class HealthService {
 public:
  // `services` are the full names of those that the server has. `runner` and `gate` are borrowed,
  // and outlive every call.
  HealthService(CallRunner& runner, CallGate& gate, std::set<std::string> services);

  // This object outlives every call. Of the package "grpc.health.v1".
  std::vector<Method> Methods();

  // What is told from now on, also to those who watch. Not serving until it is called.
  void SetServing(bool serving);

  // Ends the watches that there are; there are to be no more.
  void Stop();

 private:
  class Watch;

  // The messages of the protocol, by what they are on the wire: a request is a string in field 1,
  // as a StringValue is, and a response an enum in field 1, as an Int32Value is.
  using Request = google::protobuf::StringValue;
  using Response = google::protobuf::Int32Value;

  absl::Status Check(Call& call, const Request& request, Response* response) const;

  CallRunner& runner_;
  CallGate& gate_;
  const std::set<std::string> services_;
  mutable absl::Mutex mutex_;
  bool serving_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<Watch*> watches_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVICES_SERVICE_HEALTH_H_
