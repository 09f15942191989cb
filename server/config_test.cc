#include "server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>

#include "core/testing/temporary_folder.h"

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A configuration file that goes when the test does.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) { std::ofstream(path_) << text; }
  std::string flag() const { return "--config=" + path_; }
  const std::string& path() const { return path_; }

 private:
  const testing::TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/config.toml";
};

Config Parse(const std::vector<std::string>& arguments,
             const std::vector<std::string>& environment = {}) {
  const auto parsed = ParseCommandLine(arguments, environment);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed.ok() ? parsed->config : Config();
}

std::string Error(const std::vector<std::string>& arguments,
                  const std::vector<std::string>& environment = {}) {
  const auto parsed = ParseCommandLine(arguments, environment);
  EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(parsed.status().message());
}

TEST(Config, NeedsNothingButABundle) {
  const Config config = Parse({"--bundle", "b"});
  EXPECT_EQ(config.store.bundle, "b");
  EXPECT_EQ(config.listen, "127.0.0.1:50051");
  EXPECT_EQ(config.limits.max_message_mib, 64);
  EXPECT_EQ(config.queue.workers, 0);
  EXPECT_THAT(Error({}), HasSubstr("bundle: missing"));
}

TEST(Config, FlagBeatsEnvironmentBeatsFile) {
  const ConfigFile file(
      "bundle = \"from-file\"\nworkers = 1\nqueue-capacity = 11\ngrace-period = 1.5\n");
  const std::vector<std::string> environment = {"ANTIPHON_WORKERS=2", "ANTIPHON_QUEUE_CAPACITY=22",
                                                "PATH=/bin"};
  const Config config = Parse({file.flag(), "--workers", "3"}, environment);
  EXPECT_EQ(config.store.bundle, "from-file");
  EXPECT_EQ(config.grace_period_s, 1.5);
  EXPECT_EQ(config.queue.capacity, 22);
  EXPECT_EQ(config.queue.workers, 3);
}

TEST(Config, TheFileItselfMayBeNamedByTheEnvironment) {
  const ConfigFile file("bundle = \"from-file\"\n");
  EXPECT_EQ(Parse({}, {"ANTIPHON_CONFIG=" + file.path()}).store.bundle, "from-file");
}

TEST(Config, SwitchesWorkFromEverySource) {
  const ConfigFile file("bundle = \"b\"\nwarmup = false\n");
  EXPECT_FALSE(Parse({file.flag()}).store.warm_up);
  EXPECT_TRUE(Parse({file.flag()}, {"ANTIPHON_WARMUP=true"}).store.warm_up);
  EXPECT_FALSE(Parse({file.flag(), "--no-warmup"}, {"ANTIPHON_WARMUP=true"}).store.warm_up);
  EXPECT_TRUE(Parse({"--bundle=b"}).store.warm_up);
}

TEST(Config, EmptyMetricsAddressTurnsThemOff) {
  EXPECT_TRUE(Parse({"--bundle=b"}).metrics.enabled());
  EXPECT_FALSE(Parse({"--bundle=b", "--metrics-listen=0"}).metrics.enabled());
  EXPECT_FALSE(Parse({"--bundle=b"}, {"ANTIPHON_METRICS_LISTEN=0"}).metrics.enabled());
}

TEST(Config, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(Error({"--bundle=b", "--wrokers=3"}), HasSubstr("wrokers"));
  const ConfigFile file("bundle = \"b\"\nwrokers = 3\n");
  EXPECT_THAT(Error({file.flag()}), HasSubstr("wrokers"));
  EXPECT_THAT(Error({"--bundle=b", "--config=/nowhere/at/all.toml"}),
              HasSubstr("/nowhere/at/all.toml"));
}

TEST(Config, SaysThatABadValueCameFromTheEnvironment) {
  EXPECT_THAT(Error({"--bundle=b"}, {"ANTIPHON_WORKERS=many"}), HasSubstr("ANTIPHON_WORKERS"));
}

TEST(Config, NamesTheOptionAndTheRange) {
  EXPECT_THAT(Error({"--bundle=b", "--queue-capacity=0"}),
              HasSubstr("queue-capacity: 0 is not in 1 to 1000000"));
  EXPECT_THAT(Error({"--bundle=b", "--grace-period=-1"}), HasSubstr("grace-period"));
  EXPECT_THAT(Error({"--bundle=b", "--max-message-mib=2048"}), HasSubstr("max-message-mib"));
  EXPECT_THAT(Error({"--bundle=b", "--device=tpu"}), HasSubstr("device"));
  EXPECT_THAT(Error({"--bundle=b", "--precision=int4"}), HasSubstr("float32, bfloat16"));
  EXPECT_THAT(Error({"--bundle=b", "--log-level=loud"}), HasSubstr("log-level"));
  EXPECT_THAT(Error({"--bundle=b", "--log-format=xml"}), HasSubstr("text, json"));
  EXPECT_THAT(Error({"--bundle=b", "--max-streams=0"}), HasSubstr("max-streams"));
  EXPECT_THAT(Error({"--bundle=b", "--stream-idle-seconds=0"}), HasSubstr("stream-idle-seconds"));
}

