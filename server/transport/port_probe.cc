#include "server/transport/port_probe.h"

#include <netdb.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/descriptor.h"
#include "core/base/network_address.h"
#include "core/base/status_macros.h"
#include "server/runtime/listening_sockets.h"

namespace antiphon::server {
namespace {

// The client's preface and an empty SETTINGS frame.
constexpr std::string_view kPreface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
constexpr size_t kFrameHeaderBytes = 9;
constexpr unsigned char kSettings = 4;  // the fourth byte of a frame is its type

absl::Status Fails(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

absl::StatusOr<Descriptor> ConnectTo(const sockaddr* address, socklen_t size,
                                     absl::Duration timeout) {
  Descriptor connection(socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!connection.open()) return Fails("socket");
  const timeval limit = absl::ToTimeval(timeout);
  setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  if (connect(connection.get(), address, size) != 0) return Fails("connect");
  return connection;
}

absl::StatusOr<Descriptor> Connect(const std::string& address, absl::Duration timeout) {
  if (IsUnixAddress(address)) {
    ASSIGN_OR_RETURN(const UnixAddress where, ParseUnixAddress(address));
    return ConnectTo(where.get(), where.size, timeout);
  }
  ASSIGN_OR_RETURN(HostPort where, ParseHostPort(address));
  if (where.host == "0.0.0.0") where.host = "127.0.0.1";
  if (where.host == "::") where.host = "localhost";
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error =
          getaddrinfo(where.host.c_str(), absl::StrCat(where.port).c_str(), &hints, &found);
      error != 0) {
    return absl::UnavailableError(absl::StrCat(where.host, ": ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  absl::StatusOr<Descriptor> connection = absl::UnavailableError("no address");
  for (addrinfo* each = addresses.get(); each != nullptr && !connection.ok(); each = each->ai_next)
    connection = ConnectTo(each->ai_addr, each->ai_addrlen, timeout);
  return connection;
}

absl::Status CheckFrame(const unsigned char (&header)[kFrameHeaderBytes]) {
  if (header[3] == kSettings) return absl::OkStatus();
  return absl::UnavailableError("what answers does not speak HTTP/2");
}

absl::Status ProbePlain(const Descriptor& connection) {
  if (send(connection.get(), kPreface.data(), kPreface.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(kPreface.size())) {
    return Fails("send");
  }
  unsigned char header[kFrameHeaderBytes];
  errno = 0;
  if (recv(connection.get(), header, sizeof(header), MSG_WAITALL) !=
      static_cast<ssize_t>(sizeof(header))) {
    return errno == 0 ? absl::UnavailableError("the connection was closed") : Fails("receive");
  }
  return CheckFrame(header);
}

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

absl::Status ProbeTls(const Descriptor& connection, bool mutual) {
  const std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>> context(SSL_CTX_new(TLS_client_method()));
  const std::unique_ptr<SSL, Freer<SSL_free>> tls(context ? SSL_new(context.get()) : nullptr);
  constexpr unsigned char kProtocols[] = {2, 'h', '2'};
  if (tls == nullptr || SSL_set_alpn_protos(tls.get(), kProtocols, sizeof(kProtocols)) != 0 ||
      SSL_set_fd(tls.get(), connection.get()) != 1) {
    return absl::UnavailableError("OpenSSL has no memory");
  }
  ERR_clear_error();
  unsigned char header[kFrameHeaderBytes];
  size_t done = 0;
  const bool shaken = SSL_connect(tls.get()) == 1;
  if (shaken && mutual) return absl::OkStatus();
  const bool answered =
      shaken && SSL_write_ex(tls.get(), kPreface.data(), kPreface.size(), &done) == 1 &&
      SSL_read_ex(tls.get(), header, sizeof(header), &done) == 1 && done == sizeof(header);
  const unsigned long error = ERR_peek_error();
  ERR_clear_error();
  if (answered) return CheckFrame(header);
  const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  return absl::UnavailableError(absl::StrCat("TLS: ", reason != nullptr ? reason : "no answer"));
}

}  // namespace

absl::Status ProbePort(const std::string& address, PortTls tls, absl::Duration timeout) {
  ASSIGN_OR_RETURN(const auto connection, Connect(address, timeout));
  return tls == PortTls::kNone ? ProbePlain(connection)
                               : ProbeTls(connection, tls == PortTls::kMutual);
}

}  // namespace antiphon::server
