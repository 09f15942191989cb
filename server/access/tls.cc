#include "server/access/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/status_macros.h"
#include "grpc/grpc.h"
#include "grpc/grpc_security.h"
#include "grpcpp/security/server_credentials.h"
#include "server/runtime/small_file.h"

namespace antiphon::server {
namespace {

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

absl::Status At(absl::string_view option, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(option, ": ", what));
}

absl::StatusOr<std::string> ReadOption(absl::string_view option, const std::string& path) {
  absl::StatusOr<std::string> text = ReadSmallFile(path, kMaxPemBytes);
  if (text.ok()) return text;
  return absl::Status(text.status().code(), absl::StrCat(option, ": ", text.status().message()));
}

Bio Reader(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// All certificates of a text, at least one.
absl::StatusOr<std::vector<Certificate>> ParseCertificates(absl::string_view option,
                                                           const std::string& pem) {
  const Bio bio = Reader(pem);
  std::vector<Certificate> certificates;
  while (Certificate certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    certificates.push_back(std::move(certificate));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (certificates.empty()) return At(option, "holds no certificate in PEM");
  if (!at_end)
    return At(option, absl::StrCat("is damaged after ", certificates.size(), " certificates"));
  return certificates;
}

// Without this, OpenSSL would ask for the password at the terminal.
int NoPassword(char*, int, int, void*) { return -1; }

absl::StatusOr<PrivateKey> ParseKey(const std::string& pem) {
  const Bio bio = Reader(pem);
  PrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  ERR_clear_error();
  if (key == nullptr) return At("tls-key", "holds no private key in PEM, or an encrypted one");
  return key;
}

absl::StatusOr<absl::Time> CheckValidity(const X509* certificate) {
  std::tm until{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &until) != 1)
    return At("tls-cert", "has no end of validity");
  const absl::Time expires = absl::FromTM(until, absl::UTCTimeZone());
  if (expires <= absl::Now())
    return At("tls-cert", absl::StrCat("expired on ", absl::FormatTime(expires)));
  if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
    return At("tls-cert", "is not valid yet");
  return expires;
}

}  // namespace

// gRPC's side of it.
class TlsFetcher {
 public:
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* identity, grpc_ssl_server_certificate_config** config) {
    auto* self = static_cast<TlsIdentity*>(identity);
    absl::MutexLock lock(&self->mutex_);
    if (self->handed_out_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair = {self->contents_.key.c_str(),
                                             self->contents_.certificate.c_str()};
    // gRPC insists on authorities for clients even where it asks clients for nothing, and then does
    // not use them.
    const std::string& authorities =
        self->contents_.client_ca.empty() ? self->contents_.certificate : self->contents_.client_ca;
    *config = grpc_ssl_server_certificate_config_create(authorities.c_str(), &pair, 1);
    self->handed_out_ = true;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }
};

namespace {

// gRPC's C++ interface has no credentials that can be renewed, but for experimental ones that a
// damaged file puts out of order; its C interface has.
class RenewableCredentials final : public grpc::ServerCredentials {
 public:
  RenewableCredentials(grpc_ssl_client_certificate_request_type request, TlsIdentity* identity)
      : credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                request, TlsFetcher::Fetch, identity))) {}
  ~RenewableCredentials() override { grpc_server_credentials_release(credentials_); }

  // Keys are checked where calls come in (call_gate.h).
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* const credentials_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TlsIdentity>> TlsIdentity::Open(TlsFiles files) {
  std::unique_ptr<TlsIdentity> identity(new TlsIdentity(std::move(files)));
  RETURN_IF_ERROR(identity->Reload());
  return identity;
}

absl::StatusOr<TlsIdentity::Contents> TlsIdentity::Read() const {
  ASSIGN_OR_RETURN(auto certificate, ReadOption("tls-cert", files_.certificate));
  ASSIGN_OR_RETURN(auto key, ReadOption("tls-key", files_.key));
  ASSIGN_OR_RETURN(const auto chain, ParseCertificates("tls-cert", certificate));
  ASSIGN_OR_RETURN(const auto private_key, ParseKey(key));
  const bool belong_together = X509_check_private_key(chain.front().get(), private_key.get()) == 1;
  ERR_clear_error();
  if (!belong_together) return At("tls-key", "does not belong to the certificate of tls-cert");
  ASSIGN_OR_RETURN(const auto expires, CheckValidity(chain.front().get()));

  Contents contents{std::move(certificate), std::move(key), "", expires};
  if (files_.client_ca.empty()) return contents;
  ASSIGN_OR_RETURN(contents.client_ca, ReadOption("tls-client-ca", files_.client_ca));
  RETURN_IF_ERROR(ParseCertificates("tls-client-ca", contents.client_ca).status());
  return contents;
}

absl::Status TlsIdentity::Reload() {
  ASSIGN_OR_RETURN(Contents contents, Read());
  absl::MutexLock lock(&mutex_);
  contents_ = std::move(contents);
  handed_out_ = false;
  return absl::OkStatus();
}

absl::Time TlsIdentity::expires() const {
  absl::MutexLock lock(&mutex_);
  return contents_.expires;
}

std::shared_ptr<grpc::ServerCredentials> TlsIdentity::Credentials() {
  return std::make_shared<RenewableCredentials>(
      files_.client_ca.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                               : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY,
      this);
}

}  // namespace antiphon::server
