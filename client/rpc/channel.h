// The way to the server: who is at the other end, and who asks. Free of state.
#ifndef ANTIPHON_CLIENT_RPC_CHANNEL_H_
#define ANTIPHON_CLIENT_RPC_CHANNEL_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/rpc/connection_options.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace antiphon::client {

struct Channel {
  std::shared_ptr<grpc::Channel> channel;
  std::vector<std::pair<std::string, std::string>> metadata;  // of every call
};

// InvalidArgument, with the form that is right, unless the server is HOST:PORT, unix:PATH or
// unix-abstract:NAME. Nothing is looked up or connected to.
[[nodiscard]] absl::Status CheckServerAddress(const std::string& server);

// Reads certificates and keys; the server is asked by the first call only. InvalidArgument names
// the file that cannot be read, or refuses to send a key in the clear to another machine.
[[nodiscard]] absl::StatusOr<Channel> OpenChannel(const ConnectionOptions& options);

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_RPC_CHANNEL_H_
