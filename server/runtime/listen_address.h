// What an address that gRPC is to listen on means: whether it is one, who can reach it, and how a
// server makes sure that a Unix socket is its own.
//
// Functions are stateless and safe from any thread.
#ifndef ANTIPHON_SERVER_RUNTIME_LISTEN_ADDRESS_H_
#define ANTIPHON_SERVER_RUNTIME_LISTEN_ADDRESS_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/descriptor.h"

namespace antiphon::server {

// InvalidArgument, with the form that is right, unless it is host:port ([::1]:50051 for IPv6),
// unix:PATH, unix:///PATH or unix-abstract:NAME.
[[nodiscard]] absl::Status CheckListenAddress(absl::string_view address);

// The same of an address that must be host:port, such as the one of the metrics.
[[nodiscard]] absl::Status CheckTcpListenAddress(absl::string_view address);

// True for Unix sockets and for 127.0.0.0/8, ::1 and localhost with a port. What cannot be told
// from the text, such as any other name, is taken for public.
bool IsLocalAddress(absl::string_view address);

// That a Unix socket belongs to this server and to no other, for as long as the claim lives: from
// before it listens until after it has stopped. Without it a second server would remove the first
// one's socket and take its place, and the first would never notice.
//
// The claim is a lock on the file PATH.lock beside the socket, which the system gives up when the
// process ends, however it ends. Belongs to one thread at a time.
class SocketClaim {
 public:
  // Unavailable when another process has claimed the socket, or listens there without a claim (as
  // other programs do), whether it answers or not; also when the lock cannot be made, or something
  // that is no socket lies in the way. A socket that a dead server has left behind is free. So is
  // every address that is no Unix socket: the system itself refuses those that are in use.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<SocketClaim>> Take(absl::string_view address);

  ~SocketClaim();  // removes PATH.lock
  SocketClaim(const SocketClaim&) = delete;
  SocketClaim& operator=(const SocketClaim&) = delete;

 private:
  SocketClaim(std::string lock_path, Descriptor lock)
      : lock_path_(std::move(lock_path)), lock_(std::move(lock)) {}

  const std::string lock_path_;
  const Descriptor lock_;  // closed where there is nothing to claim
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_RUNTIME_LISTEN_ADDRESS_H_
