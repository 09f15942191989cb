#include "server/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/testing/temporary_folder.h"
#include "server/command_line.h"

namespace antiphon::server {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ConfigFileTest : public ::testing::Test {
 protected:
  // What the whole program says of a file with this text.
  absl::StatusOr<ParsedCommandLine> Parse(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    return ParseCommandLine({"--config", path_, "--bundle=b"}, {});
  }
  Config Valid(const std::string& text) {
    const auto parsed = Parse(text);
    EXPECT_TRUE(parsed.ok()) << text << parsed.status();
    return parsed.ok() ? parsed->config : Config();
  }
  std::string Error(const std::string& text) {
    const auto parsed = Parse(text);
    EXPECT_TRUE(absl::IsInvalidArgument(parsed.status())) << text;
    return std::string(parsed.status().message());
  }
  std::string At(const std::string& place) const { return path_ + ":" + place; }

  const testing::TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/server.toml";
};

TEST_F(ConfigFileTest, ReadsToml) {
  const Config config = Valid(
      "# a comment\r\n"
      "listen = 'unix:/tmp/C:\\no\\escapes'\r\n"
      "\"snapshot-dir\" = \"tab\\there, \\u00FC\"\r\n"
      "queue-capacity = 1_000\n"
      "queue-mib = 0x10\n"
      "grace-period = 1.5e1   # seconds\n"
      "stream-idle-seconds = 5\n"
      "read-only = true\n"
      "log-format = \"json\"");
  EXPECT_EQ(config.listen, "unix:/tmp/C:\\no\\escapes");
  EXPECT_EQ(config.snapshots.directory, "tab\there, \xC3\xBC");
  EXPECT_EQ(config.queue.capacity, 1000);
  EXPECT_EQ(config.queue.capacity_mib, 16);
  EXPECT_EQ(config.grace_period_s, 15);
  EXPECT_EQ(config.streams.patience_s, 5) << "a whole number is a number";
  EXPECT_TRUE(config.store.read_only);
  EXPECT_EQ(config.log.format, LogFormat::kJson);
  Valid("");
  Valid("\xEF\xBB\xBFworkers = 1\n");  // with a byte order mark
}

// As 0.1.0 printed it.
TEST_F(ConfigFileTest, ReadsWhatFormerVersionsPrinted) {
  const Config config = Valid(
      "# antiphon-server: finds the score for a sound and the sound for a score, over gRPC.\n\n"
      "# Where `Admin.Snapshot` writes (a directory)\nsnapshot-dir=\"\"\n\n"
      "listen=\"127.0.0.1:50051\"\nmetrics-listen=0\nworkers=7\ngrace-period=20\n"
      "batch-delay-ms=0.5\nread-only=false\nwarmup=false\nlog-level=\"info\"\ntls-cert=''\n"
      "device=\"cpu\"\n");
  EXPECT_FALSE(config.metrics.enabled());
  EXPECT_EQ(config.queue.workers, 7);
  EXPECT_FALSE(config.store.warm_up);
  EXPECT_FALSE(Valid("no-warmup = true\n").store.warm_up) << "named as the flag is";
  EXPECT_THAT(Error("no-warmup = false\n"), HasSubstr("write warmup = true"));
}

TEST_F(ConfigFileTest, SaysWhereItIsNoToml) {
  EXPECT_THAT(Error("workers = 1\nqueue-mib = = 2\n"), StartsWith("config: " + At("2:")));
  EXPECT_THAT(Error("bundle = /var/lib/antiphon\n"),
              AllOf(HasSubstr(At("1:10")), HasSubstr("text stands in quotes")));
  EXPECT_THAT(Error("workers 3\n"), HasSubstr(At("1:9")));
  EXPECT_THAT(Error("listen = \"127.0.0.1:1\n"), HasSubstr(At("1:")));
  EXPECT_THAT(Error("listen = \"\xFF\"\n"), HasSubstr(At("1:")));
  EXPECT_THAT(Error("workers = 010\n"), HasSubstr(At("1:")));
  EXPECT_THAT(Error("workers = 99999999999999999999\n"), HasSubstr(At("1:")));
  EXPECT_THAT(Error("workers = 1 queue-mib = 2\n"), HasSubstr(At("1:13")));
  EXPECT_THAT(Error(std::string("\0\1\2", 3)), HasSubstr(At("1:1")));
}

TEST_F(ConfigFileTest, AKeyStandsOnce) {
  EXPECT_THAT(Error("workers = 1\nqueue-mib = 3\nworkers = 2\n"),
              AllOf(HasSubstr(At("3:")), HasSubstr("workers")));
  EXPECT_THAT(Error("workers = 1\n\"workers\" = 2\n"), HasSubstr(At("2:")));
  EXPECT_THAT(Error("workers = 1\n[workers]\n"), HasSubstr(At("2:")));
}

TEST_F(ConfigFileTest, SaysWhichOptionIsNone) {
  EXPECT_THAT(Error("workers = 1\n wrokers = 3\n"),
              AllOf(HasSubstr("wrokers: there is no such option"),
                    HasSubstr("did you mean workers"), HasSubstr(At("2:2"))));
  EXPECT_THAT(Error("colour = 'blue'\n"),
              AllOf(HasSubstr("colour: there is no such option (from"), HasSubstr(At("1:1"))));
  EXPECT_THAT(Error("config = 'other.toml'\n"), HasSubstr("config: there is no such option"));
  EXPECT_THAT(Error("print-config = true\n"), HasSubstr("print-config: there is no such option"));
  EXPECT_THAT(Error("\"\" = 1\n"), HasSubstr("there is no such option"));
}

TEST_F(ConfigFileTest, SaysWhichTypeIsWrong) {
  EXPECT_THAT(Error("workers = \"3\"\n"),
              AllOf(HasSubstr("workers: takes a whole number (0 to 1024), and not text"),
                    HasSubstr(At("1:1"))));
  EXPECT_THAT(Error("workers = 3.0\n"), HasSubstr("and not a number with a fraction"));
  EXPECT_THAT(Error("workers = true\n"), HasSubstr("and not true"));
  EXPECT_THAT(Error("workers = [1, 2]\n"), HasSubstr("and not an array"));
  EXPECT_THAT(Error("workers = 1979-05-27\n"), HasSubstr("and not a date or a time"));
  EXPECT_THAT(Error("grace-period = \"3\"\n"), HasSubstr("takes a number (0 to 3600)"));
  EXPECT_THAT(Error("warmup = 1\n"), HasSubstr("warmup: takes true or false, and not a whole"));
  EXPECT_THAT(Error("warmup = \"true\"\n"), HasSubstr("warmup: takes true or false, and not text"));
  EXPECT_THAT(Error("listen = 50051\n"), HasSubstr("listen: takes text in quotes"));
  EXPECT_THAT(Error("listen = 0\n"), HasSubstr("listen: '0' has"));
  EXPECT_THAT(Error("device = false\n"), HasSubstr("device: takes text in quotes"));
  EXPECT_THAT(Error("log-level = 3\n"), HasSubstr("log-level: takes text in quotes (trace"));
}

TEST_F(ConfigFileTest, TakesNoTables) {
  EXPECT_THAT(Error("[server]\nworkers = 3\n"),
              AllOf(HasSubstr("server: is a table"), HasSubstr(At("1:"))));
  EXPECT_THAT(Error("workers = {count = 3}\n"), HasSubstr("workers: takes a whole number"));
  EXPECT_THAT(Error("workers.count = 3\n"), HasSubstr("and not a table"));
  EXPECT_THAT(Error("[[listen]]\n"), HasSubstr("listen: takes text"));
}

TEST_F(ConfigFileTest, SaysWhichValueIsOutOfRange) {
  EXPECT_THAT(Error("\n\nqueue-capacity = 0\n"),
              AllOf(HasSubstr("queue-capacity: 0 is not in 1 to 1000000"), HasSubstr(At("3:1"))));
  EXPECT_THAT(Error("workers = 4294967297\n"), HasSubstr("workers: 4294967297 is not in"));
  EXPECT_THAT(Error("grace-period = nan\n"), HasSubstr("grace-period: nan is not in"));
  EXPECT_THAT(Error("grace-period = -inf\n"), HasSubstr("grace-period: -inf is not in"));
  EXPECT_THAT(Error("log-level = \"loud\"\n"),
              AllOf(HasSubstr("log-level: 'loud' is none of"), HasSubstr(At("1:1"))));
  EXPECT_THAT(Error("snapshot-dir = \"/tmp\\u0000/x\"\n"), HasSubstr("snapshot-dir: has a char"));
  EXPECT_THAT(Error("device = \"a\\nb\"\n"), HasSubstr("device: 'a\\nb'")) << "in one line";
}

TEST_F(ConfigFileTest, SaysWhyItCannotBeRead) {
  const auto refusal = [](const std::string& path) {
    return std::string(ReadConfigFile(path).status().message());
  };
  EXPECT_THAT(refusal("/nowhere/at/all.toml"),
              AllOf(StartsWith("/nowhere/at/all.toml: "), HasSubstr("No such file")));
  EXPECT_THAT(refusal(folder_.path()), HasSubstr("is not a plain file"));
  std::ofstream(path_) << std::string(kMaxConfigFileBytes + 1, '#');
  EXPECT_THAT(refusal(path_), HasSubstr("is larger than 1048576 bytes"));
  EXPECT_FALSE(ParseConfigFile("a = " + std::string(500'000, '['), "deep.toml").ok());
}

TEST_F(ConfigFileTest, KeepsTheOrderOfTheFile) {
  const auto settings = ParseConfigFile("workers = 1\nbundle = 'b'\nqueue-mib = 2\n", "f");
  ASSERT_TRUE(settings.ok()) << settings.status();
  std::vector<std::string> origins;
  for (const Setting& setting : *settings) origins.push_back(setting.option + " " + setting.origin);
  EXPECT_THAT(origins, ElementsAre("workers f:1:1", "bundle f:2:1", "queue-mib f:3:1"));
}

}  // namespace
}  // namespace antiphon::server
