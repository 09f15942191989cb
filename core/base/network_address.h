// Addresses as people write them, for servers that listen and clients that connect: "host:port" and
// the paths of Unix sockets. Nothing is looked up or connected to. Pure functions; safe from any
// thread.
#ifndef ANTIPHON_CORE_BASE_NETWORK_ADDRESS_H_
#define ANTIPHON_CORE_BASE_NETWORK_ADDRESS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace antiphon {

struct HostPort {
  std::string host;  // a name, an IPv4 address, or an IPv6 address without its brackets
  int port = 0;      // 0 to 65535
};

// Of "localhost:50051", "10.0.0.5:50051" or "[::1]:50051". InvalidArgument says what is wrong with
// any other text (no port, a scheme such as http://, IPv6 without brackets, ...) and gives the form
// that is right.
[[nodiscard]] absl::StatusOr<HostPort> ParseHostPort(absl::string_view address);

// Whether a host is this machine and nothing else: 127.0.0.0/8, ::1 or localhost. Any other name is
// not, whatever it may stand for.
bool IsLoopback(const std::string& host);

// Longest path of a Unix socket, bytes.
inline constexpr size_t kMaxSocketPathBytes = 107;

// InvalidArgument for a path that no Unix socket can have: empty or too long, or with a % in it,
// which gRPC takes for the start of an escape.
[[nodiscard]] absl::Status CheckSocketPath(absl::string_view path);

}  // namespace antiphon

#endif  // ANTIPHON_CORE_BASE_NETWORK_ADDRESS_H_
