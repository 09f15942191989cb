#include "server/runtime/listen_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>

namespace antiphon::server {
namespace {

TEST(ListenAddress, KnowsWhatOnlyThisMachineReaches) {
  for (const char* address :
       {"127.0.0.1:50051", "127.9.8.7:1", "localhost:50051", "[::1]:50051", "::1", "127.0.0.1",
        "unix:/run/antiphon.sock", "unix-abstract:antiphon", "ipv4:127.0.0.1:5", "ipv6:[::1]:5"}) {
    EXPECT_TRUE(IsLocalAddress(address)) << address;
  }
}

TEST(ListenAddress, TakesEverythingElseForPublic) {
  for (const char* address :
       {"0.0.0.0:50051", "[::]:50051", "::", "10.1.2.3:50051", "example.org:50051",
        "127.evil.example:1", "localhost.evil.example:1", "128.0.0.1:1", "[::ffff:127.0.0.1]:1",
        "[fe80::1]:1", "dns:///localhost:1", "", ":50051", "*:50051", "[", "1270.0.0.1:1"}) {
    EXPECT_FALSE(IsLocalAddress(address)) << address;
  }
}

class UnixSocketTest : public ::testing::Test {
 protected:
  UnixSocketTest() { unlink(path_.c_str()); }
  ~UnixSocketTest() override {
    if (socket_ >= 0) close(socket_);
    unlink(path_.c_str());
  }

  // As a server does.
  void Bind() {
    socket_ = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    ASSERT_LT(path_.size(), sizeof(name.sun_path));
    path_.copy(name.sun_path, path_.size());
    ASSERT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0);
    ASSERT_EQ(listen(socket_, 1), 0);
  }

  const std::string path_ = ::testing::TempDir() + "antiphon_listen.sock";
  int socket_ = -1;
};

TEST_F(UnixSocketTest, IsFreeUnlessSomebodyListens) {
  EXPECT_TRUE(CheckSocketIsFree("unix:" + path_).ok()) << "there is none";
  Bind();
  for (const char* scheme : {"unix:", "unix://"}) {
    const absl::Status status = CheckSocketIsFree(scheme + path_);
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(path_));
  }
  close(socket_);
  socket_ = -1;
  EXPECT_TRUE(CheckSocketIsFree("unix:" + path_).ok()) << "left behind by a dead server";
}

TEST_F(UnixSocketTest, OtherAddressesAreTheSystemsToRefuse) {
  for (const char* address : {"127.0.0.1:0", "unix-abstract:x", "unix:", ""})
    EXPECT_TRUE(CheckSocketIsFree(address).ok()) << address;
  EXPECT_TRUE(CheckSocketIsFree("unix:" + std::string(1000, 'x')).ok());
}

}  // namespace
}  // namespace antiphon::server
