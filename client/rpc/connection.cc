#include "client/rpc/connection.h"

#include "client/rpc/caller.h"
#include "client/rpc/channel.h"
#include "core/base/status_macros.h"

namespace antiphon::client {

Connection::Connection(std::unique_ptr<const Caller> caller) : caller_(std::move(caller)) {}
Connection::~Connection() = default;

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  ASSIGN_OR_RETURN(Channel channel, OpenChannel(options));
  return std::unique_ptr<Connection>(
      new Connection(std::make_unique<Caller>(options, std::move(channel))));
}

absl::StatusOr<v1::Limits> Connection::Limits() {
  if (!limits_) {
    ASSIGN_OR_RETURN(v1::StatusResponse status, Call(kStatus, {}));
    limits_ = status.limits();
  }
  return *limits_;
}

const std::string& Connection::server() const { return caller_->options().server; }

}  // namespace antiphon::client
