#include "server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "core/testing/temporary_folder.h"
#include "server/command_line.h"
#include "server/options.h"

namespace antiphon::server {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

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
  EXPECT_EQ(config.limits.max_message_mib, 32);
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

TEST(Config, AMetricsAddressOf0TurnsThemOff) {
  EXPECT_TRUE(Parse({"--bundle=b"}).metrics.enabled());
  EXPECT_FALSE(Parse({"--bundle=b", "--metrics-listen=0"}).metrics.enabled());
  EXPECT_FALSE(Parse({"--bundle=b"}, {"ANTIPHON_METRICS_LISTEN=0"}).metrics.enabled());
  for (const std::string zero : {"0", "\"0\""}) {
    const ConfigFile file("bundle = \"b\"\nmetrics-listen = " + zero + "\n");
    EXPECT_FALSE(Parse({file.flag()}).metrics.enabled()) << zero;
  }
}

TEST(Config, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(Error({"--bundle=b", "--wrokers=3"}), HasSubstr("wrokers"));
  const ConfigFile file("bundle = \"b\"\nwrokers = 3\n");
  EXPECT_THAT(Error({file.flag()}), HasSubstr("wrokers"));
  EXPECT_THAT(Error({"--bundle=b", "--config=/nowhere/at/all.toml"}),
              AllOf(HasSubstr("config: /nowhere/at/all.toml: "), EndsWith("(from --config)")));
  EXPECT_THAT(Error({"--bundle=b"}, {"ANTIPHON_CONFIG=/nowhere/at/all.toml"}),
              EndsWith("No such file or directory (from ANTIPHON_CONFIG)"));
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
  EXPECT_THAT(config.FindProblems(), IsEmpty());
  config.store.batching.max_delay_ms = std::numeric_limits<double>::quiet_NaN();
  ASSERT_EQ(config.FindProblems().size(), 1U);
  EXPECT_THAT(config.FindProblems()[0].options, ElementsAre("batch-delay-ms"));
  EXPECT_THAT(Error({"--bundle=b", "--grace-period=nan"}), HasSubstr("grace-period: nan"));
  EXPECT_THAT(Error({"--bundle=b", "--grace-period=inf"}), HasSubstr("grace-period: inf"));
}

TEST(Config, NobodyListensToTheWorldUnauthenticatedByAccident) {
  EXPECT_THAT(Error({"--bundle=b", "--listen=0.0.0.0:50051"}), HasSubstr("api-keys-file"));
  EXPECT_THAT(Error({"--bundle=b"}, {"ANTIPHON_LISTEN=[::]:50051"}),
              HasSubstr("allow-unauthenticated"));
  EXPECT_THAT(Error({"--bundle=b", "--listen=0.0.0.0:1", "--tls-cert=c", "--tls-key=k"}),
              HasSubstr("listen: "))
      << "TLS alone authenticates no caller";
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

TEST(Config, WhatNeedsNoConfigurationDoesNotLookAtIt) {
  const std::vector<std::string> environment = {"ANTIPHON_API_KEY_FILE=x", "ANTIPHON_WORKERS=y"};
  for (const std::string flag : {"--help", "--version", "--hash-api-key", "--print-option-table"}) {
    EXPECT_TRUE(ParseCommandLine({flag}, environment).ok()) << flag;
    if (flag == "--help") continue;
    EXPECT_THAT(Error({flag, "--wrokers=3"}, environment), EndsWith("did you mean --workers?"));
    EXPECT_FALSE(ParseCommandLine({flag + "=maybe"}, environment).ok()) << flag;
  }
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

// "workers = 7", without the comment that says where the value is from.
std::string ValueLine(const std::string& printed, const std::string& name) {
  for (const absl::string_view line : absl::StrSplit(printed, '\n')) {
    if (absl::StartsWith(line, name + " = "))
      return std::string(line.substr(0, line.rfind("  # ")));
  }
  return "";
}

std::string Printed(std::vector<std::string> arguments,
                    const std::vector<std::string>& environment = {}) {
  arguments.emplace_back("--print-config");
  const auto printed = ParseCommandLine(arguments, environment);
  EXPECT_TRUE(printed.ok()) << printed.status();
  return printed.ok() ? printed->text : "";
}

TEST(Config, WhatIsPrintedOfTheDefaultsIsTheDefaults) {
  const std::string printed = Printed({"--bundle=b"});
  const ConfigFile file(printed);
  EXPECT_TRUE(Parse({file.flag()}).store.warm_up);
  const std::string again = Printed({file.flag()});
  for (const std::string& name : OptionNames())
    EXPECT_THAT(again, HasSubstr(ValueLine(printed, name))) << name;
}

TEST(Config, EveryOptionIsPrintedAndReadsBackTheSame) {
  // None at its default, and texts that need quotes.
  const std::string bundle = "a \"quoted\" \\ 'name'''\"\"\" = [x] # y";
  const std::vector<std::string> arguments = {"--bundle=" + bundle,
                                              "--snapshot-dir=\xC3\xBC\xF0\x9D\x84\x9E",
                                              "--snapshot-every=0.25",
                                              "--snapshot-keep=3",
                                              "--snapshot-s3=http://s3.example.org/bucket/a",
                                              "--snapshot-s3-region=eu-west-1",
                                              "--snapshot-s3-credentials-file=c d",
                                              "--snapshot-s3-ca-file=e",
                                              "--snapshot-s3-allow-http",
                                              "--listen=unix:/tmp/a\tb\n\"c\"",
                                              "--metrics-listen=[::1]:7",
                                              "--workers=3",
                                              "--queue-capacity=4",
                                              "--queue-mib=5",
                                              "--grace-period=0.1",
                                              "--drain-delay=0.2",
                                              "--max-message-mib=6",
                                              "--max-audio-seconds=1234.5678901234",
                                              "--max-align-seconds=77.5",
                                              "--max-query-windows=8",
                                              "--max-streams=9",
                                              "--max-edit-streams=7",
                                              "--stream-idle-seconds=1e3",
                                              "--receive-mib=11",
                                              "--receive-timeout-seconds=12",
                                              "--connection-idle-seconds=13",
                                              "--connection-age-seconds=14",
                                              "--keepalive-seconds=15",
                                              "--no-read-only",  // with a schedule it must not be
                                              "--no-warmup",
                                              "--no-watch-current",
                                              "--log-level=error",
                                              "--log-format=json",
                                              "--otlp-endpoint=unix:/tmp/collector",
                                              "--trace-share=0.5",
                                              "--tls-cert=C:\\new\\table",
                                              "--tls-key=\x01\x7F",
                                              "--tls-client-ca='",
                                              "--api-keys-file=\"",
                                              "--key-streams=16",
                                              "--key-mib=17",
                                              "--key-batch=18",
                                              "--allow-unauthenticated",
                                              "--reflection=off",
                                              "--device=cuda:1",
                                              "--index-device=cuda:0,cuda:1",
                                              "--index-precision=float16",
                                              "--device-memory=4096",
                                              "--precision=float32",
                                              "--compute-threads=2",
                                              "--index-threads=3",
                                              "--batch-windows=65",
                                              "--batch-delay-ms=0.30000000000000004",
                                              "--hnsw-search-breadth=99",
                                              "--ivf-probes=17"};
  ASSERT_EQ(arguments.size(), OptionNames().size()) << "an option is missing here";
  const std::string printed = Printed(arguments);
  const std::string defaults = Printed({"--bundle=b"});
  const ConfigFile file(printed);
  const std::string again = Printed({file.flag()});
  for (const std::string& name : OptionNames()) {
    EXPECT_EQ(ValueLine(again, name), ValueLine(printed, name));
    if (name != "read-only") EXPECT_NE(ValueLine(defaults, name), ValueLine(printed, name));
  }
  const Config config = Parse({file.flag()});
  EXPECT_EQ(config.store.bundle, bundle);
  EXPECT_EQ(config.snapshots.directory, "\xC3\xBC\xF0\x9D\x84\x9E");
  EXPECT_EQ(config.listen, "unix:/tmp/a\tb\n\"c\"");
  EXPECT_EQ(config.tls.key, "\x01\x7F");
  EXPECT_EQ(config.grace_period_s, 0.1);
  EXPECT_EQ(config.limits.max_audio_s, 1234.5678901234);
  EXPECT_EQ(config.store.batching.max_delay_ms, 0.30000000000000004);
  EXPECT_EQ(config.log.format, LogFormat::kJson);
  EXPECT_EQ(config.tracing.share, 0.5);
}

TEST(Config, WhatIsPrintedSaysWhereItIsFrom) {
  const ConfigFile file("\nqueue-mib = 7\n");
  const std::string printed =
      Printed({file.flag(), "--bundle=b", "--no-warmup"}, {"ANTIPHON_WORKERS=2"});
  EXPECT_THAT(printed, HasSubstr("\nbundle = \"b\"  # --bundle\n"));
  EXPECT_THAT(printed, HasSubstr("\nwarmup = false  # --no-warmup\n"));
  EXPECT_THAT(printed, HasSubstr("\nworkers = 2  # ANTIPHON_WORKERS\n"));
  EXPECT_THAT(printed, HasSubstr("\nqueue-mib = 7  # " + file.path() + ":2:1\n"));
  EXPECT_THAT(printed, HasSubstr("\nmax-streams = 16\n"));
}

TEST(Config, TracesNeedAnAddressAndAShare) {
  EXPECT_THAT(Error({"--bundle=b", "--otlp-endpoint=collector"}), HasSubstr("otlp-endpoint: "));
  EXPECT_THAT(Error({"--bundle=b", "--trace-share=1.5"}),
              HasSubstr("trace-share: 1.5 is not in 0 to 1"));
  EXPECT_TRUE(Parse({"--bundle=b", "--otlp-endpoint=localhost:4317"}).tracing.enabled());
  EXPECT_FALSE(Parse({"--bundle=b"}).tracing.enabled());
}

TEST(Config, NothingIsPrintedOfAConfigurationThatIsNone) {
  EXPECT_THAT(Error({"--print-config"}), HasSubstr("bundle: missing"));
  EXPECT_THAT(Error({"--bundle=b", "--queue-capacity=0", "--print-config"}),
              HasSubstr("queue-capacity: 0"));
  EXPECT_THAT(Error({"--bundle=b", "--listen=0.0.0.0:1", "--print-config"}),
              HasSubstr("api-keys-file"));
  EXPECT_THAT(Error({"--bundle=\xFF", "--print-config"}), HasSubstr("bundle: is no UTF-8"));
}

TEST(Config, AnEmptyVariableIsOneThatIsNotSet) {
  // Each of these opened the door once.
  EXPECT_THAT(Error({"--bundle=b", "--listen=0.0.0.0:1"}, {"ANTIPHON_ALLOW_UNAUTHENTICATED="}),
              HasSubstr("listen: 0.0.0.0:1"));
  const Config config = Parse({"--api-keys-file=keys", "--bundle=b"}, {"ANTIPHON_SNAPSHOT_DIR="});
  EXPECT_EQ(config.api_keys.keys_file, "keys");
  EXPECT_EQ(config.snapshots.directory, "");
  std::vector<std::string> all = {"ANTIPHON_CONFIG="};
  for (const std::string& name : OptionNames()) all.push_back(EnvironmentName(name) + "=");
  EXPECT_EQ(Printed({"--bundle=b"}, all), Printed({"--bundle=b"}));
  const ConfigFile file("bundle = \"b\"\nworkers = 3\n");
  EXPECT_EQ(Parse({file.flag()}, {"ANTIPHON_WORKERS="}).queue.workers, 3);
}

TEST(Config, AnEmptyFlagNeverTakesTheNextArgument) {
  for (const std::string name :
       {"snapshot-dir", "tls-cert", "tls-key", "tls-client-ca", "api-keys-file"}) {
    const std::vector<std::string> arguments = {"--bundle=b", "--" + name + "=", "--workers=3"};
    const std::vector<std::string> environment = {EnvironmentName(name) + "=elsewhere"};
    EXPECT_EQ(Parse(arguments, environment).queue.workers, 3) << name;
    EXPECT_EQ(ValueLine(Printed(arguments, environment), name), name + " = \"\"") << "none at all";
  }
  EXPECT_EQ(Parse({"--bundle=b", "--api-keys-file", "", "--workers=3"}).queue.workers, 3);
  EXPECT_THAT(Error({"--bundle=", "--workers=3"}), HasSubstr("bundle: missing"));
  EXPECT_THAT(Error({"--bundle=b", "--listen=", "--workers=3"}),
              AllOf(HasSubstr("listen: "), HasSubstr("is empty")));
  EXPECT_THAT(Error({"--bundle=b", "--metrics-listen=", "--workers=3"}),
              HasSubstr("metrics-listen: is empty"));
  EXPECT_THAT(Error({"--bundle=b", "--device="}), HasSubstr("device: ''"));
  EXPECT_THAT(Error({"--bundle=b", "--workers=", "--queue-mib=9"}), HasSubstr("workers: takes a"));
  EXPECT_THAT(Error({"--bundle=b", "--grace-period="}), HasSubstr("grace-period: takes a number"));
  EXPECT_THAT(Error({"--bundle=b", "--log-level="}), HasSubstr("log-level: ''"));
  EXPECT_THAT(Error({"--bundle=b", "--warmup="}),
              HasSubstr("warmup: --warmup takes true or false"));
  EXPECT_THAT(Error({"--bundle=b", "--config="}), HasSubstr("config: the name of the file is"));
  EXPECT_THAT(Error({"--bundle=b", "--config", ""}), HasSubstr("config: the name of the file is"));
}

TEST(Config, AFileMaySayThatAnOptionHasNoValue) {
  const ConfigFile none("bundle = \"b\"\napi-keys-file = \"\"\nsnapshot-dir = \"\"\n");
  EXPECT_FALSE(Parse({none.flag()}).api_keys.enabled());
  for (const std::string option : {"listen", "metrics-listen", "device", "log-level", "workers",
                                   "grace-period", "warmup", "bundle"}) {
    const ConfigFile file(option + " = \"\"\n");
    EXPECT_THAT(Error({file.flag()}), HasSubstr(option + ": ")) << option;
  }
}

TEST(Config, AFlagIsNoValueOfAnother) {
  EXPECT_THAT(Error({"--bundle", "--workers=3"}), HasSubstr("bundle: the flag --bundle needs a"));
  EXPECT_THAT(Error({"--bundle=b", "--api-keys-file"}), HasSubstr("api-keys-file: the flag"));
  EXPECT_EQ(Parse({"--bundle=--workers=3"}).store.bundle, "--workers=3");
  EXPECT_EQ(Parse({"--bundle", "-"}).store.bundle, "-");
  EXPECT_EQ(Parse({"--bundle", "[a,b]"}).store.bundle, "[a,b]");
  EXPECT_EQ(Parse({"--bundle={}"}).store.bundle, "{}");
  EXPECT_EQ(Parse({"--bundle=a=b"}).store.bundle, "a=b");
  EXPECT_EQ(Parse({"--bundle=a", "--bundle=b"}).store.bundle, "b") << "the last counts";
}

TEST(Config, ASwitchTakesABoolean) {
  for (const std::string on : {"true", "1", "yes", "on", "TRUE", "y", "t"}) {
    EXPECT_TRUE(Parse({"--bundle=b", "--read-only=" + on}).store.read_only) << on;
    EXPECT_TRUE(Parse({"--bundle=b"}, {"ANTIPHON_READ_ONLY=" + on}).store.read_only) << on;
  }
  for (const std::string off : {"false", "0", "no", "off", "False", "n", "f"}) {
    EXPECT_FALSE(Parse({"--bundle=b", "--warmup=" + off}).store.warm_up) << off;
    EXPECT_FALSE(Parse({"--bundle=b"}, {"ANTIPHON_WARMUP=" + off}).store.warm_up) << off;
  }
  for (const std::string neither : {"maybe", "2", "-1", " ", "tru", "{}", "enabled"}) {
    EXPECT_THAT(Error({"--bundle=b"}, {"ANTIPHON_ALLOW_UNAUTHENTICATED=" + neither}),
                AllOf(HasSubstr("allow-unauthenticated: takes true or false"),
                      HasSubstr("from ANTIPHON_ALLOW_UNAUTHENTICATED")));
    EXPECT_THAT(Error({"--bundle=b", "--warmup=" + neither}), HasSubstr("--warmup takes true or"))
        << neither;
  }
  EXPECT_FALSE(Parse({"--bundle=b", "--warmup", "--no-warmup"}).store.warm_up);
  EXPECT_TRUE(Parse({"--bundle=b", "--no-warmup", "--warmup"}).store.warm_up) << "the last counts";
  for (const char* argument : {"--no-warmup=false", "--no-warmup=true", "--no-warmup="})
    EXPECT_THAT(Error({"--bundle=b", argument}), HasSubstr("--no-warmup takes no value"));
}

TEST(Config, NumbersAreWholeTexts) {
  EXPECT_EQ(Parse({"--bundle=b", "--workers=010"}).queue.workers, 10);
  for (const std::string number : {"x", "3x", "2.5", "0x10", "1e3", "--", "99999999999999999999"}) {
    EXPECT_THAT(Error({"--bundle=b", "--workers=" + number}),
                AllOf(HasSubstr("workers: takes a whole number (0 to 1024)"), HasSubstr(number)));
  }
  EXPECT_THAT(Error({"--bundle=b", "--workers=4294967297"}),
              HasSubstr("workers: 4294967297 is not in 0 to 1024"));
  EXPECT_THAT(Error({"--bundle=b", "--grace-period=soon"}),
              HasSubstr("takes a number (0 to 3600)"));
}

TEST(Config, SaysWhereAWrongValueIsFrom) {
  const ConfigFile file("bundle = \"b\"\n\n  queue-capacity = 0\n");
  EXPECT_THAT(Error({file.flag()}), EndsWith("(from " + file.path() + ":3:3)"));
  EXPECT_THAT(Error({"--bundle=b"}, {"ANTIPHON_QUEUE_CAPACITY=0"}),
              EndsWith("(from ANTIPHON_QUEUE_CAPACITY)"));
  EXPECT_THAT(Error({"--bundle=b", "--queue-capacity", "0"}), EndsWith("(from --queue-capacity)"));
  EXPECT_THAT(Error({"--bundle=b"}, {"ANTIPHON_LISTEN=[::]:50051"}),
              EndsWith("(from ANTIPHON_LISTEN)"));
}

TEST(Config, AWrongValueIsRefusedEvenWhereAnotherBeatsIt) {
  const ConfigFile file("workers = \"many\"\n");
  EXPECT_THAT(Error({file.flag(), "--bundle=b", "--workers=2"}), HasSubstr(":1:1"));
  EXPECT_THAT(Error({"--bundle=b", "--workers=2"}, {"ANTIPHON_WORKERS=many"}),
              HasSubstr("ANTIPHON_WORKERS"));
}

TEST(Config, NamesEverythingThatIsWrong) {
  const ConfigFile file("queue-mib = 0\nwrokers = 3\n");
  const std::string error =
      Error({file.flag(), "--max-streams=0", "positional", "--listne=x", "--tls-key=k"},
            {"ANTIPHON_GRACE_PERIOD=-1", "ANTIPHON_API_KEY_FILE=x"});
  const std::vector<std::string> lines = absl::StrSplit(error, '\n');
  EXPECT_THAT(
      lines, UnorderedElementsAre(HasSubstr("queue-mib: 0 is not"),
                                  AllOf(HasSubstr("wrokers"), HasSubstr("did you mean workers?")),
                                  HasSubstr("max-streams: 0 is not"),
                                  AllOf(HasSubstr("--listne"), HasSubstr("did you mean --listen?")),
                                  HasSubstr("positional"), HasSubstr("grace-period: -1"),
                                  HasSubstr("ANTIPHON_API_KEY_FILE"), HasSubstr("bundle: missing"),
                                  HasSubstr("tls-key: needs tls-cert")));
}

TEST(Config, AValueThatWasNotTakenIsNotAlsoMissing) {
  const ConfigFile file("bundle = 5\n");
  EXPECT_THAT(Error({file.flag()}),
              AllOf(HasSubstr("bundle: takes text in quotes"), Not(HasSubstr("missing"))));
  EXPECT_THAT(Error({"--bundle"}), Not(HasSubstr("missing")));
  EXPECT_THAT(Error({"--config=/nowhere.toml"}), Not(HasSubstr("missing"))) << "it may be in there";
}

TEST(Config, SuggestsTheFlagThatWasMeant) {
  EXPECT_THAT(Error({"--bundle=b", "--wrokers=3"}), HasSubstr("did you mean --workers?"));
  EXPECT_THAT(Error({"--bundle=b", "--wrokers", "3"}), EndsWith("did you mean --workers?"));
  EXPECT_THAT(Error({"--bundle=b", "--no-warmpu"}), HasSubstr("did you mean --no-warmup?"));
  EXPECT_THAT(Error({"--bundle=b", "--check-conf"}), HasSubstr("did you mean --check-config?"));
  EXPECT_THAT(Error({"--bundle=b", "-x"}), HasSubstr("-x: there is no such flag"));
  EXPECT_THAT(Error({"--bundle=b", "a\nb"}), HasSubstr("a\\nb: there is no such argument"));
}

TEST(Config, WhatTheEnvironmentSaysInVainIsWarnedAbout) {
  const auto parsed = ParseCommandLine(
      {"--bundle=b"}, {"ANTIPHON_COLOUR=blue", "ANTIPHON_SERVER=h:1", "ANTIPHON_WORKERS=2"});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_THAT(parsed->warnings, ElementsAre(HasSubstr("ANTIPHON_COLOUR")));
}

TEST(Config, AddressesAreCheckedBeforeAnythingListens) {
  EXPECT_THAT(Error({"--bundle=b", "--listen=10.0.0.5"}),
              AllOf(HasSubstr("listen: '10.0.0.5' has no port"), HasSubstr("10.0.0.5:50051"),
                    Not(HasSubstr("can be reached"))));
  EXPECT_THAT(Error({"--bundle=b", "--listen=http://127.0.0.1:1"}), HasSubstr("no scheme"));
  EXPECT_THAT(Error({"--bundle=b", "--listen=127.0.0.1:70000"}), HasSubstr("65535"));
  EXPECT_THAT(Error({"--bundle=b", "--listen=:50051"}), HasSubstr("0.0.0.0:PORT"));
  EXPECT_THAT(Error({"--bundle=b", "--listen=unix:" + std::string(200, 'x')}),
              HasSubstr("listen: the path of the socket has 200 bytes"));
  EXPECT_THAT(Error({"--bundle=b", "--metrics-listen=10.0.0.5"}),
              HasSubstr("metrics-listen: '10.0.0.5' has no port"));
  EXPECT_THAT(Error({"--bundle=b", "--metrics-listen=http://a:1"}), HasSubstr("no scheme"));
  EXPECT_THAT(Error({"--bundle=b", "--metrics-listen=a:70000"}), HasSubstr("65535"));
  EXPECT_THAT(Error({"--bundle=b", "--metrics-listen=:9464"}), HasSubstr("no host"));
  EXPECT_THAT(Error({"--bundle=b", "--metrics-listen=unix:/run/m.sock"}), HasSubstr("metrics-"));
  for (const std::string listen : {"[::1]:50051", "unix:a.sock", "unix-abstract:a", "localhost:0"})
    EXPECT_EQ(Parse({"--bundle=b", "--listen=" + listen}).listen, listen);
}

TEST(Config, ADeviceHasANumber) {
  EXPECT_EQ(Parse({"--bundle=b", "--device=cuda:0"}).store.collection.encoder.device, "cuda:0");
  for (const std::string device : {"tpu", "cuda", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "CPU"})
    EXPECT_THAT(Error({"--bundle=b", "--device=" + device}), HasSubstr("device: '" + device));
}

TEST(Config, IndexesMayHaveADeviceOfTheirOwn) {
  EXPECT_EQ(Parse({"--bundle=b", "--device=cuda:0"}).store.index_device, "");
  for (const std::string device : {"cpu", "auto", "cuda:1", "cuda:0,cuda:2"})
    EXPECT_EQ(Parse({"--bundle=b", "--index-device=" + device}).store.index_device, device);
  for (const std::string device : {"tpu", "cuda:", "cuda:0,cuda:0", "cpu,cuda:0", "cuda:0,"}) {
    EXPECT_THAT(Error({"--bundle=b", "--index-device=" + device}),
                HasSubstr("index-device: '" + device));
  }
  EXPECT_THAT(Error({"--bundle=b", "--device-memory=-1"}), HasSubstr("device-memory"));
  EXPECT_THAT(Error({"--bundle=b", "--index-precision=float64"}), HasSubstr("index-precision"));
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
           "| `--batch-delay-ms` | `ANTIPHON_BATCH_DELAY_MS` | 0 | 0 to 1000 | ",
           "| `--snapshot-dir` | `ANTIPHON_SNAPSHOT_DIR` | none | a directory | ",
           "| `--warmup`, `--no-warmup` | `ANTIPHON_WARMUP` | true | true, false | ",
           "| `--log-format` | `ANTIPHON_LOG_FORMAT` | `text` | `text`, `json` | ",
           "`NAME read\\|admin SHA256 [REQUESTS-PER-SECOND] [streams=N] [mib=N] "
           "[batch=N]`",
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
