#include "server/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace antiphon::server {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Names(const Environment& environment) {
  std::vector<std::string> names;
  for (const Setting& setting : environment.settings) names.push_back(setting.option);
  return names;
}

TEST(Environment, SetsOptions) {
  const Environment environment = ReadEnvironment(
      {"PATH=/bin", "ANTIPHON_WORKERS=2", "ANTIPHON_BUNDLE=a=b", "ANTIPHON_CONFIG=c.toml"});
  ASSERT_THAT(Names(environment), ElementsAre("workers", "bundle"));
  EXPECT_EQ(std::get<Setting::Unread>(environment.settings[1].value).text, "a=b");
  EXPECT_EQ(environment.settings[1].origin, "ANTIPHON_BUNDLE");
  EXPECT_EQ(environment.config_file, "c.toml");
  EXPECT_THAT(environment.problems, IsEmpty());
  EXPECT_THAT(environment.warnings, IsEmpty());
}

TEST(Environment, AnEmptyVariableIsOneThatIsNotSet) {
  const Environment environment =
      ReadEnvironment({"ANTIPHON_WORKERS=", "ANTIPHON_CONFIG=", "ANTIPHON_API_KEY_FILE=",
                       "ANTIPHON_COLOUR=", "ANTIPHON_BUNDLE"});
  EXPECT_THAT(environment.settings, IsEmpty());
  EXPECT_EQ(environment.config_file, std::nullopt);
  EXPECT_THAT(environment.problems, IsEmpty());
  EXPECT_THAT(environment.warnings, IsEmpty());
}

TEST(Environment, TheFirstOfTwoCounts) {
  const Environment environment = ReadEnvironment({"ANTIPHON_WORKERS=2", "ANTIPHON_WORKERS=3"});
  ASSERT_EQ(environment.settings.size(), 1U);
  EXPECT_EQ(std::get<Setting::Unread>(environment.settings[0].value).text, "2");
}

TEST(Environment, RefusesWhatIsNearlyAnOption) {
  for (const auto& [variable, option] :
       std::vector<std::pair<std::string, std::string>>{{"ANTIPHON_API_KEY_FILE", "api-keys-file"},
                                                        {"ANTIPHON_KEYS_API_FILE", "api-keys-file"},
                                                        {"ANTIPHON_API_KEYS", "api-keys-file"},
                                                        {"ANTIPHON_TLS_CERTIFICATE", "tls-cert"},
                                                        {"ANTIPHON_TLS_CERT_FILE", "tls-cert"},
                                                        {"ANTIPHON_SNAPSHOTS_DIR", "snapshot-dir"},
                                                        {"ANTIPHON_LISTN", "listen"},
                                                        {"ANTIPHON_NO_WARMUP", "warmup"},
                                                        {"ANTIPHON_api_keys_file", "api-keys-file"},
                                                        {"ANTIPHON_CONFIGS", "config"}}) {
    const Environment environment = ReadEnvironment({variable + "=x"});
    EXPECT_THAT(environment.problems, ElementsAre(AllOf(HasSubstr(variable + ": "),
                                                        HasSubstr(option + " has ANTIPHON_"))))
        << variable;
    EXPECT_THAT(environment.warnings, IsEmpty());
  }
}

TEST(Environment, WarnsOfOthers) {
  for (const std::string variable :
       {"ANTIPHON_COLOUR", "ANTIPHON_THREADS", "ANTIPHON_", "ANTIPHON_PORT", "ANTIPHON_HOST",
        "ANTIPHON_PORT_TCP", "ANTIPHON_PORT_X_TCP", "ANTIPHON_9464_TCP_ADDR"}) {
    const Environment environment = ReadEnvironment({variable + "=1"});
    EXPECT_THAT(environment.warnings, ElementsAre(HasSubstr(variable + " "))) << variable;
    EXPECT_THAT(environment.problems, IsEmpty());
  }
}

TEST(Environment, PassesOverWhatOthersRead) {
  for (const std::string variable :
       {"ANTIPHON_SERVER", "ANTIPHON_API_KEY", "ANTIPHON_JOBS", "ANTIPHON_SKIP_PACKAGES",
        "ANTIPHON_SOURCE_DIR", "ANTIPHON_BUILD_DIR", "ANTIPHON_TEST_MODEL", "ANTIPHON_CORPORA",
        "ANTIPHON_COMPOSE", "ANTIPHON_BENCHMARKS", "ANTIPHON_CUDA", "ANTIPHON_FUZZERS",
        "ANTIPHON_SANITIZE", "ANTIPHON_TESTS", "ANTIPHON_CHECK_ONLY", "XANTIPHON_WORKER"}) {
    const Environment environment = ReadEnvironment({variable + "=1"});
    EXPECT_THAT(environment.warnings, IsEmpty()) << variable;
    EXPECT_THAT(environment.problems, IsEmpty()) << variable;
    EXPECT_THAT(environment.settings, IsEmpty()) << variable;
  }
}

TEST(Environment, PassesOverWhatKubernetesSetsForServices) {
  for (const std::string service : {"ANTIPHON", "ANTIPHON_GRPC", "ANTIPHON_METRICS",
                                    "ANTIPHON_SERVER", "ANTIPHON_LISTEN", "ANTIPHON_2"}) {
    std::vector<std::string> entries = {
        service + "_SERVICE_HOST=10.0.0.1", service + "_SERVICE_PORT=50051",
        service + "_SERVICE_PORT_GRPC=50051", service + "_SERVICE_PORT_HTTP_METRICS=9464",
        service + "_PORT=tcp://10.0.0.1:50051"};
    for (const std::string protocol : {"TCP", "UDP", "SCTP"}) {
      const std::string port = absl::StrCat(service, "_PORT_50051_", protocol);
      entries.insert(entries.end(), {port + "=tcp://10.0.0.1:50051", port + "_ADDR=10.0.0.1",
                                     port + "_PORT=50051", port + "_PROTO=tcp"});
    }
    for (const std::string& entry : entries) {
      const Environment environment = ReadEnvironment({entry});
      EXPECT_THAT(environment.warnings, IsEmpty()) << entry;
      EXPECT_THAT(environment.problems, IsEmpty()) << entry;
    }
  }
}

TEST(Environment, TakesLongNames) {
  const Environment environment = ReadEnvironment({"ANTIPHON_" + std::string(100'000, 'A') + "=1",
                                                   "ANTIPHON_" + std::string(100'000, '_') + "=1"});
  EXPECT_EQ(environment.warnings.size(), 2U);
}

}  // namespace
}  // namespace antiphon::server