TEST(Config, RefusesNotANumber) {
  Config config = Parse({"--bundle=b"});
  config.store.batching.max_delay_ms = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(config.Validate().ok());
}

TEST(Config, NobodyListensToTheWorldUnauthenticatedByAccident) {
  EXPECT_THAT(Error({"--bundle=b", "--listen=0.0.0.0:50051"}), HasSubstr("api-keys-file"));
  EXPECT_THAT(Error({"--bundle=b"}, {"ANTIPHON_LISTEN=[::]:50051"}),
              HasSubstr("allow-unauthenticated"));
  EXPECT_THAT(Error({"--bundle=b", "--listen=0.0.0.0:1", "--tls-cert=c", "--tls-key=k"}),
              HasSubstr("listen: "))
      << "TLS alone asks nobody who he is";
  Parse({"--bundle=b", "--listen=0.0.0.0:50051", "--allow-unauthenticated"});
  Parse({"--bundle=b", "--listen=0.0.0.0:50051"}, {"ANTIPHON_ALLOW_UNAUTHENTICATED=true"});
  Parse({"--bundle=b", "--listen=0.0.0.0:50051", "--api-keys-file=f"});
  Parse(
      {"--bundle=b", "--listen=0.0.0.0:50051", "--tls-cert=c", "--tls-key=k", "--tls-client-ca=a"});
  Parse({"--bundle=b", "--listen=unix:/tmp/socket"});
}

TEST(Config, TlsNeedsItsFilesTogether) {
  EXPECT_THAT(Error({"--bundle=b", "--tls-cert=c"}), HasSubstr("tls-cert: needs tls-key"));
  EXPECT_THAT(Error({"--bundle=b", "--tls-key=k"}), HasSubstr("tls-key: needs tls-cert"));
  EXPECT_THAT(Error({"--bundle=b", "--tls-client-ca=a"}), HasSubstr("tls-client-ca: needs"));
}

TEST(Config, ReflectionIsForServersThatAskForNoKeys) {
  EXPECT_TRUE(Parse({"--bundle=b"}).ReflectionEnabled());
  EXPECT_FALSE(Parse({"--bundle=b", "--api-keys-file=f"}).ReflectionEnabled());
  EXPECT_TRUE(Parse({"--bundle=b", "--api-keys-file=f", "--reflection=on"}).ReflectionEnabled());
  EXPECT_FALSE(Parse({"--bundle=b", "--reflection=off"}).ReflectionEnabled());
  EXPECT_THAT(Error({"--bundle=b", "--reflection=maybe"}), HasSubstr("auto, on, off"));
}

TEST(Config, AKeyIsHashedWithoutABundle) {
  const auto parsed = ParseCommandLine({"--hash-api-key"}, {});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->action, ParsedCommandLine::Action::kHashKey);
}

TEST(Config, WhatIsPrintedReadsBackTheSame) {
  const auto printed =
      ParseCommandLine({"--bundle=some dir", "--workers=7", "--no-warmup", "--metrics-listen=0",
                        "--batch-delay-ms=0.5", "--print-config"},
                       {"ANTIPHON_QUEUE_MIB=99"});
  ASSERT_TRUE(printed.ok()) << printed.status();
  ASSERT_EQ(printed->action, ParsedCommandLine::Action::kPrint);
  const ConfigFile file(printed->text);
  const Config config = Parse({file.flag()});
  EXPECT_EQ(config.store.bundle, "some dir");
  EXPECT_EQ(config.queue.workers, 7);
  EXPECT_FALSE(config.store.warm_up);
  EXPECT_FALSE(config.metrics.enabled());
  EXPECT_EQ(config.store.batching.max_delay_ms, 0.5);
  EXPECT_EQ(config.queue.capacity_mib, 99);
  EXPECT_EQ(config.grace_period_s, Config().grace_period_s);
}

TEST(Config, WhatIsPrintedOfTheDefaultsIsTheDefaults) {
  const auto printed = ParseCommandLine({"--bundle=b", "--print-config"}, {});
  ASSERT_TRUE(printed.ok()) << printed.status();
  const ConfigFile file(printed->text);
  EXPECT_TRUE(Parse({file.flag()}).store.warm_up);
  const auto again = ParseCommandLine({file.flag(), "--print-config"}, {});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->text, printed->text);
}

