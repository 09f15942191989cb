#include "server/transport/port_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <functional>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/steady_time.h"
#include "core/testing/temporary_folder.h"
#include "server/runtime/listening_sockets.h"

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;

// A port that gives one connection to `answer`.
class Port {
 public:
  Port(const std::string& address, std::function<void(int)> answer)
      : listening_(*Listen(address)), answer_(std::move(answer)), thread_([this] { Serve(); }) {}
  ~Port() { thread_.join(); }
  int number() const { return listening_.port; }

 private:
  void Serve() {
    pollfd waiting = {listening_.sockets.front().get(), POLLIN, 0};
    if (poll(&waiting, 1, 10'000) != 1) return;
    const Descriptor connection(
        accept4(listening_.sockets.front().get(), nullptr, nullptr, SOCK_CLOEXEC));
    answer_(connection.get());
  }

  const ListeningSockets listening_;
  const std::function<void(int)> answer_;
  std::thread thread_;
};

void SendSettings(int connection) {
  constexpr unsigned char kFrame[] = {0, 0, 0, 4, 0, 0, 0, 0, 0};
  send(connection, kFrame, sizeof(kFrame), MSG_NOSIGNAL);
  char byte = 0;
  while (recv(connection, &byte, 1, 0) > 0) {
  }
}

absl::Status Probe(const std::string& address) {
  return ProbePort(address, PortTls::kNone, absl::Milliseconds(500));
}

TEST(PortProbe, SettingsAreAnAnswer) {
  for (const char* host : {"127.0.0.1", "0.0.0.0", "[::]", "localhost"}) {
    const Port port(absl::StrCat(host, ":0"), SendSettings);
    const absl::Status status = Probe(absl::StrCat(host, ":", port.number()));
    EXPECT_TRUE(status.ok()) << host << ": " << status;
  }
  const testing::TemporaryFolder folder;
  const std::string address = "unix:" + folder.path() + "/socket";
  const Port port(address, SendSettings);
  EXPECT_TRUE(Probe(address).ok());
}

TEST(PortProbe, SilenceIsNone) {
  const Port port("127.0.0.1:0", [](int connection) {
    char byte = 0;
    while (recv(connection, &byte, 1, 0) > 0) {
    }
  });
  const SteadyTime begun = SteadyNow();
  EXPECT_TRUE(absl::IsUnavailable(Probe(absl::StrCat("127.0.0.1:", port.number()))));
  EXPECT_LT(SecondsSince(begun), 5);
}

TEST(PortProbe, NorIsAnotherProtocolOrAHangUpOrNobody) {
  {
    const Port port("127.0.0.1:0", [](int connection) {
      send(connection, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, MSG_NOSIGNAL);
    });
    EXPECT_THAT(std::string(Probe(absl::StrCat("127.0.0.1:", port.number())).message()),
                HasSubstr("does not speak HTTP/2"));
  }
  int number = 0;
  {
    const Port port("127.0.0.1:0", [](int) {});
    number = port.number();
    EXPECT_FALSE(Probe(absl::StrCat("127.0.0.1:", number)).ok());
  }
  EXPECT_THAT(std::string(Probe(absl::StrCat("127.0.0.1:", number)).message()),
              HasSubstr("connect"));
  const Port port("127.0.0.1:0", SendSettings);
  EXPECT_THAT(std::string(ProbePort(absl::StrCat("127.0.0.1:", port.number()), PortTls::kServer,
                                    absl::Milliseconds(500))
                              .message()),
              HasSubstr("TLS"));
}

}  // namespace
}  // namespace antiphon::server
