#include "core/base/network_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace antiphon {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string Refusal(absl::string_view address) {
  const absl::StatusOr<HostPort> parsed = ParseHostPort(address);
  EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << address;
  return std::string(parsed.status().message());
}

TEST(HostPort, TakesNamesAndAddresses) {
  const auto expect = [](absl::string_view address, const std::string& host, int port) {
    const absl::StatusOr<HostPort> parsed = ParseHostPort(address);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->host, host);
    EXPECT_EQ(parsed->port, port);
  };
  expect("localhost:50051", "localhost", 50051);
  expect("my-host_1.example.org:1", "my-host_1.example.org", 1);
  expect("0.0.0.0:0", "0.0.0.0", 0);
  expect("10.0.0.5:65535", "10.0.0.5", 65535);
  expect("[::1]:50051", "::1", 50051);
  expect("[::]:0", "::", 0);
  expect("[fe80::1%eth0]:7", "fe80::1%eth0", 7);
  expect("unix:5", "unix", 5);  // whose sockets are whose caller's to know
}

TEST(HostPort, SaysThatThePortIsMissing) {
  EXPECT_THAT(Refusal("10.0.0.5"), AllOf(HasSubstr("no port"), EndsWith("10.0.0.5:50051")));
  EXPECT_THAT(Refusal("localhost"), EndsWith("localhost:50051"));
  EXPECT_THAT(Refusal("localhost:"), AllOf(HasSubstr("no port"), EndsWith("localhost:50051")));
  EXPECT_THAT(Refusal("[::1]"), AllOf(HasSubstr("no port"), EndsWith("[::1]:50051")));
}

TEST(HostPort, SaysThatAPortIsNone) {
  for (const char* address : {"a:65536", "a:99999999999999999999", "[::1]:65536"})
    EXPECT_THAT(Refusal(address), HasSubstr("not in 0 to 65535"));
  for (const char* address : {"a:https", "a:-1", "a: 1", "a:1x", "a:+1", "a:1/x", "a:0x10"})
    EXPECT_THAT(Refusal(address), HasSubstr("no number"));
}

TEST(HostPort, TakesNoSchemeAndGivesTheFormThatIsRight) {
  EXPECT_THAT(Refusal("http://10.0.0.5:1"), AllOf(HasSubstr("http://"), EndsWith(" 10.0.0.5:1")));
  EXPECT_THAT(Refusal("https://example.org/path?a:b"), EndsWith(" example.org:50051"));
  EXPECT_THAT(Refusal("grpc://[::1]:7/"), EndsWith(" [::1]:7"));
  EXPECT_THAT(Refusal("dns:///localhost:1"), AllOf(HasSubstr("dns:///"), EndsWith(" localhost:1")));
  EXPECT_THAT(Refusal("dns:localhost:1"), EndsWith(" localhost:1"));
  EXPECT_THAT(Refusal("ipv4:127.0.0.1:5"), EndsWith(" 127.0.0.1:5"));
  EXPECT_THAT(Refusal("http://"), EndsWith(" 127.0.0.1:50051"));
  EXPECT_THAT(Refusal("http://http://a:1"), EndsWith(" 127.0.0.1:50051"));
}

TEST(HostPort, SaysThatAHostIsNone) {
  EXPECT_THAT(Refusal(""), HasSubstr("is empty"));
  EXPECT_THAT(Refusal(":50051"), HasSubstr("no host"));
  EXPECT_THAT(Refusal("*:50051"), HasSubstr("no name of a host"));
  EXPECT_THAT(Refusal("a b:1"), HasSubstr("no name of a host"));
  EXPECT_THAT(Refusal(std::string(300, 'a') + ":1"), HasSubstr("no name of a host"));
  EXPECT_THAT(Refusal("256.0.0.1:1"), HasSubstr("no IPv4 address"));
  EXPECT_THAT(Refusal("0:1"), HasSubstr("no IPv4 address"));
}

TEST(HostPort, AnIpv6AddressStandsInBrackets) {
  EXPECT_THAT(Refusal("::1"), AllOf(HasSubstr("without brackets"), EndsWith(" [::1]:50051")));
  EXPECT_THAT(Refusal("fe80::1"), EndsWith(" [fe80::1]:50051"));
  EXPECT_THAT(Refusal("a:b:1"), HasSubstr("more than one colon"));
  EXPECT_THAT(Refusal("[::1"), HasSubstr("no ]"));
  EXPECT_THAT(Refusal("[localhost]:1"), HasSubstr("no IPv6 address"));
  EXPECT_THAT(Refusal("[::1]50051"), HasSubstr("behind its host"));
}

TEST(HostPort, ShowsWhatCannotBeSeenAsEscapes) {
  EXPECT_THAT(Refusal("a\nb"), HasSubstr("'a\\nb'"));
  EXPECT_THAT(Refusal(absl::string_view("a\0:1", 4)), HasSubstr("a\\"));
}

TEST(Loopback, IsKnownByItsAddresses) {
  for (const char* host : {"localhost", "127.0.0.1", "127.9.8.7", "::1"})
    EXPECT_TRUE(IsLoopback(host)) << host;
  for (const char* host : {"127.evil.example", "localhost.evil.example", "128.0.0.1", "0.0.0.0",
                           "::ffff:127.0.0.1", "::", ""})
    EXPECT_FALSE(IsLoopback(host)) << host;
}

TEST(SocketPath, HasItsLimits) {
  EXPECT_TRUE(CheckSocketPath("/run/antiphon.sock").ok());
  EXPECT_TRUE(CheckSocketPath(std::string(kMaxSocketPathBytes, 'x')).ok());
  const absl::Status too_long = CheckSocketPath(std::string(kMaxSocketPathBytes + 1, 'x'));
  EXPECT_THAT(std::string(too_long.message()), AllOf(HasSubstr("108"), HasSubstr("107")));
  EXPECT_FALSE(CheckSocketPath("").ok());
  EXPECT_FALSE(CheckSocketPath("/tmp/a%20b").ok());
}

}  // namespace
}  // namespace antiphon
