#include "server/runtime/listen_address.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace antiphon::server
