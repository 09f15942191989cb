// Whether a port answers as a gRPC server does: connects to it like any client, with TLS where it
// asks for that, and waits for the settings that HTTP/2 begins with (RFC 9113, 3.4). Stateless;
// safe from any thread.
#ifndef ANTIPHON_SERVER_TRANSPORT_PORT_PROBE_H_
#define ANTIPHON_SERVER_TRANSPORT_PORT_PROBE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace antiphon::server {

// `address` is what the server listens on (listening_sockets.h), with the port that it got: of all
// addresses of the machine the loopback is asked. No certificate is checked, and none is shown:
// where clients must have one, a handshake up to there is answer enough. Unavailable says what is
// wrong.
enum class PortTls { kNone, kServer, kMutual };
[[nodiscard]] absl::Status ProbePort(const std::string& address, PortTls tls,
                                     absl::Duration timeout);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_TRANSPORT_PORT_PROBE_H_
