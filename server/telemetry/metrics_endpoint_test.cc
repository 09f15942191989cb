#include "server/telemetry/metrics_endpoint.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Connection {
 public:
  explicit Connection(int port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~Connection() { close(socket_); }

  void Send(const std::string& bytes) { send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

  std::string ReadAll() {
    std::string answer;
    char buffer[65536];
    for (ssize_t n = 0; (n = read(socket_, buffer, sizeof(buffer))) > 0;) answer.append(buffer, n);
    return answer;
  }

 private:
  const int socket_;
};

std::unique_ptr<MetricsEndpoint> StartWith(const std::string& text) {
  auto endpoint = MetricsEndpoint::Start(
      {"127.0.0.1:0"}, [text] { return text; },
      [] {
        return MetricsEndpoint::Health{true, "SERVING"};
      });
  EXPECT_TRUE(endpoint.ok()) << endpoint.status();
  return *std::move(endpoint);
}

std::string Ask(int port, const std::string& request) {
  Connection connection(port);
  connection.Send(request);
  return connection.ReadAll();
}

TEST(MetricsEndpoint, GivesTheTextOfTheMoment) {
  int scrapes = 0;
  const auto endpoint = MetricsEndpoint::Start(
      {"127.0.0.1:0"}, [&] { return absl::StrCat("scrapes ", ++scrapes, "\n"); },
      [] {
        return MetricsEndpoint::Health{true, "SERVING"};
      });
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  for (int i = 1; i <= 3; ++i) {
    const std::string answer = Ask((*endpoint)->port(), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.0 200 OK\r\n"));
    EXPECT_THAT(answer, HasSubstr(absl::StrCat("\r\n\r\nscrapes ", i, "\n")));
  }
}

TEST(MetricsEndpoint, SendsLongTextsWhole) {
  const auto endpoint = StartWith(std::string(5 << 20, 'x'));
  const std::string answer = Ask(endpoint->port(), "GET /metrics HTTP/1.0\r\n\r\n");
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, 5u << 20);
}

TEST(MetricsEndpoint, HasNothingElse) {
  const auto endpoint = StartWith("secret");
  EXPECT_THAT(Ask(endpoint->port(), "GET / HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.0 404"));
  EXPECT_THAT(Ask(endpoint->port(), "GET /metricsandmore HTTP/1.0\r\n\r\n"),
              StartsWith("HTTP/1.0 404"));
  EXPECT_THAT(Ask(endpoint->port(), "POST /metrics HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.0 405"));
  EXPECT_THAT(Ask(endpoint->port(), "PUT /healthz HTTP/1.0\r\n\r\n"),
              HasSubstr("Allow: GET, HEAD"));
}

TEST(MetricsEndpoint, HealthIsGoodOnlyWhileServing) {
  MetricsEndpoint::Health health = {false, "STARTING"};
  const auto endpoint = MetricsEndpoint::Start(
      {"127.0.0.1:0"}, [] { return ""; }, [&] { return health; });
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  const auto ask = [&] { return Ask((*endpoint)->port(), "GET /healthz HTTP/1.0\r\n\r\n"); };
  EXPECT_THAT(ask(), StartsWith("HTTP/1.0 503"));
  EXPECT_THAT(ask(), HasSubstr("\r\n\r\nSTARTING\n"));
  health = {true, "SERVING"};
  EXPECT_THAT(ask(), StartsWith("HTTP/1.0 200"));
  EXPECT_THAT(ask(), HasSubstr("\r\n\r\nSERVING\n"));
  health = {false, "DRAINING"};
  EXPECT_THAT(ask(), StartsWith("HTTP/1.0 503"));
}

TEST(MetricsEndpoint, AHeadIsAnAnswerWithoutItsBody) {
  const auto endpoint = StartWith("twelve bytes");
  const std::string answer = Ask(endpoint->port(), "HEAD /metrics HTTP/1.1\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.0 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 12\r\n"));
  EXPECT_EQ(answer.substr(answer.size() - 4), "\r\n\r\n");
}

TEST(MetricsEndpoint, IdleAndTricklingConnectionsDelayNobody) {
  const auto endpoint = StartWith("ok");
  std::vector<std::unique_ptr<Connection>> idle;
  // More than are kept: the oldest give way.
  for (int i = 0; i < 300; ++i) {
    idle.push_back(std::make_unique<Connection>(endpoint->port()));
    if (i % 2 == 0) idle.back()->Send("GET /met");
  }
  const SteadyTime asked = SteadyNow();
  EXPECT_THAT(Ask(endpoint->port(), "GET /metrics HTTP/1.0\r\n\r\n"), HasSubstr("ok"));
  EXPECT_LT(SecondsSince(asked), 2);
  EXPECT_EQ(idle.front()->ReadAll(), "") << "closed";
  // A byte now and then keeps no connection.
  const auto& last = idle.back();
  for (int i = 0; i < 14; ++i) {
    last->Send("x");
    absl::SleepFor(absl::Milliseconds(500));
  }
  EXPECT_EQ(last->ReadAll(), "");
}

TEST(MetricsEndpoint, SurvivesEndlessRequestsAndBrokenConnections) {
  const auto endpoint = StartWith("ok");
  Ask(endpoint->port(), std::string(1 << 20, 'A'));
  Ask(endpoint->port(), "GET " + std::string(1 << 20, 'A'));
  { Connection hung_up(endpoint->port()); }
  EXPECT_THAT(Ask(endpoint->port(), "GET /metrics HTTP/1.0\r\n\r\n"), HasSubstr("ok"));
}

TEST(MetricsEndpoint, AnAddressThatCannotBeHadIsAnError) {
  const auto first = StartWith("");
  const std::string address = absl::StrCat("127.0.0.1:", first->port());
  const auto second = MetricsEndpoint::Start(
      {address}, [] { return ""; },
      [] {
        return MetricsEndpoint::Health{true, "SERVING"};
      });
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(address));
  for (const char* bad :
       {"", "9464", ":9464", "127.0.0.1:", "127.0.0.1:http-ish", "no such host:1"}) {
    const auto refused = MetricsEndpoint::Start(
        {bad}, [] { return ""; },
        [] {
          return MetricsEndpoint::Health{true, "SERVING"};
        });
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace antiphon::server