TEST(Config, AChoiceSetsTheOptionOfItsComponent) {
  const Config config =
      Parse({"--bundle=b", "--precision=bfloat16", "--log-level=warning", "--log-format=json"},
            {"ANTIPHON_REFLECTION=off"});
  EXPECT_EQ(config.store.collection.encoder.precision, encoder::Precision::kBFloat16);
  EXPECT_EQ(config.log.level, spdlog::level::warn);
  EXPECT_EQ(config.log.format, LogFormat::kJson);
  EXPECT_EQ(config.reflection, Reflection::kOff);
}

TEST(Config, TheOptionTableHasARowForEveryOption) {
  const auto table = ParseCommandLine({"--print-option-table"}, {});
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->action, ParsedCommandLine::Action::kPrint);
  for (const char* row : {
           "| `--queue-capacity` | `ANTIPHON_QUEUE_CAPACITY` | 256 | 1 to 1,000,000 | ",
           "| `--batch-delay-ms` | `ANTIPHON_BATCH_DELAY_MS` | 2 | 0 to 1000 | ",
           "| `--snapshot-dir` | `ANTIPHON_SNAPSHOT_DIR` | none | a directory | ",
           "| `--warmup`, `--no-warmup` | `ANTIPHON_WARMUP` | true | true, false | ",
           "| `--log-format` | `ANTIPHON_LOG_FORMAT` | `text` | `text`, `json` | ",
           "`NAME read\\|admin SHA256 [REQUESTS-PER-SECOND]`",
       }) {
    EXPECT_THAT(table->text, HasSubstr(row));
  }
  const auto help = ParseCommandLine({"--help"}, {});
  ASSERT_TRUE(help.ok());
  EXPECT_THAT(help->text, Not(HasSubstr("option-table"))) << "it is for a script";
}

TEST(Config, HelpNamesEveryOptionWithItsVariable) {
  const auto help = ParseCommandLine({"--help"}, {});
  ASSERT_TRUE(help.ok());
  EXPECT_EQ(help->action, ParsedCommandLine::Action::kPrint);
  for (const char* option :
       {"--bundle", "--listen", "--metrics-listen", "--workers", "--warmup", "--print-config"}) {
    EXPECT_THAT(help->text, HasSubstr(option));
  }
  EXPECT_THAT(help->text, HasSubstr("ANTIPHON_QUEUE_CAPACITY"));
}

TEST(Config, SnapshotsAreTakenOnAScheduleAndKeptInObjectStorage) {
  const Config config =
      Parse({"--bundle", "b", "--snapshot-dir", "s", "--snapshot-every", "0.5", "--snapshot-keep",
             "3", "--snapshot-s3", "https://h/bucket/p", "--snapshot-s3-region", "eu-west-1"},
            {"ANTIPHON_SNAPSHOT_S3_CREDENTIALS_FILE=/c"});
  EXPECT_EQ(config.snapshots.directory, "s");
  EXPECT_EQ(config.snapshots.every_h, 0.5);
  EXPECT_EQ(config.snapshots.keep, 3);
  EXPECT_EQ(config.snapshots.s3.location, "https://h/bucket/p");
  EXPECT_EQ(config.snapshots.s3.region, "eu-west-1");
  EXPECT_EQ(config.snapshots.s3.credentials_file, "/c");
}

TEST(Config, OptionsOfSnapshotsThatCannotActAreRefused) {
  const auto error = [](const std::vector<std::string>& more) {
    std::vector<std::string> all = {"--bundle", "b"};
    all.insert(all.end(), more.begin(), more.end());
    return Error(all);
  };
  EXPECT_THAT(error({"--snapshot-every", "1"}), HasSubstr("snapshot-every: needs snapshot-dir"));
  EXPECT_THAT(error({"--snapshot-s3", "https://h/bucket"}),
              HasSubstr("snapshot-s3: needs snapshot-dir"));
  EXPECT_THAT(error({"--snapshot-dir", "s", "--snapshot-s3", "http://h/bucket"}),
              HasSubstr("snapshot-s3-allow-http"));
  EXPECT_THAT(error({"--snapshot-s3-ca-file", "f"}), HasSubstr("snapshot-s3-ca-file: needs"));
  EXPECT_THAT(error({"--snapshot-dir", "s", "--snapshot-every", "-1"}),
              HasSubstr("snapshot-every: "));
  EXPECT_THAT(error({"--snapshot-dir", "s", "--snapshot-keep", "0"}), HasSubstr("snapshot-keep: "));
  EXPECT_THAT(error({"--snapshot-dir", "s", "--snapshot-every", "1", "--read-only"}),
              HasSubstr("snapshot-every: "));
}

}  // namespace
}  // namespace antiphon::server
