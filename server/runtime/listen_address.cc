#include "server/runtime/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"

namespace antiphon::server {
namespace {

// "host:port", "[v6]:port", "[v6]" or "host", without the port and the brackets.
std::string HostOf(std::string_view address) {
  if (address.starts_with('[')) return std::string(address.substr(1, address.find(']') - 1));
  // More than one colon and no brackets: a bare IPv6 address.
  const bool has_port = std::count(address.begin(), address.end(), ':') == 1;
  return std::string(has_port ? address.substr(0, address.find(':')) : address);
}

}  // namespace

bool IsLocalAddress(std::string_view address) {
  if (address.starts_with("unix:") || address.starts_with("unix-abstract:")) return true;
  for (const std::string_view scheme : {std::string_view("ipv4:"), std::string_view("ipv6:")}) {
    if (address.starts_with(scheme)) address.remove_prefix(scheme.size());
  }
  const std::string host = HostOf(address);
  if (host == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

absl::Status CheckSocketIsFree(std::string_view address) {
  std::string_view path = address;
  if (!path.starts_with("unix:")) return absl::OkStatus();
  path.remove_prefix(5);
  if (path.starts_with("//")) path.remove_prefix(2);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(name.sun_path))
    return absl::OkStatus();  // gRPC's to say
  path.copy(name.sun_path, path.size());
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) return absl::OkStatus();
  const int connected = connect(probe, reinterpret_cast<const sockaddr*>(&name), sizeof(name));
  const bool in_use = connected == 0 || errno == EAGAIN;  // the latter: others wait already
  close(probe);
  if (!in_use) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot listen on ", std::string(address), ": another server listens there"));
}

}  // namespace antiphon::server
