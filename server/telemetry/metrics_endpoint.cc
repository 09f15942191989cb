#include "server/telemetry/metrics_endpoint.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"

namespace antiphon::server {
namespace {

constexpr size_t kMaxRequestBytes = 8192;
constexpr absl::Duration kMaxConnectionTime = absl::Seconds(5);

// Waits until `fd` is ready for `events`; false at the deadline.
bool WaitFor(int fd, short events, absl::Time deadline) {
  pollfd poll_fd{fd, events, 0};
  const int64_t left_ms = absl::ToInt64Milliseconds(deadline - absl::Now());
  return left_ms > 0 && poll(&poll_fd, 1, static_cast<int>(left_ms)) > 0;
}

// What came up to the empty line that ends a request's headers, or less when the limits are met
// first.
std::string ReadRequest(int connection, absl::Time deadline) {
  std::string request;
  char buffer[1024];
  while (request.size() < kMaxRequestBytes && !absl::StrContains(request, "\r\n\r\n")) {
    if (!WaitFor(connection, POLLIN, deadline)) break;
    const ssize_t n = recv(connection, buffer, sizeof(buffer), 0);
    if (n <= 0) break;
    request.append(buffer, static_cast<size_t>(n));
  }
  return request;
}

void Write(int connection, const std::string& bytes, absl::Time deadline) {
  for (size_t sent = 0; sent < bytes.size();) {
    if (!WaitFor(connection, POLLOUT, deadline)) return;
    const ssize_t n =
        send(connection, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return;
    if (n > 0) sent += static_cast<size_t>(n);
  }
}

std::string Response(const char* status, const std::string& body) {
  return absl::StrCat("HTTP/1.0 ", status,
                      "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n",
                      "Content-Length: ", body.size(), "\r\nConnection: close\r\n\r\n", body);
}

bool AsksFor(const std::string& request, absl::string_view path) {
  return absl::StartsWith(request, absl::StrCat("GET ", path, " ")) ||
         absl::StartsWith(request, absl::StrCat("GET ", path, "?"));
}

int PortOf(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

absl::StatusOr<int> Listen(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address.size()) {
    return absl::InvalidArgumentError(absl::StrCat("'", address, "' is not of the form host:port"));
  }
  std::string host = address.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found);
      error != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", address, "' is no address: ", gai_strerror(error)));
  }
  const int listener = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  const bool listening =
      listener >= 0 && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
      bind(listener, found->ai_addr, found->ai_addrlen) == 0 && listen(listener, 16) == 0;
  const int error = errno;
  freeaddrinfo(found);
  if (!listening) {
    if (listener >= 0) close(listener);
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", address, ": ", std::strerror(error)));
  }
  return listener;
}

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Start(
    const MetricsEndpointOptions& options, std::function<std::string()> text,
    std::function<ServerState()> state) {
  ASSIGN_OR_RETURN(const int listener, Listen(options.listen));
  int wake[2];
  if (pipe2(wake, O_CLOEXEC) != 0) {
    close(listener);
    return absl::UnavailableError(absl::StrCat("cannot make a pipe: ", std::strerror(errno)));
  }
  return std::unique_ptr<MetricsEndpoint>(new MetricsEndpoint(
      listener, wake[0], wake[1], PortOf(listener), std::move(text), std::move(state)));
}

MetricsEndpoint::MetricsEndpoint(int listener, int wake_read, int wake_write, int port,
                                 std::function<std::string()> text,
                                 std::function<ServerState()> state)
    : listener_(listener),
      wake_read_(wake_read),
      wake_write_(wake_write),
      port_(port),
      text_(std::move(text)),
      state_(std::move(state)) {
  thread_ = std::thread([this] { Serve(); });
}

MetricsEndpoint::~MetricsEndpoint() {
  close(wake_write_);
  thread_.join();
  close(wake_read_);
  close(listener_);
}

void MetricsEndpoint::Serve() {
  while (true) {
    pollfd waiting[2] = {{listener_, POLLIN, 0}, {wake_read_, POLLIN, 0}};
    if (poll(waiting, 2, -1) < 0) continue;
    if (waiting[1].revents != 0) return;
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) {
      absl::SleepFor(absl::Milliseconds(10));  // out of descriptors, perhaps: not a reason to spin
      continue;
    }
    Answer(connection);
    close(connection);
  }
}

void MetricsEndpoint::Answer(int connection) const {
  const absl::Time deadline = absl::Now() + kMaxConnectionTime;
  const std::string request = ReadRequest(connection, deadline);
  if (AsksFor(request, "/metrics")) {
    Write(connection, Response("200 OK", text_()), deadline);
  } else if (AsksFor(request, "/healthz")) {
    const ServerState state = state_();
    const bool serving = state == ServerState::kServing;
    const std::string name = absl::AsciiStrToUpper(ServerStateName(state));
    Write(connection, Response(serving ? "200 OK" : "503 Service Unavailable", name + "\n"),
          deadline);
  } else if (absl::StartsWith(request, "GET ")) {
    Write(connection, Response("404 Not Found", "There are only /metrics and /healthz here.\n"),
          deadline);
  } else {
    Write(connection, Response("400 Bad Request", "GET /metrics\n"), deadline);
  }
  shutdown(connection, SHUT_WR);
}

}  // namespace antiphon::server
