#include "server/runtime/listening_sockets.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/network_address.h"
#include "core/base/status_macros.h"

namespace antiphon::server {
namespace {

constexpr int kBacklog = 4096;  // the kernel's own bound is usually lower
constexpr char kUnix[] = "unix:";
constexpr char kUnixAbstract[] = "unix-abstract:";

absl::Status CannotListen(const std::string& address) {
  return absl::UnavailableError(
      absl::StrCat("cannot listen on ", address, ": ", std::strerror(errno),
                   errno == EADDRINUSE ? "; is another server running?" : ""));
}

absl::StatusOr<Descriptor> ListenOn(const sockaddr* where, socklen_t size,
                                    const std::string& address) {
  Descriptor listener(socket(where->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.open()) return CannotListen(address);
  const int on = 1;
  const int off = 0;
  if (where->sa_family != AF_UNIX) {
    // Connections have these from the socket that they come by.
    setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(listener.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  if (where->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(where);
    const bool every = std::memcmp(&v6->sin6_addr, &in6addr_any, sizeof(in6addr_any)) == 0;
    setsockopt(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, every ? &off : &on, sizeof(on));
  }
  if (bind(listener.get(), where, size) != 0 || listen(listener.get(), kBacklog) != 0)
    return CannotListen(address);
  return listener;
}

int PortOf(const Descriptor& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

absl::StatusOr<ListeningSockets> ListenOnUnix(const std::string& address) {
  ASSIGN_OR_RETURN(const UnixAddress where, ParseUnixAddress(address));
  ListeningSockets listening;
  ASSIGN_OR_RETURN(auto listener, ListenOn(where.get(), where.size, address));
  listening.sockets.push_back(std::move(listener));
  return listening;
}

// Every address of the machine in one socket, where IPv6 is there to give it.
absl::StatusOr<Descriptor> ListenEverywhere(int port, const std::string& address) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(static_cast<uint16_t>(port));
  absl::StatusOr<Descriptor> listener =
      ListenOn(reinterpret_cast<const sockaddr*>(&v6), sizeof(v6), address);
  if (listener.ok() || errno == EADDRINUSE || errno == EACCES) return listener;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(static_cast<uint16_t>(port));
  return ListenOn(reinterpret_cast<const sockaddr*>(&v4), sizeof(v4), address);
}

}  // namespace

bool IsUnixAddress(absl::string_view address) {
  return absl::StartsWith(address, kUnix) || absl::StartsWith(address, kUnixAbstract);
}

absl::StatusOr<UnixAddress> ParseUnixAddress(absl::string_view address) {
  const bool abstract = absl::StartsWith(address, kUnixAbstract);
  const std::string name(absl::StripPrefix(address, abstract ? kUnixAbstract : kUnix));
  RETURN_IF_ERROR(CheckSocketPath(name));
  UnixAddress parsed;
  parsed.name.sun_family = AF_UNIX;
  const size_t begin = abstract ? 1 : 0;  // such names begin with a zero byte
  if (begin + name.size() > sizeof(parsed.name.sun_path) - 1)
    return absl::InvalidArgumentError(absl::StrCat("'", address, "' is too long"));
  std::memcpy(parsed.name.sun_path + begin, name.data(), name.size());
  parsed.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + begin + name.size() +
                                       (abstract ? 0 : 1));
  return parsed;
}

absl::StatusOr<ListeningSockets> Listen(const std::string& address) {
  if (IsUnixAddress(address)) return ListenOnUnix(address);
  ASSIGN_OR_RETURN(const HostPort parts, ParseHostPort(address));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error =
          getaddrinfo(parts.host.c_str(), absl::StrCat(parts.port).c_str(), &hints, &found);
      error != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", address, "' is no address: ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  ListeningSockets listening;
  if (parts.host == "0.0.0.0" || parts.host == "::") {
    ASSIGN_OR_RETURN(auto listener, ListenEverywhere(parts.port, address));
    listening.sockets.push_back(std::move(listener));
    listening.port = PortOf(listening.sockets.front());
    return listening;
  }
  // A name such as localhost has several addresses, of which the machine may lack some; with port 0
  // all take the port that the first one got.
  absl::Status failure;
  for (addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
    if (listening.port != 0) {
      const auto port = htons(static_cast<uint16_t>(listening.port));
      if (each->ai_family == AF_INET6) {
        reinterpret_cast<sockaddr_in6*>(each->ai_addr)->sin6_port = port;
      } else {
        reinterpret_cast<sockaddr_in*>(each->ai_addr)->sin_port = port;
      }
    }
    absl::StatusOr<Descriptor> listener = ListenOn(each->ai_addr, each->ai_addrlen, address);
    if (!listener.ok()) {
      if (errno == EADDRINUSE) return listener.status();
      failure = listener.status();
      continue;
    }
    listening.sockets.push_back(*std::move(listener));
    listening.port = PortOf(listening.sockets.front());
  }
  if (listening.sockets.empty()) return failure;
  return listening;
}

}  // namespace antiphon::server
