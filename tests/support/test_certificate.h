// Certificates for tests of encrypted connections. Safe from any thread.
#ifndef ANTIPHON_TESTS_SUPPORT_TEST_CERTIFICATE_H_
#define ANTIPHON_TESTS_SUPPORT_TEST_CERTIFICATE_H_

#include <string>

namespace antiphon::testing {

struct TestCertificate {
  std::string certificate;  // PEM
  std::string key;          // PEM, of the private key
};

struct CertificateOptions {
  long begins_s = -3600;  // when it is valid, seconds from now
  long ends_s = 3600;
  std::string password = "";  // the key is encrypted with it, unless it is empty
};

// Signed by itself, so that it is its own authority; for the host `name`.
TestCertificate MakeTestCertificate(const std::string& name,
                                    const CertificateOptions& options = {});

}  // namespace antiphon::testing

#endif  // ANTIPHON_TESTS_SUPPORT_TEST_CERTIFICATE_H_
