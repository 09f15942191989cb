// Certificates for tests of encrypted connections. Safe from any thread.
#ifndef ANTIPHON_TESTS_SUPPORT_TEST_CERTIFICATE_H_
#define ANTIPHON_TESTS_SUPPORT_TEST_CERTIFICATE_H_

#include <string>

namespace antiphon::testing {

struct TestCertificate {
  std::string certificate;  // PEM
  std::string key;          // PEM, of the private key
};

// Signed by itself, so that it is its own authority; for the host `name`, valid for an hour.
TestCertificate MakeTestCertificate(const std::string& name);

}  // namespace antiphon::testing

#endif  // ANTIPHON_TESTS_SUPPORT_TEST_CERTIFICATE_H_
