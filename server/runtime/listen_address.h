// What an address that gRPC is to listen on means: who can reach it, and whether it is in use.
// Stateless; safe from any thread.
#ifndef ANTIPHON_SERVER_RUNTIME_LISTEN_ADDRESS_H_
#define ANTIPHON_SERVER_RUNTIME_LISTEN_ADDRESS_H_

#include <string_view>

#include "absl/status/status.h"

namespace antiphon::server {

// True for Unix sockets, 127.0.0.0/8, ::1 and localhost, with or without a port and gRPC's "ipv4:"
// and "ipv6:". What cannot be told from the text, such as any other name, is taken for public.
bool IsLocalAddress(std::string_view address);

// Unavailable when the address is a Unix socket (unix:PATH, unix:///PATH) on which somebody
// listens. gRPC would remove the socket and take its place, and the other server would never
// notice. A socket that a dead server has left behind is free, and so is every other kind of
// address: the system itself refuses those that are in use.
[[nodiscard]] absl::Status CheckSocketIsFree(std::string_view address);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_RUNTIME_LISTEN_ADDRESS_H_
