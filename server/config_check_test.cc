#include "server/config_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "core/testing/temporary_folder.h"
#include "server/command_line.h"
#include "tests/support/test_certificate.h"

namespace antiphon::server {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConfigCheckTest : public ::testing::Test {
 protected:
  ConfigCheckTest() {
    std::filesystem::create_directory(Path("bundle"));
    Write("bundle/CURRENT", "gen-000001\n");
    config_.store.bundle = Path("bundle");
  }

  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name)) << text;
    return Path(name);
  }
  std::vector<std::string> Problems() const {
    std::vector<std::string> messages;
    for (const ConfigProblem& problem : FindFileProblems(config_))
      messages.push_back(problem.message);
    return messages;
  }

  const testing::TemporaryFolder folder_;
  Config config_;
};

TEST_F(ConfigCheckTest, FindsNothingWhereAllIsThere) {
  const testing::TestCertificate certificate = testing::MakeTestCertificate("localhost");
  config_.snapshots.directory = Path("snapshots");
  std::filesystem::create_directory(config_.snapshots.directory);
  config_.tls.certificate = Write("cert.pem", certificate.certificate);
  config_.tls.key = Write("key.pem", certificate.key);
  config_.tls.client_ca = config_.tls.certificate;
  config_.api_keys.keys_file = Write("keys", "me read " + std::string(64, 'a') + "\n");
  EXPECT_THAT(Problems(), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(config_.snapshots.directory)) << "nothing is left behind";
}

TEST_F(ConfigCheckTest, ABundleHasAGenerationInForce) {
  std::filesystem::remove(Path("bundle/CURRENT"));
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("bundle: " + Path("bundle") + ": ")));
  Write("bundle/CURRENT", "something else\n");
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("bundle: ")));
  config_.store.bundle = Path("bundle/CURRENT");
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("is no directory")));
  config_.store.bundle = Path("nowhere");
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("No such file or directory")));
}

TEST_F(ConfigCheckTest, TheDirectoryOfSnapshotsIsThereAndWritable) {
  EXPECT_TRUE(TrySnapshotDirectory("").ok()) << "none is asked for";
  for (const auto& [directory, reason] : std::vector<std::pair<std::string, std::string>>{
           {Path("nowhere"), "No such file or directory"},
           {Path("bundle/CURRENT"), "is no directory"},
           {"/proc", "cannot be written to"}}) {
    const absl::Status status = TrySnapshotDirectory(directory);
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << directory;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("snapshot-dir: " + directory), HasSubstr(reason)));
    config_.snapshots.directory = directory;
    EXPECT_THAT(Problems(), ElementsAre(HasSubstr(reason)));
  }
}

TEST_F(ConfigCheckTest, KeysAndCertificatesAreRead) {
  const testing::TestCertificate certificate = testing::MakeTestCertificate("localhost");
  config_.api_keys.keys_file = Write("keys", "somebody read not-a-hash\n");
  config_.tls.certificate = Write("cert.pem", certificate.certificate);
  config_.tls.key = Write("key.pem", testing::MakeTestCertificate("localhost").key);
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("tls-key: does not belong"),
                                      AllOf(HasSubstr("api-keys-file"), HasSubstr("line 1"))));
  config_.tls.certificate = Path("a");
  config_.tls.key = Path("b");
  config_.tls.client_ca = Path("c");
  config_.api_keys.keys_file = Path("d");
  EXPECT_THAT(Problems(),
              ElementsAre(HasSubstr("tls-cert: " + Path("a")), HasSubstr("tls-key: " + Path("b")),
                          HasSubstr("tls-client-ca: " + Path("c")),
                          HasSubstr("api-keys-file: " + Path("d"))));
}

TEST_F(ConfigCheckTest, TheProgramSaysThatAConfigurationIsValid) {
  const auto checked =
      ParseCommandLine({"--check-config", "--bundle", Path("bundle")}, {"ANTIPHON_COLOUR=blue"});
  ASSERT_TRUE(checked.ok()) << checked.status();
  EXPECT_EQ(checked->action, ParsedCommandLine::Action::kPrint);
  EXPECT_EQ(checked->text, "configuration is valid\n");
  EXPECT_EQ(checked->warnings.size(), 1U);
}

TEST_F(ConfigCheckTest, TheProgramNamesEveryProblemAndWhereItIsFrom) {
  const std::string file = Write("server.toml", "bundle = \"/nowhere\"\ntls-key = \"k\"\n");
  const auto checked = ParseCommandLine(
      {"--check-config", "--config", file, "--tls-cert", Path("bundle/CURRENT"), "--workers=-1"},
      {"ANTIPHON_SNAPSHOT_DIR=/proc"});
  EXPECT_TRUE(absl::IsInvalidArgument(checked.status()));
  const std::string message(checked.status().message());
  EXPECT_THAT(message, HasSubstr("workers: -1 is not in 0 to 1024 (from --workers)\n"));
  EXPECT_THAT(message,
              HasSubstr("bundle: /nowhere: No such file or directory (from " + file + ":1:1)\n"));
  EXPECT_THAT(message, HasSubstr("(from ANTIPHON_SNAPSHOT_DIR)"));
  EXPECT_THAT(message, HasSubstr("tls-key: k: cannot be opened: No such file or directory (from " +
                                 file + ":2:1)"));
  Write("key.pem", "no key");
  const auto both = ParseCommandLine(
      {"--check-config", "--bundle", Path("bundle"), "--tls-cert", Path("bundle/CURRENT")},
      {"ANTIPHON_TLS_KEY=" + Path("key.pem")});
  EXPECT_THAT(std::string(both.status().message()),
              HasSubstr("(from tls-cert: --tls-cert, tls-key: ANTIPHON_TLS_KEY)"));
}

}  // namespace
}  // namespace antiphon::server
