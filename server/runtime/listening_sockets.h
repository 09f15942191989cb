// Sockets that listen. Plain values; functions are safe from any thread.
#ifndef ANTIPHON_SERVER_RUNTIME_LISTENING_SOCKETS_H_
#define ANTIPHON_SERVER_RUNTIME_LISTENING_SOCKETS_H_

#include <sys/socket.h>
#include <sys/un.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/descriptor.h"

namespace antiphon::server {

struct ListeningSockets {
  std::vector<Descriptor> sockets;  // non-blocking; one for each address of the host
  int port = 0;                     // of all of them; 0 for a Unix socket
};

// Of "unix:PATH" or "unix-abstract:NAME".
struct UnixAddress {
  sockaddr_un name{};
  socklen_t size = 0;  // of `name`, as far as it counts

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&name); }
};
bool IsUnixAddress(absl::string_view address);
// InvalidArgument where no socket can have it. Requires IsUnixAddress.
[[nodiscard]] absl::StatusOr<UnixAddress> ParseUnixAddress(absl::string_view address);

// Listens on "host:port" ("[::1]:9464" for IPv6; port 0 takes a free one; 0.0.0.0 and [::] are
// every address of the machine, of IPv6 too where there is any), "unix:PATH" or
// "unix-abstract:NAME". InvalidArgument on an address that is none, Unavailable when it cannot be
// had.
[[nodiscard]] absl::StatusOr<ListeningSockets> Listen(const std::string& address);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_RUNTIME_LISTENING_SOCKETS_H_
