#include "server/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/time/clock.h"

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Contents(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  const std::string contents(data, static_cast<size_t>(size));
  BIO_free(bio);
  return contents;
}

// A certificate that signs itself, valid from `begin` to `end` from now, with its key.
struct Pair {
  std::string certificate;
  std::string key;

  Pair(absl::Duration begin, absl::Duration end, const char* password = nullptr) {
    EVP_PKEY* pair = EVP_EC_gen("P-256");
    X509* x509 = X509_new();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), absl::ToInt64Seconds(begin));
    X509_gmtime_adj(X509_getm_notAfter(x509), absl::ToInt64Seconds(end));
    X509_set_pubkey(x509, pair);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    X509_sign(x509, pair, EVP_sha256());
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, x509);
    certificate = Contents(out);
    out = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(out, pair, password == nullptr ? nullptr : EVP_aes_128_cbc(), nullptr, 0, nullptr,
                             const_cast<char*>(password));
    key = Contents(out);
    X509_free(x509);
    EVP_PKEY_free(pair);
  }
};

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() : folder_(::testing::TempDir() + "antiphon_tls_test") {
    std::filesystem::create_directories(folder_);
    Write(good_.certificate, good_.key);
  }
  ~TlsTest() override { std::filesystem::remove_all(folder_); }

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

  const std::string folder_;
  const Pair good_{-absl::Hours(1), absl::Hours(24)};
};

TEST_F(TlsTest, TakesACertificateAndItsKey) {
  const auto opened = TlsIdentity::Open(Files());
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_GT((*opened)->expires(), absl::Now() + absl::Hours(23));
  EXPECT_LT((*opened)->expires(), absl::Now() + absl::Hours(25));
  EXPECT_NE((*opened)->Credentials(), nullptr);
}

TEST_F(TlsTest, TakesAChain) {
  const Pair authority(-absl::Hours(1), absl::Hours(1));
  Write(good_.certificate + authority.certificate, good_.key);
  const auto opened = TlsIdentity::Open(Files());
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_GT((*opened)->expires(), absl::Now() + absl::Hours(23)) << "the first is the server's";
}

TEST_F(TlsTest, RefusesWhatWouldLockEverybodyOut) {
  const Pair other(-absl::Hours(1), absl::Hours(24));
  EXPECT_THAT(Error(good_.certificate, other.key), HasSubstr("tls-key: does not belong"));
  const Pair expired(-absl::Hours(2), -absl::Hours(1));
  EXPECT_THAT(Error(expired.certificate, expired.key), HasSubstr("tls-cert: expired on"));
  const Pair early(absl::Hours(1), absl::Hours(2));
  EXPECT_THAT(Error(early.certificate, early.key), HasSubstr("tls-cert: is not valid yet"));
  EXPECT_THAT(Error(good_.key, good_.key), HasSubstr("tls-cert: holds no certificate"));
  EXPECT_THAT(Error(good_.certificate, good_.certificate), HasSubstr("tls-key: holds no private key"));
  EXPECT_THAT(Error("", good_.key), HasSubstr("tls-cert"));
  std::string damaged = good_.certificate;
  damaged[damaged.size() / 2] = '!';
  EXPECT_THAT(Error(good_.certificate + damaged, good_.key), HasSubstr("damaged after 1 certificates"));
}

TEST_F(TlsTest, AnEncryptedKeyIsRefusedAndNobodyIsAskedForAPassword) {
  const Pair encrypted(-absl::Hours(1), absl::Hours(24), "secret");
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
  EXPECT_THAT(std::string(TlsIdentity::Open(files).status().message()), HasSubstr("tls-client-ca: holds no"));
}

TEST_F(TlsTest, AReloadTakesTheNewOrKeepsTheOld) {
  const auto opened = TlsIdentity::Open(Files());
  ASSERT_TRUE(opened.ok()) << opened.status();
  const absl::Time before = (*opened)->expires();
  const Pair expired(-absl::Hours(2), -absl::Hours(1));
  Write(expired.certificate, expired.key);
  EXPECT_FALSE((*opened)->Reload().ok());
  EXPECT_EQ((*opened)->expires(), before);
  const Pair renewed(-absl::Hours(1), absl::Hours(48));
  Write(renewed.certificate, renewed.key);
  EXPECT_TRUE((*opened)->Reload().ok());
  EXPECT_GT((*opened)->expires(), before + absl::Hours(20));
}

}  // namespace
}  // namespace antiphon::server
