#include "server/runtime/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <string>

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

}  // namespace antiphon::server
