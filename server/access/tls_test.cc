#include "server/access/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "core/testing/temporary_folder.h"
#include "tests/support/test_certificate.h"

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using testing::TestCertificate;
constexpr long kHour = 3600;

TestCertificate Pair(long begins_s, long ends_s, const std::string& password = "") {
  return testing::MakeTestCertificate(
      "localhost", {.begins_s = begins_s, .ends_s = ends_s, .password = password});
}

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() { Write(good_.certificate, good_.key); }

  TlsFiles Files() const { return {folder_ + "/cert.pem", folder_ + "/key.pem", ""}; }
  void Write(const std::string& certificate, const std::string& key) {
    std::ofstream(Files().certificate) << certificate;
    std::ofstream(Files().key) << key;
  }
  std::string Error(const std::string& certificate, const std::string& key) {
    Write(certificate, key);
    const auto opened = TlsIdentity::Open(Files());
    EXPECT_FALSE(opened.ok());
    return std::string(opened.status().message());
  }

  const testing::TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path();
  const TestCertificate good_ = Pair(-kHour, 24 * kHour);
};

TEST_F(TlsTest, TakesACertificateAndItsKey) {
  const auto opened = TlsIdentity::Open(Files());
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_GT((*opened)->expires(), absl::Now() + absl::Hours(23));
  EXPECT_LT((*opened)->expires(), absl::Now() + absl::Hours(25));
  EXPECT_NE((*opened)->Credentials(), nullptr);
}

TEST_F(TlsTest, TakesAChain) {
  const TestCertificate authority = Pair(-kHour, kHour);
  Write(good_.certificate + authority.certificate, good_.key);
  const auto opened = TlsIdentity::Open(Files());
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_GT((*opened)->expires(), absl::Now() + absl::Hours(23)) << "the first is the server's";
}

TEST_F(TlsTest, RefusesWhatWouldLockEverybodyOut) {
  const TestCertificate other = Pair(-kHour, 24 * kHour);
  EXPECT_THAT(Error(good_.certificate, other.key), HasSubstr("tls-key: does not belong"));
  const TestCertificate expired = Pair(-2 * kHour, -kHour);
  EXPECT_THAT(Error(expired.certificate, expired.key), HasSubstr("tls-cert: expired on"));
  const TestCertificate early = Pair(kHour, 2 * kHour);
  EXPECT_THAT(Error(early.certificate, early.key), HasSubstr("tls-cert: is not valid yet"));
  EXPECT_THAT(Error(good_.key, good_.key), HasSubstr("tls-cert: holds no certificate"));
  EXPECT_THAT(Error(good_.certificate, good_.certificate),
              HasSubstr("tls-key: holds no private key"));
  EXPECT_THAT(Error("", good_.key), HasSubstr("tls-cert"));
  std::string damaged = good_.certificate;
  damaged[damaged.size() / 2] = '!';
  EXPECT_THAT(Error(good_.certificate + damaged, good_.key),
              HasSubstr("damaged after 1 certificates"));
}

TEST_F(TlsTest, AnEncryptedKeyIsRefusedAndNobodyIsAskedForAPassword) {
  const TestCertificate encrypted = Pair(-kHour, 24 * kHour, "secret");
  EXPECT_THAT(encrypted.key, HasSubstr("ENCRYPTED"));
  EXPECT_THAT(Error(encrypted.certificate, encrypted.key), HasSubstr("or an encrypted one"));
}

TEST_F(TlsTest, MissingFilesAreNamedByTheirOption) {
  std::filesystem::remove(Files().key);
  const auto opened = TlsIdentity::Open(Files());
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr("tls-key"));
  EXPECT_THAT(std::string(opened.status().message()), Not(HasSubstr(folder_)));
  TlsFiles files = Files();
  Write(good_.certificate, good_.key);
  files.client_ca = folder_ + "/none.pem";
  EXPECT_THAT(std::string(TlsIdentity::Open(files).status().message()), HasSubstr("tls-client-ca"));
  files.client_ca = files.key;
  EXPECT_THAT(std::string(TlsIdentity::Open(files).status().message()),
              HasSubstr("tls-client-ca: holds no"));
}

TEST_F(TlsTest, AReloadTakesTheNewOrKeepsTheOld) {
  const auto opened = TlsIdentity::Open(Files());
  ASSERT_TRUE(opened.ok()) << opened.status();
  const absl::Time before = (*opened)->expires();
  const TestCertificate expired = Pair(-2 * kHour, -kHour);
  Write(expired.certificate, expired.key);
  EXPECT_FALSE((*opened)->Reload().ok());
  EXPECT_EQ((*opened)->expires(), before);
  const TestCertificate renewed = Pair(-kHour, 48 * kHour);
  Write(renewed.certificate, renewed.key);
  EXPECT_TRUE((*opened)->Reload().ok());
  EXPECT_GT((*opened)->expires(), before + absl::Hours(20));
}

}  // namespace
}  // namespace antiphon::server
