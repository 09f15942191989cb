// Whether others than this machine can reach an address that gRPC is to listen on. Stateless; safe
// from any thread.
#ifndef ANTIPHON_SERVER_RUNTIME_LISTEN_ADDRESS_H_
#define ANTIPHON_SERVER_RUNTIME_LISTEN_ADDRESS_H_

#include <string_view>

namespace antiphon::server {

// True for Unix sockets, 127.0.0.0/8, ::1 and localhost, with or without a port and gRPC's "ipv4:"
// and "ipv6:". What cannot be told from the text, such as any other name, is taken for public.
bool IsLocalAddress(std::string_view address);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_RUNTIME_LISTEN_ADDRESS_H_
