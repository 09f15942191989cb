// Where calls come in: finds the method, and has it start.
//
// Why not the services that gRPC generates: for a method with one request, gRPC hands the call over
// only when the whole request is there, so that a caller without a key could have gigabytes kept
// for him. Through the generic interface a call comes when its headers do, is judged by them, and
// only then is its request read. It also shows the calls that no service answers, which would
// neither be counted nor logged otherwise.
#ifndef ANTIPHON_SERVER_CALLS_DISPATCHER_H_
#define ANTIPHON_SERVER_CALLS_DISPATCHER_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "grpcpp/generic/async_generic_service.h"
#include "server/calls/call_gate.h"

namespace antiphon::server {

// A method of a service.
struct Method {
  std::string name;  // "Retrieval.Identify"
  // Makes what answers a call. gRPC deletes it, through OnDone.
  std::function<grpc::ServerGenericBidiReactor*(grpc::CallbackServerContext*)> start;
};

// "/antiphon.v1.Retrieval/Identify" for "Retrieval.Identify".
std::string PathOf(const std::string& package, const std::string& method);

class Dispatcher final : public grpc::CallbackGenericService {
 public:
  static constexpr char kUnknown[] = "unknown";  // what calls of no method are counted as

  // `gate` is borrowed, and outlives every call.
  explicit Dispatcher(CallGate& gate) : gate_(gate) {}

  // Before the server starts.
  void Add(const std::string& package, std::vector<Method> methods);

  bool Has(const std::string& path) const { return methods_.contains(path); }

  // Safe from any thread. Unimplemented for a path that nobody has added.
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;

 private:
  CallGate& gate_;
  std::map<std::string, Method> methods_;  // by path
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CALLS_DISPATCHER_H_
