#include "server/runtime/listen_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "core/testing/temporary_folder.h"

namespace antiphon::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(ListenAddress, TakesHostsWithPortsAndSockets) {
  for (const char* address :
       {"127.0.0.1:50051", "0.0.0.0:0", "[::]:50051", "localhost:1", "unix:/run/antiphon.sock",
        "unix:relative.sock", "unix:///run/antiphon.sock", "unix-abstract:antiphon"}) {
    EXPECT_TRUE(CheckListenAddress(address).ok()) << CheckListenAddress(address);
  }
}

TEST(ListenAddress, SaysWhatIsWrongAndWhatIsRight) {
  const auto refusal = [](absl::string_view address) {
    const absl::Status status = CheckListenAddress(address);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << address;
    return std::string(status.message());
  };
  EXPECT_THAT(refusal("10.0.0.5"), AllOf(HasSubstr("no port"), HasSubstr("10.0.0.5:50051")));
  EXPECT_THAT(refusal("http://10.0.0.5:1"), AllOf(HasSubstr("scheme"), HasSubstr(" 10.0.0.5:1")));
  EXPECT_THAT(refusal("dns:///localhost:1"), HasSubstr("scheme"));
  EXPECT_THAT(refusal("localhost:65536"), HasSubstr("65535"));
  EXPECT_THAT(refusal(":50051"), AllOf(HasSubstr("no host"), HasSubstr("0.0.0.0:PORT")));
  EXPECT_THAT(refusal("*:50051"), HasSubstr("[::]:PORT"));
  EXPECT_THAT(refusal("::1"), HasSubstr("[::1]:50051"));
  EXPECT_THAT(refusal("unix:"), HasSubstr("unix:PATH"));
  EXPECT_THAT(refusal("unix-abstract:"), HasSubstr("unix-abstract:NAME"));
  EXPECT_THAT(refusal("unix://host/path"), HasSubstr("unix:///PATH"));
  EXPECT_THAT(refusal("unix:/" + std::string(107, 'x')), HasSubstr("108 bytes"));
  EXPECT_THAT(refusal("unix:/tmp/a%20b"), HasSubstr("%"));
  EXPECT_FALSE(CheckTcpListenAddress("unix:/run/antiphon.sock").ok()) << "it must have a port";
}

TEST(ListenAddress, KnowsWhatOnlyThisMachineReaches) {
  for (const char* address : {"127.0.0.1:50051", "127.9.8.7:1", "localhost:50051", "[::1]:50051",
                              "unix:/run/antiphon.sock", "unix-abstract:antiphon"}) {
    EXPECT_TRUE(IsLocalAddress(address)) << address;
  }
}

TEST(ListenAddress, TakesEverythingElseForPublic) {
  for (const char* address :
       {"0.0.0.0:50051", "[::]:50051", "::", "10.1.2.3:50051", "example.org:50051",
        "127.evil.example:1", "localhost.evil.example:1", "128.0.0.1:1", "[::ffff:127.0.0.1]:1",
        "[fe80::1]:1", "dns:///localhost:1", "", ":50051", "*:50051", "[", "1270.0.0.1:1",
        "127.0.0.1", "ipv4:127.0.0.1:5"}) {
    EXPECT_FALSE(IsLocalAddress(address)) << address;
  }
}

class SocketClaimTest : public ::testing::Test {
 protected:
  SocketClaimTest() { unlink(path_.c_str()); }
  ~SocketClaimTest() override {
    if (socket_ >= 0) close(socket_);
    unlink(path_.c_str());
  }

  // As a program without a claim does.
  void Bind(int backlog = 1) {
    socket_ = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un name = Name();
    ASSERT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0);
    ASSERT_EQ(listen(socket_, backlog), 0);
  }

  sockaddr_un Name() const {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    EXPECT_LT(path_.size(), sizeof(name.sun_path));
    path_.copy(name.sun_path, path_.size());
    return name;
  }

  const testing::TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/a.sock";
  int socket_ = -1;
};

TEST_F(SocketClaimTest, IsOneServersAtATime) {
  for (const char* scheme : {"unix:", "unix://"}) {
    auto first = SocketClaim::Take(scheme + path_);
    ASSERT_TRUE(first.ok()) << first.status();
    // Before either listens: there is no moment at which both could.
    const auto second = SocketClaim::Take("unix:" + path_);
    EXPECT_TRUE(absl::IsUnavailable(second.status())) << second.status();
    EXPECT_THAT(std::string(second.status().message()),
                AllOf(HasSubstr(path_), HasSubstr("another server listens there")));
    first->reset();
    EXPECT_FALSE(std::filesystem::exists(path_ + ".lock")) << "nothing is left behind";
    EXPECT_TRUE(SocketClaim::Take("unix:" + path_).ok());
  }
}

TEST_F(SocketClaimTest, IsNotGivenWhereAnotherProgramListens) {
  Bind();
  EXPECT_THAT(std::string(SocketClaim::Take("unix:" + path_).status().message()),
              HasSubstr("another server listens there"));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".lock"));
  close(socket_);
  socket_ = -1;
  EXPECT_TRUE(SocketClaim::Take("unix:" + path_).ok()) << "left behind by a dead server";
}

TEST_F(SocketClaimTest, IsNotGivenWhereAServerHangsAndItsQueueIsFull) {
  Bind(0);
  std::vector<int> waiting;
  const sockaddr_un name = Name();
  while (true) {
    waiting.push_back(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    if (connect(waiting.back(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) != 0) break;
    ASSERT_LT(waiting.size(), 100U);
  }
  EXPECT_TRUE(absl::IsUnavailable(SocketClaim::Take("unix:" + path_).status()));
  for (const int connection : waiting) close(connection);
}

TEST_F(SocketClaimTest, OneOfManyAtOnceGetsIt) {
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> held = 0, most = 0, won = 0;
    std::vector<std::thread> servers;
    servers.reserve(8);
    for (int i = 0; i < 8; ++i) {
      servers.emplace_back([&] {
        const auto claim = SocketClaim::Take("unix:" + path_);
        if (!claim.ok()) return;
        ++won;
        const int now = ++held;
        most = std::max(most.load(), now);
        std::this_thread::yield();
        --held;
      });
    }
    for (std::thread& server : servers) server.join();
    EXPECT_GE(won, 1);
    EXPECT_EQ(most, 1);
  }
}

TEST_F(SocketClaimTest, WhatIsInTheWayIsNotRemoved) {
  std::ofstream(path_) << "somebody's text";
  const auto claim = SocketClaim::Take("unix:" + path_);
  EXPECT_THAT(std::string(claim.status().message()), HasSubstr("no socket"));
  EXPECT_TRUE(std::filesystem::exists(path_));
  EXPECT_THAT(std::string(SocketClaim::Take("unix:/nowhere/a.sock").status().message()),
              AllOf(HasSubstr("/nowhere/a.sock"), HasSubstr("No such file or directory")));
}

TEST_F(SocketClaimTest, ALockThatADeadServerLeftIsNoClaim) {
  std::ofstream(path_ + ".lock") << "";
  EXPECT_TRUE(SocketClaim::Take("unix:" + path_).ok());
}

TEST_F(SocketClaimTest, OtherAddressesAreTheSystemsToRefuse) {
  for (const char* address : {"127.0.0.1:0", "unix-abstract:x", ""})
    EXPECT_TRUE(SocketClaim::Take(address).ok()) << address;
  EXPECT_TRUE(
      absl::IsInvalidArgument(SocketClaim::Take("unix:" + std::string(1000, 'x')).status()));
}

}  // namespace
}  // namespace antiphon::server
