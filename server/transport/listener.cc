#include "server/transport/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "core/base/status_macros.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

// While there is no descriptor for a connection that waits, poll(2) would return at once.
constexpr absl::Duration kPause = absl::Milliseconds(50);
constexpr absl::Duration kBetweenMessages = absl::Minutes(1);
constexpr char kUnix[] = "unix:";

// As gRPC names it, without its escapes. Empty for what is not TCP.
std::string NameOf(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN];
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    return absl::StrCat("ipv4:", text, ":", ntohs(v4.sin_port));
  }
  if (address.ss_family != AF_INET6) return "";
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text, sizeof(text));
    return absl::StrCat("ipv4:", text, ":", ntohs(v6.sin6_port));
  }
  inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
  return absl::StrCat("ipv6:[", text, "]:", ntohs(v6.sin6_port));
}

std::string PeerOf(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "";
  return NameOf(address);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Open(const std::string& address,
                                                         int64_t max_descriptor) {
  ASSIGN_OR_RETURN(auto claim, SocketClaim::Take(address));
  std::string path(absl::StartsWith(address, kUnix) ? address.substr(sizeof(kUnix) - 1) : "");
  if (!path.empty()) unlink(path.c_str());
  ASSIGN_OR_RETURN(auto listening, Listen(address));
  int wake[2];
  if (pipe2(wake, O_CLOEXEC) != 0)
    return absl::UnavailableError(absl::StrCat("cannot make a pipe: ", std::strerror(errno)));
  return std::unique_ptr<Listener>(new Listener(std::move(listening), std::move(claim),
                                                std::move(path), Descriptor(wake[0]),
                                                Descriptor(wake[1]), max_descriptor));
}

Listener::Listener(ListeningSockets listening, std::unique_ptr<SocketClaim> claim, std::string path,
                   Descriptor wake_read, Descriptor wake_write, int64_t max_descriptor)
    : claim_(std::move(claim)),
      path_(std::move(path)),
      listening_(std::move(listening)),
      port_(listening_.port),
      wake_read_(std::move(wake_read)),
      wake_write_(std::move(wake_write)),
      max_descriptor_(max_descriptor) {}

Listener::~Listener() { Stop(); }

void Listener::Start(std::function<void(int connection, int listener)> accepted) {
  accepted_ = std::move(accepted);
  thread_ = std::thread([this] { Run(); });
}

void Listener::Stop() {
  wake_write_.Close();
  if (thread_.joinable()) thread_.join();
  if (!path_.empty() && !listening_.sockets.empty()) unlink(path_.c_str());
  listening_.sockets.clear();
}

void Listener::Run() {
  std::vector<pollfd> waiting = {{wake_read_.get(), POLLIN, 0}};
  for (const Descriptor& socket : listening_.sockets) waiting.push_back({socket.get(), POLLIN, 0});
  while (true) {
    if (poll(waiting.data(), waiting.size(), -1) < 0) continue;
    if (waiting[0].revents != 0) return;
    for (size_t i = 1; i < waiting.size(); ++i) {
      if (waiting[i].revents != 0) Accept(waiting[i].fd);
    }
  }
}

void Listener::Accept(int listener) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  Descriptor connection(accept4(listener, reinterpret_cast<sockaddr*>(&address), &size,
                                SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!connection.open()) {
    // Those that came and went meanwhile are nobody's fault.
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return;
    Refuse(std::strerror(errno));
    absl::SleepFor(kPause);
    return;
  }
  // The kernel gives the lowest number that is free, so that one this high means as many are open.
  if (connection.get() >= max_descriptor_) return Refuse("no descriptors are left for connections");
  const std::string peer = NameOf(address);
  {
    absl::MutexLock lock(&mutex_);
    ++taken_;
    if (!peer.empty()) {
      // Whoever had the number before has gone.
      if (const auto before = peers_.find(connection.get()); before != peers_.end())
        descriptors_.erase(before->second);
      peers_[connection.get()] = peer;
      descriptors_[peer] = connection.get();
    }
  }
  accepted_(connection.Release(), listener);
}

void Listener::Refuse(const char* why) {
  absl::MutexLock lock(&mutex_);
  ++refused_;
  if (said_ != SteadyTime::min() && Between(said_, SteadyNow()) < kBetweenMessages) return;
  said_ = SteadyNow();
  spdlog::error("connections are refused, {} so far: {}", refused_, why);
}

bool Listener::IsStill(int descriptor, const std::string& peer) {
  return PeerOf(descriptor) == peer;
}

int Listener::StopReading() {
  const int never = INT_MAX / 2;  // the kernel cuts it to what the socket may hold
  int connections = 0;
  absl::MutexLock lock(&mutex_);
  for (const auto& [peer, descriptor] : descriptors_) {
    if (!IsStill(descriptor, peer)) continue;
    setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &never, sizeof(never));
    ++connections;
  }
  return connections;
}

std::optional<int64_t> Listener::BytesReceived(const std::string& peer) const {
  const std::string name = absl::StrReplaceAll(peer, {{"%5B", "["}, {"%5D", "]"}});
  absl::MutexLock lock(&mutex_);
  const auto found = descriptors_.find(name);
  if (found == descriptors_.end() || !IsStill(found->second, name)) return std::nullopt;
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(found->second, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  return static_cast<int64_t>(info.tcpi_bytes_received);
}

int64_t Listener::accepted() const {
  absl::MutexLock lock(&mutex_);
  return taken_;
}

int64_t Listener::refused() const {
  absl::MutexLock lock(&mutex_);
  return refused_;
}

}  // namespace antiphon::server
