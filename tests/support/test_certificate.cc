#include "tests/support/test_certificate.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <cstdlib>
#include <memory>

namespace antiphon::testing {
namespace {

struct Deleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
template <typename T>
using Owned = std::unique_ptr<T, Deleter>;

void Must(bool done) {
  if (!done) std::abort();
}

void AddExtension(X509* certificate, int nid, const std::string& value) {
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
  Must(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

template <typename Write>
std::string Pem(Write write) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  Must(write(bio.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

}  // namespace

TestCertificate MakeTestCertificate(const std::string& name, const CertificateOptions& options) {
  static std::atomic<long> serial = 1;
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  const Owned<X509> certificate(X509_new());
  Must(key != nullptr && certificate != nullptr);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), options.begins_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), options.ends_s);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  AddExtension(certificate.get(), NID_subject_alt_name, "DNS:" + name);
  AddExtension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  Must(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
  const bool encrypted = !options.password.empty();
  return {Pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); }),
          Pem([&](BIO* bio) {
            return PEM_write_bio_PrivateKey(
                bio, key.get(), encrypted ? EVP_aes_128_cbc() : nullptr, nullptr, 0, nullptr,
                encrypted ? const_cast<char*>(options.password.c_str()) : nullptr);
          })};
}

}  // namespace antiphon::testing
