// How the program reaches a server: keys, certificates, asking again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "client/client_test_fixture.h"
#include "tests/support/test_certificate.h"

namespace antiphon::client {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using testing::FakeServer;
using ::testing::HasSubstr;
using testing::MakeTestCertificate;
using ::testing::Not;
using testing::ServerFailure;
using testing::TestCertificate;

class ClientConnectionTest : public ClientTest {
 protected:
  ~ClientConnectionTest() override { unsetenv("ANTIPHON_API_KEY"); }

  std::string Header(const std::string& name) const {
    const auto found = server_.metadata.find(name);
    return found == server_.metadata.end() ? "" : found->second;
  }
};

TEST_F(ClientConnectionTest, SendsTheKeyOfAFileOrTheEnvironment) {
  EXPECT_EQ(Run({"status"}).code, ExitCode::kOk);
  EXPECT_EQ(Header("authorization"), "");
  setenv("ANTIPHON_API_KEY", "from-the-environment", 1);
  Run({"status"});
  EXPECT_EQ(Header("authorization"), "Bearer from-the-environment");
  Run({"status", "--api-key-file", Write("key", "  from-a-file \nsecond line\n")});
  EXPECT_EQ(Header("authorization"), "Bearer from-a-file");
}

TEST_F(ClientConnectionTest, AKeyThatIsNoneIsRefused) {
  const auto refusal = [&](const std::string& path) {
    const Result result = Run({"status", "--api-key-file", path});
    EXPECT_EQ(result.code, ExitCode::kBadInput);
    return result.err;
  };
  EXPECT_THAT(refusal((dir_ / "missing").string()), HasSubstr("--api-key-file: cannot read"));
  EXPECT_THAT(refusal(Write("empty", "\nkey in the second line\n")), HasSubstr("empty"));
  EXPECT_THAT(refusal(Write("odd", "two words\n")),
              AllOf(HasSubstr("characters"), Not(HasSubstr("two words"))));
}

TEST_F(ClientConnectionTest, AKeyDoesNotTravelInTheClearToAnotherMachine) {
  setenv("ANTIPHON_API_KEY", "secret", 1);
  const auto run = [](std::vector<std::string> arguments) {
    std::istringstream in;
    std::ostringstream out, err;
    arguments.insert(arguments.end(), {"--server", "antiphon.invalid:1", "--timeout", "0.2"});
    const ExitCode code = RunClient(arguments, in, out, err);
    return std::pair(code, err.str());
  };
  EXPECT_EQ(run({"status"}).first, ExitCode::kBadInput);
  EXPECT_THAT(run({"status"}).second, AllOf(HasSubstr("--tls"), Not(HasSubstr("secret"))));
  EXPECT_EQ(run({"status", "--plaintext-key"}).first, ExitCode::kUnreachable);
  EXPECT_EQ(run({"status", "--tls"}).first, ExitCode::kUnreachable);
}

TEST_F(ClientConnectionTest, AMachineThatIsCalledLikeThisOneIsAnother) {
  setenv("ANTIPHON_API_KEY", "secret", 1);
  for (const char* server : {"127.evil.invalid:1", "localhost.evil.invalid:1", "localhostx:1"}) {
    std::istringstream in;
    std::ostringstream out, err;
    EXPECT_EQ(RunClient({"status", "--server", server, "--timeout", "0.2"}, in, out, err),
              ExitCode::kBadInput);
    EXPECT_THAT(err.str(), HasSubstr("--tls"));
  }
}

TEST_F(ClientConnectionTest, NamesTheRequestAndShowsItsNameWhereItFails) {
  Run({"status", "--request-id", "mine-1"});
  EXPECT_EQ(Header("x-request-id"), "mine-1");
  server_.failure = ServerFailure(grpc::StatusCode::INTERNAL, "a fault");
  EXPECT_THAT(Run({"identify", Wav()}).err, HasSubstr("a fault [request request-7]"));
  EXPECT_EQ(Run({"identify", Wav(), "--json"}).json()["error"]["request_id"], "request-7");
  server_.request_id = "";
  EXPECT_THAT(Run({"identify", Wav()}).err, Not(HasSubstr("[request")));
}

TEST_F(ClientConnectionTest, AsksAgainWhenTheServerSaysWhen) {
  server_.failure = ServerFailure(grpc::StatusCode::RESOURCE_EXHAUSTED, "the queue is full", "",
                                  milliseconds(50));
  server_.failures = 2;
  server_.identify_response.set_verdict(v1::VERDICT_MATCH);
  AddCandidate("elise", "Für Elise", 0.98);
  const auto start = std::chrono::steady_clock::now();
  const Result result = Run({"identify", Wav()});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_EQ(server_.calls, 3);
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(100));
}

