#include "tests/bench/server_figures.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/descriptor.h"

namespace antiphon::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

constexpr char kText[] =
    "# TYPE process_cpu_seconds_total counter\n"
    "process_cpu_seconds_total 12.5\n"
    "process_cpu_seconds_total_more 1\n"
    "antiphon_stage_seconds_sum{stage=\"encode\"} 3\n";

// Takes one connection and says `answer` there; with an empty one it takes none.
class HttpServer {
 public:
  explicit HttpServer(std::string answer) : listening_(socket(AF_INET, SOCK_STREAM, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* address = reinterpret_cast<sockaddr*>(&address_);
    socklen_t size = sizeof(address_);
    EXPECT_EQ(bind(listening_.get(), address, size), 0);
    EXPECT_EQ(listen(listening_.get(), 1), 0);
    EXPECT_EQ(getsockname(listening_.get(), address, &size), 0);
    if (answer.empty()) return;
    answering_ = std::thread([this, answer = std::move(answer)] {
      const Descriptor connection(accept(listening_.get(), nullptr, nullptr));
      char request[1024];
      EXPECT_GT(recv(connection.get(), request, sizeof(request), 0), 0);
      EXPECT_EQ(send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(answer.size()));
    });
  }
  ~HttpServer() {
    if (answering_.joinable()) answering_.join();
  }

  std::string address() const { return absl::StrCat("127.0.0.1:", ntohs(address_.sin_port)); }

 private:
  sockaddr_in address_ = {};
  Descriptor listening_;
  std::thread answering_;
};

constexpr char kOk[] = "HTTP/1.1 200 OK\r\n\r\n";

TEST(ServerFiguresTest, AMetricIsFoundByItsWholeName) {
  EXPECT_THAT(MetricOf(kText, "process_cpu_seconds_total"), Optional(12.5));
  EXPECT_EQ(MetricOf(kText, "process_cpu_seconds"), std::nullopt);
  EXPECT_EQ(MetricOf(kText, "antiphon_stage_seconds_sum"), std::nullopt);
}

TEST(ServerFiguresTest, AProcessOfThisMachineIsLookedAt) {
  const auto figures = LookAt({.pid = getpid(), .metrics = "127.0.0.1:1"});
  ASSERT_TRUE(figures.ok()) << figures.status();
  EXPECT_GE(figures->cpu_s.value(), 0);
  EXPECT_GT(figures->anonymous_bytes.value(), 0);
  EXPECT_GT(figures->resident_bytes.value(), figures->anonymous_bytes.value());
}

TEST(ServerFiguresTest, NothingIsKnownOfAPlaceThatIsNotNamed) {
  const auto figures = LookAt({});
  ASSERT_TRUE(figures.ok());
  EXPECT_EQ(figures->cpu_s, std::nullopt);
}

TEST(ServerFiguresTest, AServerThatIsNotThereIsAFailure) {
  EXPECT_TRUE(absl::IsUnavailable(LookAt({.metrics = "127.0.0.1:1"}).status()));
}

TEST(ServerFiguresTest, MetricsAreLookedAt) {
  const HttpServer server(absl::StrCat(kOk, kText, "process_resident_memory_bytes 1.048576e+06\n"));
  const auto figures = LookAt({.metrics = server.address()});
  ASSERT_TRUE(figures.ok()) << figures.status();
  EXPECT_EQ(figures->cpu_s, 12.5);
  EXPECT_EQ(figures->resident_bytes, 1 << 20);
  EXPECT_EQ(figures->anonymous_bytes, std::nullopt);
}

TEST(ServerFiguresTest, AMetricThatIsMissingIsAFailure) {
  const HttpServer server(absl::StrCat(kOk, kText));
  EXPECT_TRUE(absl::IsNotFound(LookAt({.metrics = server.address()}).status()));
}

TEST(ServerFiguresTest, OnlyOkIsAnAnswer) {
  const HttpServer server(absl::StrCat("HTTP/1.1 404 Not Found\r\n\r\n", kText));
  const absl::Status status = LookAt({.metrics = server.address()}).status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("404 Not Found"));
}

TEST(ServerFiguresTest, AServerThatSaysNothingIsNotWaitedForLong) {
  const HttpServer server("");
  const auto place = ServerPlace{.metrics = server.address(), .timeout_s = 0.05};
  EXPECT_TRUE(absl::IsUnavailable(LookAt(place).status()));
}

}  // namespace
}  // namespace antiphon::bench
