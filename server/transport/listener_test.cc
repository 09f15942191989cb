#include "server/transport/listener.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

class ListenerTest : public ::testing::Test {
 protected:
  void Start(int64_t max_descriptor = 1 << 20) {
    spdlog::set_level(spdlog::level::off);
    auto opened = Listener::Open("127.0.0.1:0", max_descriptor);
    ASSERT_TRUE(opened.ok()) << opened.status();
    listener_ = *std::move(opened);
    listener_->Start([this](int connection, int) {
      absl::MutexLock lock(&mutex_);
      taken_.emplace_back(connection);
    });
  }

  Descriptor Connect() const {
    Descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(listener_->port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    return client;
  }
  static std::string NameOf(const Descriptor& client) {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    getsockname(client.get(), reinterpret_cast<sockaddr*>(&address), &size);
    return absl::StrCat("ipv4:127.0.0.1:", ntohs(address.sin_port));
  }
  size_t Taken() {
    absl::MutexLock lock(&mutex_);
    return taken_.size();
  }
  void AwaitTaken(size_t count) {
    for (int i = 0; i < 500 && Taken() < count; ++i) absl::SleepFor(absl::Milliseconds(10));
    ASSERT_EQ(Taken(), count);
  }
  // Whether the other side closes it within some seconds.
  static bool IsClosed(const Descriptor& client) {
    pollfd waiting = {client.get(), POLLIN, 0};
    char byte = 0;
    return poll(&waiting, 1, 5000) == 1 && recv(client.get(), &byte, 1, 0) <= 0;
  }

  absl::Mutex mutex_;
  std::vector<Descriptor> taken_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerTest, HandsConnectionsOnAndKnowsWhatTheyReceived) {
  Start();
  const Descriptor client = Connect();
  AwaitTaken(1);
  EXPECT_EQ(listener_->accepted(), 1);
  const std::string peer = NameOf(client);
  EXPECT_EQ(listener_->BytesReceived(peer), 0);
  ASSERT_EQ(send(client.get(), "twelve bytes", 12, 0), 12);
  for (int i = 0; i < 100 && listener_->BytesReceived(peer) != 12; ++i)
    absl::SleepFor(absl::Milliseconds(10));
  EXPECT_EQ(listener_->BytesReceived(peer), 12);
  EXPECT_FALSE(listener_->BytesReceived("ipv4:127.0.0.1:1").has_value());
  EXPECT_FALSE(listener_->BytesReceived("unix:").has_value());
  {
    absl::MutexLock lock(&mutex_);
    taken_.clear();
  }
  EXPECT_FALSE(listener_->BytesReceived(peer).has_value()) << "it has been closed";
}

TEST_F(ListenerTest, KeepsRoomAndGoesOnWhenThereIsSomeAgain) {
  // As many descriptors as are open now, and ten more.
  const int next = Descriptor(socket(AF_INET, SOCK_STREAM, 0)).get();
  Start(next + 16);
  std::vector<Descriptor> clients;
  clients.reserve(40);
  for (int i = 0; i < 40; ++i) clients.push_back(Connect());
  EXPECT_TRUE(IsClosed(clients.back()));
  EXPECT_GT(listener_->refused(), 0);
  EXPECT_LT(Taken(), 16u);
  {
    absl::MutexLock lock(&mutex_);
    taken_.clear();
  }
  clients.clear();
  const Descriptor again = Connect();
  AwaitTaken(1);
}

TEST_F(ListenerTest, SurvivesHavingNoDescriptorAtAll) {
  Start();
  const Descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none = {static_cast<rlim_t>(client.get()) + 1, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(listener_->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  for (int i = 0; i < 500 && listener_->refused() == 0; ++i) absl::SleepFor(absl::Milliseconds(10));
  EXPECT_GT(listener_->refused(), 0);
  EXPECT_EQ(Taken(), 0u);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  AwaitTaken(1);
}

TEST_F(ListenerTest, StopsReadingWhatThereIs) {
  Start();
  const Descriptor client = Connect();
  AwaitTaken(1);
  EXPECT_EQ(listener_->StopReading(), 1);
  ASSERT_EQ(send(client.get(), "unread", 6, 0), 6);
  absl::MutexLock lock(&mutex_);
  pollfd waiting = {taken_.front().get(), POLLIN, 0};
  EXPECT_EQ(poll(&waiting, 1, 200), 0) << "it is not told of";
  EXPECT_EQ(send(taken_.front().get(), "out", 3, 0), 3) << "and can be answered";
  char answer[3];
  EXPECT_EQ(recv(client.get(), answer, 3, MSG_WAITALL), 3);
}

TEST_F(ListenerTest, TakesNothingOnceItHasStopped) {
  Start();
  listener_->Stop();
  const Descriptor client(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(listener_->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_NE(connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
}

}  // namespace
}  // namespace antiphon::server
