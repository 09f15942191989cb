#include "core/base/network_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace antiphon {
namespace {

static_assert(kMaxSocketPathBytes + 1 == sizeof(sockaddr_un::sun_path));

constexpr size_t kMaxHostBytes = 253;
constexpr char kExample[] = "127.0.0.1:50051";

absl::Status Refuse(absl::string_view address, absl::string_view what,
                    absl::string_view form = kExample) {
  return absl::InvalidArgumentError(absl::StrCat("'", absl::Utf8SafeCEscape(address), "' ", what,
                                                 "; write HOST:PORT, such as ", form));
}

bool IsIpv4(const std::string& text) {
  in_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
}

// With or without a zone, as in fe80::1%eth0.
bool IsIpv6(absl::string_view text) {
  in6_addr address{};
  return inet_pton(AF_INET6, std::string(text.substr(0, text.find('%'))).c_str(), &address) == 1;
}

// The length of a beginning that belongs to a URI and to no host: "http://", "dns:///", "ipv4:".
size_t SchemeLength(absl::string_view text) {
  if (const size_t slashes = text.find("://"); slashes != absl::string_view::npos)
    return std::min(text.find_first_not_of('/', slashes + 1), text.size());
  for (const absl::string_view scheme :
       {"dns:", "ipv4:", "ipv6:", "xds:", "vsock:", "http:", "https:", "grpc:", "grpcs:", "tcp:"}) {
    if (absl::StartsWith(text, scheme) && text.find(':', scheme.size()) != absl::string_view::npos)
      return scheme.size();
  }
  return 0;
}

absl::Status RefuseScheme(absl::string_view address, size_t length) {
  const absl::string_view scheme = address.substr(0, length);
  const absl::string_view rest = address.substr(length);
  const std::string host(rest.substr(0, rest.find_first_of("/?#")));
  std::string form = kExample;
  for (const std::string& candidate : {host, absl::StrCat(host, ":50051")}) {
    if (SchemeLength(candidate) > 0 || !ParseHostPort(candidate).ok()) continue;
    form = candidate;
    break;
  }
  return Refuse(
      address,
      absl::StrCat("begins with ", absl::Utf8SafeCEscape(scheme), ", and an address has no scheme"),
      form);
}

absl::StatusOr<int> ParsePort(absl::string_view address, absl::string_view text,
                              absl::string_view host) {
  const bool digits = std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  int port = 0;
  if (text.empty()) return Refuse(address, "has no port", absl::StrCat(host, ":50051"));
  if (!digits) return Refuse(address, "has a port that is no number", absl::StrCat(host, ":50051"));
  if (!absl::SimpleAtoi(text, &port) || port > 65535)
    return Refuse(address, "has a port that is not in 0 to 65535", absl::StrCat(host, ":50051"));
  return port;
}

absl::Status CheckHostName(absl::string_view address, const std::string& host) {
  if (host.empty()) return Refuse(address, "has no host");
  const bool only_numbers = std::all_of(host.begin(), host.end(),
                                        [](char c) { return absl::ascii_isdigit(c) || c == '.'; });
  if (only_numbers && !IsIpv4(host)) return Refuse(address, "has no IPv4 address for a host");
  const bool name = std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_';
  });
  if (!name || host.size() > kMaxHostBytes) return Refuse(address, "has no name of a host");
  return absl::OkStatus();
}

absl::StatusOr<HostPort> ParseBracketed(absl::string_view address) {
  const size_t end = address.find(']');
  if (end == absl::string_view::npos) return Refuse(address, "has a [ and no ]", "[::1]:50051");
  const absl::string_view host = address.substr(1, end - 1);
  if (!IsIpv6(host)) return Refuse(address, "has no IPv6 address in its brackets", "[::1]:50051");
  absl::string_view rest = address.substr(end + 1);
  const absl::string_view bracketed = address.substr(0, end + 1);
  if (!rest.empty() && rest.front() != ':')
    return Refuse(address, "has more than a port behind its host",
                  absl::StrCat(bracketed, ":50051"));
  if (!rest.empty()) rest.remove_prefix(1);
  ASSIGN_OR_RETURN(const int port, ParsePort(address, rest, bracketed));
  return HostPort{std::string(host), port};
}

}  // namespace

absl::StatusOr<HostPort> ParseHostPort(absl::string_view address) {
  if (address.empty()) return Refuse(address, "is empty");
  if (const size_t scheme = SchemeLength(address); scheme > 0) return RefuseScheme(address, scheme);
  if (address.front() == '[') return ParseBracketed(address);
  const size_t colon = address.find(':');
  if (colon != absl::string_view::npos && address.find(':', colon + 1) != absl::string_view::npos) {
    if (IsIpv6(address))
      return Refuse(address, "is an IPv6 address without brackets",
                    absl::StrCat("[", address, "]:50051"));
    return Refuse(address, "has more than one colon, and only an IPv6 address in brackets may");
  }
  const std::string host(address.substr(0, colon));
  RETURN_IF_ERROR(CheckHostName(address, host));
  const absl::string_view port_text =
      colon == absl::string_view::npos ? absl::string_view() : address.substr(colon + 1);
  ASSIGN_OR_RETURN(const int port, ParsePort(address, port_text, host));
  return HostPort{host, port};
}

bool IsLoopback(const std::string& host) {
  if (host == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

absl::Status CheckSocketPath(absl::string_view path) {
  if (path.empty())
    return absl::InvalidArgumentError(
        "the path of the socket is empty; write unix:PATH, such as unix:/run/antiphon.sock");
  if (path.size() > kMaxSocketPathBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the path of the socket has ", path.size(), " bytes, and the system takes ",
                     kMaxSocketPathBytes, " at most; choose a shorter one"));
  }
  if (path.find('%') != absl::string_view::npos)
    return absl::InvalidArgumentError("the path of a socket must have no % in it");
  return absl::OkStatus();
}

}  // namespace antiphon