TEST_F(ClientConnectionTest, DoesNotAskForever) {
  server_.failure = ServerFailure(grpc::StatusCode::RESOURCE_EXHAUSTED, "the queue is full", "",
                                  milliseconds(10));
  EXPECT_EQ(Run({"identify", Wav()}).code, ExitCode::kServerError);
  EXPECT_EQ(server_.calls, 4);
  server_.calls = 0;
  server_.failure = ServerFailure(grpc::StatusCode::RESOURCE_EXHAUSTED, "the queue is full", "",
                                  milliseconds(900));
  EXPECT_EQ(Run({"identify", Wav(), "--timeout", "0.5"}).code, ExitCode::kServerError);
  EXPECT_EQ(server_.calls, 1) << "the time would be over before";
}

TEST_F(ClientConnectionTest, DoesNotAskAgainUnasked) {
  server_.failure = ServerFailure(grpc::StatusCode::UNAVAILABLE, "shutting down");
  Run({"identify", Wav()});
  EXPECT_EQ(server_.calls, 1);
}

TEST_F(ClientConnectionTest, AChangeIsNeverMadeTwice) {
  server_.failure = ServerFailure(grpc::StatusCode::RESOURCE_EXHAUSTED, "the queue is full", "",
                                  milliseconds(10));
  EXPECT_EQ(Run({"piece", "delete", "a"}).code, ExitCode::kServerError);
  EXPECT_EQ(server_.calls, 1);
}

TEST_F(ClientConnectionTest, SaysWhatToDoAboutKeys) {
  server_.failure = ServerFailure(grpc::StatusCode::UNAUTHENTICATED, "no API key");
  Result result = Run({"identify", Wav()});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_THAT(result.err, HasSubstr("ANTIPHON_API_KEY"));
  server_.failure =
      ServerFailure(grpc::StatusCode::PERMISSION_DENIED, "needs a key for administration");
  result = Run({"admin", "reload"});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_THAT(result.err, HasSubstr("does not allow"));
}

// Servers that speak TLS.
class ClientTlsTest : public ClientTest {
 protected:
  std::shared_ptr<grpc::ServerCredentials> ServerSide(bool ask_for_certificate) const {
    grpc::SslServerCredentialsOptions options(
        ask_for_certificate ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                            : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    options.pem_key_cert_pairs.push_back({server_pair_.key, server_pair_.certificate});
    if (ask_for_certificate) options.pem_root_certs = client_pair_.certificate;
    return grpc::SslServerCredentials(options);
  }
  Result Ask(FakeServer& server, std::vector<std::string> arguments) {
    server.status_response.set_state(v1::SERVER_STATE_SERVING);
    arguments.insert(arguments.begin(), {"status", "--timeout", "5", "--server", server.address()});
    std::istringstream in;
    std::ostringstream out, err;
    const ExitCode code = RunClient(arguments, in, out, err);
    return {code, out.str(), err.str()};
  }

  const TestCertificate server_pair_ = MakeTestCertificate("antiphon.test");
  const TestCertificate client_pair_ = MakeTestCertificate("somebody");
};

TEST_F(ClientTlsTest, TrustsWhomItIsTold) {
  FakeServer server(ServerSide(/*ask_for_certificate=*/false));
  const std::string ca = Write("ca.pem", server_pair_.certificate),
                    other = Write("other.pem", client_pair_.certificate);
  EXPECT_EQ(Ask(server, {"--ca-file", ca, "--server-name", "antiphon.test"}).code, ExitCode::kOk);
  EXPECT_EQ(Ask(server, {"--ca-file", ca, "--server-name", "elsewhere.test"}).code,
            ExitCode::kUnreachable);
  EXPECT_EQ(Ask(server, {"--ca-file", other, "--server-name", "antiphon.test"}).code,
            ExitCode::kUnreachable);
  EXPECT_EQ(Ask(server, {"--tls"}).code, ExitCode::kUnreachable) << "the system does not know it";
  const Result clear = Ask(server, {});
  EXPECT_EQ(clear.code, ExitCode::kUnreachable);
  EXPECT_THAT(clear.err, HasSubstr("--tls"));
}

TEST_F(ClientTlsTest, ShowsItsOwnCertificate) {
  FakeServer server(ServerSide(/*ask_for_certificate=*/true));
  const std::string ca = Write("ca.pem", server_pair_.certificate);
  const std::string certificate = Write("me.pem", client_pair_.certificate),
                    key = Write("me.key", client_pair_.key);
  EXPECT_EQ(Ask(server, {"--ca-file", ca, "--server-name", "antiphon.test"}).code,
            ExitCode::kUnreachable);
  EXPECT_EQ(Ask(server, {"--ca-file", ca, "--server-name", "antiphon.test", "--cert-file",
                         certificate, "--key-file", key})
                .code,
            ExitCode::kOk);
  EXPECT_EQ(Ask(server, {"--ca-file", ca, "--cert-file", certificate}).code, ExitCode::kBadInput)
      << "without its key";
}

TEST_F(ClientTlsTest, SaysWhichFileItCannotRead) {
  const Result result = Run({"status", "--ca-file", (dir_ / "missing.pem").string()});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_THAT(result.err, AllOf(HasSubstr("--ca-file"), HasSubstr("missing.pem")));
}

}  // namespace
}  // namespace antiphon::client
