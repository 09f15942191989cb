#include "server/runtime/listening_sockets.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;

bool CanConnect(int port) {
  const Descriptor client(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
}

TEST(ListeningSockets, TakesAFreePortOnEveryAddressOfTheHost) {
  for (const char* address : {"127.0.0.1:0", "localhost:0", "0.0.0.0:0", "[::]:0"}) {
    const auto listening = Listen(address);
    ASSERT_TRUE(listening.ok()) << address << ": " << listening.status();
    EXPECT_GT(listening->port, 0);
    EXPECT_TRUE(CanConnect(listening->port)) << address;
  }
}

TEST(ListeningSockets, AnAddressInUseIsUnavailable) {
  const auto first = Listen("127.0.0.1:0");
  ASSERT_TRUE(first.ok());
  const std::string address = absl::StrCat("127.0.0.1:", first->port);
  const absl::Status second = Listen(address).status();
  EXPECT_TRUE(absl::IsUnavailable(second));
  EXPECT_THAT(std::string(second.message()), HasSubstr(address));
}

TEST(ListeningSockets, AreUnixSocketsToo) {
  const testing::TemporaryFolder folder;
  const auto listening = Listen("unix:" + folder.path() + "/socket");
  ASSERT_TRUE(listening.ok()) << listening.status();
  EXPECT_EQ(listening->port, 0);
  EXPECT_TRUE(absl::IsUnavailable(Listen("unix:" + folder.path() + "/socket").status()));
  EXPECT_TRUE(Listen("unix-abstract:antiphon-listening-sockets-test").ok());
  EXPECT_TRUE(absl::IsInvalidArgument(Listen("unix:" + std::string(200, 'x')).status()));
}

TEST(ListeningSockets, WhatIsNoAddressIsSaid) {
  for (const char* bad :
       {"", "9464", ":9464", "127.0.0.1:", "127.0.0.1:http-ish", "no such host:1", "unix:"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Listen(bad).status())) << bad;
  }
}

}  // namespace
}  // namespace antiphon::server
