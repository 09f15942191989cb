#include "server/telemetry/metrics_endpoint.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"

namespace antiphon::server {
namespace {

constexpr size_t kMaxRequestBytes = 8192;
constexpr size_t kMaxConnections = 256;
constexpr absl::Duration kMaxConnectionTime = absl::Seconds(5);

std::string Response(const char* status, const std::string& body, const char* more = "") {
  return absl::StrCat("HTTP/1.0 ", status,
                      "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n", more,
                      "Content-Length: ", body.size(), "\r\nConnection: close\r\n\r\n", body);
}

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Start(
    const MetricsEndpointOptions& options, std::function<std::string()> text,
    std::function<Health()> health) {
  ASSIGN_OR_RETURN(auto listening, Listen(options.listen));
  int wake[2];
  if (pipe2(wake, O_CLOEXEC) != 0)
    return absl::UnavailableError(absl::StrCat("cannot make a pipe: ", std::strerror(errno)));
  return std::unique_ptr<MetricsEndpoint>(
      new MetricsEndpoint(std::move(listening), Descriptor(wake[0]), Descriptor(wake[1]),
                          std::move(text), std::move(health)));
}

MetricsEndpoint::MetricsEndpoint(ListeningSockets listening, Descriptor wake_read,
                                 Descriptor wake_write, std::function<std::string()> text,
                                 std::function<Health()> health)
    : listening_(std::move(listening)),
      wake_read_(std::move(wake_read)),
      wake_write_(std::move(wake_write)),
      text_(std::move(text)),
      health_(std::move(health)) {
  thread_ = std::thread([this] { Serve(); });
}

MetricsEndpoint::~MetricsEndpoint() {
  wake_write_.Close();
  thread_.join();
}

void MetricsEndpoint::Serve() {
  std::vector<pollfd> waiting;
  while (true) {
    waiting = {{wake_read_.get(), POLLIN, 0}};
    for (const Descriptor& socket : listening_.sockets)
      waiting.push_back({socket.get(), POLLIN, 0});
    const size_t first = waiting.size();
    for (const Connection& connection : connections_) {
      const bool reading = connection.answer.empty();
      waiting.push_back(
          {connection.socket.get(), static_cast<short>(reading ? POLLIN : POLLOUT), 0});
    }
    // The oldest connection is the next to end.
    const int64_t timeout_ms =
        connections_.empty()
            ? -1
            : std::max<int64_t>(
                  0,
                  absl::ToInt64Milliseconds(Between(SteadyNow(), connections_.front().ends)) + 1);
    if (poll(waiting.data(), waiting.size(), static_cast<int>(timeout_ms)) < 0) continue;
    if (waiting[0].revents != 0) return;
    size_t i = first;
    for (auto connection = connections_.begin(); connection != connections_.end(); ++i) {
      const bool ready = waiting[i].revents != 0;
      const bool over = SteadyNow() >= connection->ends || (ready && !GoOn(*connection));
      connection = over ? connections_.erase(connection) : std::next(connection);
    }
    for (size_t listener = 1; listener < first; ++listener) {
      if (waiting[listener].revents != 0) Accept(waiting[listener].fd);
    }
  }
}

void MetricsEndpoint::Accept(int listener) {
  Descriptor socket(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket.open()) {
    // Out of descriptors, perhaps. Giving one up helps, and spinning does not.
    if (errno == EMFILE && !connections_.empty()) connections_.pop_front();
    absl::SleepFor(absl::Milliseconds(10));
    return;
  }
  if (connections_.size() >= kMaxConnections) connections_.pop_front();
  Connection& connection = connections_.emplace_back();
  connection.socket = std::move(socket);
  connection.ends = After(kMaxConnectionTime);
}

bool MetricsEndpoint::GoOn(Connection& connection) const {
  const int socket = connection.socket.get();
  if (connection.answer.empty()) {
    char buffer[1024];
    const ssize_t n = recv(socket, buffer, sizeof(buffer), 0);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0) return false;
    connection.request.append(buffer, static_cast<size_t>(n));
    const bool whole = absl::StrContains(connection.request, "\r\n\r\n");
    if (!whole && connection.request.size() < kMaxRequestBytes) return true;
    connection.answer = AnswerTo(connection.request);
  }
  const std::string& answer = connection.answer;
  while (connection.sent < answer.size()) {
    const ssize_t n = send(socket, answer.data() + connection.sent, answer.size() - connection.sent,
                           MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    connection.sent += static_cast<size_t>(n);
  }
  shutdown(socket, SHUT_WR);
  return false;
}

std::string MetricsEndpoint::AnswerTo(const std::string& request) const {
  const bool head = absl::StartsWith(request, "HEAD ");
  if (!head && !absl::StartsWith(request, "GET "))
    return Response("405 Method Not Allowed", "GET /metrics\n", "Allow: GET, HEAD\r\n");
  const std::string target = request.substr(request.find(' ') + 1);
  const std::string path = target.substr(0, target.find_first_of(" ?\r\n"));
  std::string answer;
  if (path == "/metrics") {
    answer = Response("200 OK", text_());
  } else if (path == "/healthz") {
    const Health health = health_();
    answer = Response(health.serving ? "200 OK" : "503 Service Unavailable", health.state + "\n");
  } else {
    answer = Response("404 Not Found", "There are only /metrics and /healthz here.\n");
  }
  return head ? answer.substr(0, answer.find("\r\n\r\n") + 4) : answer;
}

}  // namespace antiphon::server
