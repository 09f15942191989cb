#include "server/snapshots/s3_store.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "core/hash/sha256.h"
#include "core/testing/temporary_folder.h"
#include "server/snapshots/snapshot_testing.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Received {
  std::string line;     // "GET /bucket/key HTTP/1.1"
  std::string headers;  // in lower case
  std::string body;
};

std::string Answer(const std::string& status, const std::string& body,
                   const std::string& headers = "") {
  return absl::StrCat("HTTP/1.1 ", status, "\r\nContent-Length: ", body.size(), "\r\n", headers,
                      "Connection: close\r\n\r\n", body);
}

std::string Error(const std::string& status, const std::string& code) {
  return Answer(status, absl::StrCat("<Error><Code>", code, "</Code></Error>"));
}

// An HTTP server on the loopback that answers one request after the other, each on a connection of
// its own.
class Endpoint {
 public:
  // What to answer; nothing ends the connection.
  using Handler = std::function<std::string(const Received&)>;

  explicit Endpoint(Handler handler) : handler_(std::move(handler)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(listener_, 16) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~Endpoint() {
    stopping_ = true;
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  std::string location() const { return absl::StrCat("http://127.0.0.1:", port_, "/bucket"); }
  std::vector<Received> received() {
    absl::MutexLock lock(&mutex_);
    return received_;
  }

 private:
  void Run() {
    while (!stopping_) {
      const int client = accept(listener_, nullptr, nullptr);
      if (client < 0) continue;
      Serve(client);
      close(client);
    }
  }

  void Serve(int client) {
    std::string text;
    while (text.find("\r\n\r\n") == std::string::npos) {
      if (!Read(client, text)) return;
    }
    Received request;
    const size_t end = text.find("\r\n\r\n");
    request.line = text.substr(0, text.find("\r\n"));
    request.headers = absl::AsciiStrToLower(text.substr(0, end + 2));
    request.body = text.substr(end + 4);
    size_t length = 0;
    if (const size_t at = request.headers.find("content-length: "); at != std::string::npos) {
      length = std::stoul(request.headers.substr(at + 16));
    }
    if (request.headers.find("expect: 100-continue") != std::string::npos) {
      const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      static_cast<void>(send(client, go_on.data(), go_on.size(), MSG_NOSIGNAL));
    }
    while (request.body.size() < length) {
      if (!Read(client, request.body)) break;
    }
    {
      absl::MutexLock lock(&mutex_);
      received_.push_back(request);
    }
    const std::string answer = handler_(request);
    static_cast<void>(send(client, answer.data(), answer.size(), MSG_NOSIGNAL));
  }

  static bool Read(int client, std::string& text) {
    char buffer[65536];
    const ssize_t read = recv(client, buffer, sizeof(buffer), 0);
    if (read <= 0) return false;
    text.append(buffer, static_cast<size_t>(read));
    return true;
  }

  const Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  absl::Mutex mutex_;
  std::vector<Received> received_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

class S3StoreTest : public ::testing::Test {
 protected:
  S3StoreTest() {
    spdlog::set_level(spdlog::level::off);
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", 1);
    unsetenv("AWS_SESSION_TOKEN");
    setenv("no_proxy", "*", 1);
  }

  void Serve(Endpoint::Handler handler) {
    endpoint_ = std::make_unique<Endpoint>(std::move(handler));
    Open(endpoint_->location());
  }
  void Open(const std::string& location) {
    S3Timing timing;
    timing.attempts = 3;
    timing.first_pause = absl::Milliseconds(5);
    timing.connect = absl::Seconds(2);
    timing.stall = absl::Seconds(1);
    auto store = S3Store::Open({.location = location, .region = "eu-test-1"}, timing);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string Contents(const std::string& name) const {
    std::ifstream file(Path(name), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  absl::Status GetFile(const std::string& expected, const std::string& to = "got") {
    std::filesystem::remove(Path(to));
    return store_->GetFile("key", Path(to), static_cast<int64_t>(expected.size()),
                           hash::HexSha256(expected), GoOn);
  }

  const antiphon::testing::TemporaryFolder folder_;
  std::unique_ptr<Endpoint> endpoint_;
  std::unique_ptr<S3Store> store_;
};

TEST_F(S3StoreTest, RequestsAreSignedWithTheHashOfWhatTheySend) {
  setenv("AWS_SESSION_TOKEN", "a-token", 1);
  Serve([](const Received&) { return Answer("200 OK", ""); });
  ASSERT_TRUE(store_->Put("a/key", "contents", GoOn).ok());
  const Received request = endpoint_->received().at(0);
  EXPECT_EQ(request.line, "PUT /bucket/a/key HTTP/1.1");
  EXPECT_EQ(request.body, "contents");
  EXPECT_THAT(
      request.headers,
      AllOf(HasSubstr(absl::StrCat("x-amz-content-sha256: ", hash::HexSha256("contents"), "\r\n")),
            HasSubstr("authorization: aws4-hmac-sha256 credential=akidexample/"),
            HasSubstr("/eu-test-1/s3/aws4_request"), HasSubstr("x-amz-date: "),
            HasSubstr("signedheaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token"),
            HasSubstr("x-amz-security-token: a-token\r\n"), Not(HasSubstr("wjalr"))));
}

TEST_F(S3StoreTest, ListsEveryPage) {
  Serve([](const Received& request) {
    const bool second = request.line.find("continuation-token=") != std::string::npos;
    return Answer("200 OK",
                  second ? "<ListBucketResult><Contents><Key>b</Key><Size>2</Size></Contents>"
                           "</ListBucketResult>"
                         : "<ListBucketResult><Contents><Key>a</Key><Size>1</Size></Contents>"
                           "<IsTruncated>true</IsTruncated><NextContinuationToken>x/y+z=</"
                           "NextContinuationToken></ListBucketResult>");
  });
  const auto objects = store_->List("p/", GoOn);
  ASSERT_TRUE(objects.ok()) << objects.status();
  ASSERT_EQ(objects->size(), 2u);
  EXPECT_EQ((*objects)[1].key, "b");
  EXPECT_EQ(endpoint_->received().at(0).line, "GET /bucket?list-type=2&prefix=p%2F HTTP/1.1");
  EXPECT_EQ(endpoint_->received().at(1).line,
            "GET /bucket?continuation-token=x%2Fy%2Bz%3D&list-type=2&prefix=p%2F HTTP/1.1");
}

TEST_F(S3StoreTest, AListThatNeverEndsIsGivenUp) {
  Serve([](const Received&) {
    return Answer("200 OK",
                  "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>x</"
                  "NextContinuationToken></ListBucketResult>");
  });
  EXPECT_TRUE(absl::IsFailedPrecondition(store_->List("", GoOn).status()));
  EXPECT_EQ(endpoint_->received().size(), 200u);
}

TEST_F(S3StoreTest, WhatFailsForTheServicesSakeIsTriedAgain) {
  int asked = 0;
  Serve([&](const Received&) {
    return ++asked < 3 ? Error("503 Slow Down", "SlowDown") : Answer("200 OK", "12345");
  });
  const auto got = store_->Get("key", 100, GoOn);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(*got, "12345");
  asked = -100;
  const absl::Status status = store_->Get("key", 100, GoOn).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("SlowDown"));
  EXPECT_EQ(endpoint_->received().size(), 6u);
}

TEST_F(S3StoreTest, AnUploadThatIsCutOffIsSentAgainFromTheBeginning) {
  int asked = 0;
  Serve([&](const Received&) { return ++asked == 1 ? "" : Answer("200 OK", ""); });
  const std::string contents(3 << 20, 'x');
  std::ofstream(Path("file")) << contents;
  ASSERT_TRUE(store_
                  ->PutFile("key", Path("file"), static_cast<int64_t>(contents.size()),
                            hash::HexSha256(contents), GoOn)
                  .ok());
  EXPECT_EQ(endpoint_->received().size(), 2u);
  EXPECT_TRUE(endpoint_->received().at(1).body == contents);
  EXPECT_TRUE(absl::IsDataLoss(store_->PutFile("key", Path("file"), 5, "", GoOn)));
  EXPECT_EQ(endpoint_->received().size(), 2u) << "what has changed is not sent";
}

TEST_F(S3StoreTest, WhatTheServiceRefusesIsSaidAndNotAskedAgain) {
  std::string answer;
  Serve([&](const Received&) { return answer; });
  const auto ask = [&](const std::string& with) {
    answer = with;
    return store_->Get("key", 100, GoOn).status();
  };
  absl::Status status = ask(Error("403 Forbidden", "SignatureDoesNotMatch"));
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("credentials"), HasSubstr("SignatureDoesNotMatch")));
  status = ask(Error("404 Not Found", "NoSuchBucket"));
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("no such bucket"));
  EXPECT_TRUE(absl::IsNotFound(ask(Error("404 Not Found", "NoSuchKey"))));
  EXPECT_TRUE(absl::IsFailedPrecondition(ask(Error("400 Bad Request", "AuthorizationHeader"))));
  status = ask(Answer("403 Forbidden", "<html>/home/somebody</html>"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("somebody")));
  EXPECT_EQ(endpoint_->received().size(), 5u);
}

TEST_F(S3StoreTest, RedirectsAreNotFollowed) {
  Serve([this](const Received&) {
    return Answer("307 Temporary Redirect", "",
                  absl::StrCat("Location: ", endpoint_->location(), "/elsewhere\r\n"));
  });
  EXPECT_TRUE(absl::IsFailedPrecondition(store_->Get("key", 100, GoOn).status()));
  EXPECT_EQ(endpoint_->received().size(), 1u);
}

TEST_F(S3StoreTest, AFileIsTakenOnlyWithItsSizeAndHash) {
  std::string answer = Answer("200 OK", "12345");
  Serve([&](const Received&) { return answer; });
  ASSERT_TRUE(GetFile("12345").ok());
  EXPECT_EQ(Contents("got"), "12345");
  EXPECT_TRUE(absl::IsDataLoss(GetFile("1234x")));
  EXPECT_TRUE(absl::IsDataLoss(GetFile("123456")));
  EXPECT_TRUE(absl::IsDataLoss(GetFile("1234"))) << "longer";
  answer = Error("404 Not Found", "NoSuchKey");
  EXPECT_TRUE(absl::IsNotFound(GetFile("12345")));
}

TEST_F(S3StoreTest, ADownloadThatIsCutOffBeginsAgain) {
  int asked = 0;
  const std::string whole = Answer("200 OK", "12345");
  Serve([&](const Received&) { return ++asked == 1 ? whole.substr(0, whole.size() - 2) : whole; });
  ASSERT_TRUE(GetFile("12345").ok());
  EXPECT_EQ(Contents("got"), "12345");
  asked = 0;
  EXPECT_EQ(*store_->Get("key", 100, GoOn), "12345");
}

TEST_F(S3StoreTest, AnswersHaveLimits) {
  Serve([](const Received&) { return Answer("200 OK", std::string(100'000, 'x')); });
  EXPECT_TRUE(absl::IsDataLoss(store_->Get("key", 99'999, GoOn).status()));
  EXPECT_TRUE(store_->Get("key", 100'000, GoOn).ok());
  EXPECT_EQ(endpoint_->received().size(), 2u) << "not asked again";
}

TEST_F(S3StoreTest, HeadersHaveLimits) {
  Serve([](const Received&) {
    std::string headers;
    for (int i = 0; i < 2000; ++i)
      absl::StrAppend(&headers, "X-", i, ": ", std::string(50, 'x'), "\r\n");
    return Answer("200 OK", "1", headers);
  });
  EXPECT_TRUE(absl::IsUnavailable(store_->Get("key", 100, GoOn).status()));
}

TEST_F(S3StoreTest, WhoHasGoneIsNotWaitedFor) {
  std::atomic<bool> release = false;
  Serve([&](const Received&) {
    while (!release) absl::SleepFor(absl::Milliseconds(5));
    return std::string();
  });
  const absl::Time until = absl::Now() + absl::Milliseconds(100);
  const absl::Time before = absl::Now();
  const absl::Status status = store_->Delete(
      "key", [&] { return absl::Now() < until ? absl::OkStatus() : absl::CancelledError("gone"); });
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_LT(absl::Now() - before, absl::Seconds(3));
  release = true;
  endpoint_.reset();
}

TEST_F(S3StoreTest, AServiceThatSaysNothingIsGivenUp) {
  std::atomic<bool> release = false;
  Serve([&](const Received&) {
    while (!release) absl::SleepFor(absl::Milliseconds(5));
    return std::string();
  });
  const absl::Time before = absl::Now();
  const absl::Status status = store_->Delete("key", GoOn);
  release = true;
  endpoint_.reset();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_LT(absl::Now() - before, absl::Seconds(30));
}

TEST_F(S3StoreTest, AnEndpointThatIsNotThereIsSaid) {
  Serve([](const Received&) { return std::string(); });
  const std::string location = endpoint_->location();
  endpoint_.reset();
  Open(location);
  const absl::Status status = store_->Delete("key", GoOn);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("127.0.0.1")));
}

TEST_F(S3StoreTest, ADeletionOfNothingSucceeds) {
  std::vector<std::string> lines;
  Serve([](const Received& request) {
    return request.line.find("there") != std::string::npos
               ? "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
               : Error("404 Not Found", "NoSuchKey");
  });
  EXPECT_TRUE(store_->Delete("there", GoOn).ok());
  EXPECT_TRUE(store_->Delete("gone", GoOn).ok());
  for (const Received& request : endpoint_->received()) lines.push_back(request.line);
  EXPECT_THAT(lines, ElementsAre(StartsWith("DELETE /bucket/there"), StartsWith("DELETE ")));
}

TEST_F(S3StoreTest, WithoutCredentialsItDoesNotOpen) {
  unsetenv("AWS_SECRET_ACCESS_KEY");
  const absl::Status status = S3Store::Open({.location = "https://h/bucket"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(StartsWith("snapshot-s3: "), HasSubstr("secret"), Not(HasSubstr("AKID"))));
  EXPECT_THAT(
      std::string(S3Store::Open({.location = "https://h/bucket", .credentials_file = Path("none")})
                      .status()
                      .message()),
      StartsWith("snapshot-s3-credentials-file: "));
}

TEST_F(S3StoreTest, CredentialsAreReadAnew) {
  std::ofstream(Path("credentials")) << "aws_access_key_id=ONE\naws_secret_access_key=s\n";
  endpoint_ = std::make_unique<Endpoint>([](const Received&) { return Answer("200 OK", ""); });
  const auto store = S3Store::Open(
      {.location = endpoint_->location(), .credentials_file = Path("credentials")}, {});
  ASSERT_TRUE(store.ok()) << store.status();
  ASSERT_TRUE((*store)->Delete("key", GoOn).ok());
  std::ofstream(Path("credentials")) << "aws_access_key_id=TWO\naws_secret_access_key=s\n";
  ASSERT_TRUE((*store)->Delete("key", GoOn).ok());
  EXPECT_THAT(endpoint_->received().at(0).headers, HasSubstr("credential=one/"));
  EXPECT_THAT(endpoint_->received().at(1).headers, HasSubstr("credential=two/"));
}

}  // namespace
}  // namespace antiphon::server
