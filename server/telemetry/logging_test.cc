#include "server/telemetry/logging.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "spdlog/formatter.h"
#include "spdlog/sinks/ostream_sink.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

std::string Format(LogFormat format, const std::string& message) {
  std::ostringstream out;
  auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(out);
  sink->set_formatter(MakeLogFormatter(format));
  spdlog::logger("antiphon", sink).info(message);
  return out.str();
}

TEST(Logging, ValuesInTextCannotBeTakenForOtherFields) {
  LogFields fields;
  fields.Add("method", "Retrieval.Identify")
      .Add("bytes", int64_t{12})
      .Add("ms", 1.25)
      .Add("id", "two words")
      .Add("empty", "")
      .Add("forged", "x\" code=\"OK")
      .Add("slash", "\\\" y=1 \"");
  EXPECT_EQ(fields.Text(),
            "method=Retrieval.Identify bytes=12 ms=1.250 id=\"two words\" empty=\"\" "
            "forged=\"x\\\" code=\\\"OK\" "
            "slash=\"\\\\\\\" y=1 \\\"\"");
}

TEST(Logging, ValuesInJsonAreStringsAndNumbers) {
  LogFields fields;
  fields.Add("method", "a\"b\\c").Add("bytes", int64_t{12}).Add("ms", 1.25).Add("line", "one\ntwo");
  EXPECT_EQ(fields.Json(), R"("method":"a\"b\\c","bytes":12,"ms":1.250,"line":"one\u000atwo")");
}

TEST(Logging, NobodyEndsALineAndBeginsAnother) {
  const std::string evil =
      "x\n2030-01-01 info forged\r\n\x1b[2J\x7f\x00tail" + std::string("\xc2\x9b") + "9m\t.";
  for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
    const std::string line = Format(format, evil);
    EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
    for (const char c : line.substr(0, line.size() - 1)) {
      EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << line;
    }
    EXPECT_EQ(line.find("\xc2\x9b"), std::string::npos)
        << "C1 control characters move the cursor, too";
    EXPECT_NE(line.find("forged"), std::string::npos) << "nothing is lost";
  }
}

TEST(Logging, TextHasTimeLevelAndMessage) {
  const std::string line = Format(LogFormat::kText, "ready");
  EXPECT_EQ(line.substr(line.size() - 12), " info ready\n");
  EXPECT_EQ(line[4], '-');
  EXPECT_EQ(line[10], 'T');
}

TEST(Logging, JsonHasTimeLevelAndMessage) {
  const std::string line = Format(LogFormat::kJson, "say \"ready\"");
  EXPECT_EQ(line.substr(0, 9), "{\"time\":\"");
  EXPECT_NE(line.find(R"(Z","level":"info","message":"say \"ready\""})"), std::string::npos)
      << line;
}

TEST(Logging, Utf8IsKeptAndWhatIsNotUtf8IsMarked) {
  const std::string good = "Dvo\xc5\x99\xc3\xa1k \xe2\x99\xad \xf0\x9d\x84\x9e";
  EXPECT_EQ(EscapeText(good), good);
  EXPECT_EQ(EscapeJson(good), good);
  for (const std::string& bad :
       {std::string("\xff"), std::string("\xc0\xaf"), std::string("\xe0\x80\x80"),
        std::string("\xed\xa0\x80"), std::string("\xf4\x90\x80\x80"), std::string("\xc3"),
        std::string("\xe2\x99"), std::string("\x80")}) {
    const std::string json = EscapeJson("a" + bad + "b");
    EXPECT_EQ(json.substr(0, 7), "a\\ufffd") << json;
    EXPECT_EQ(json.back(), 'b');
    EXPECT_EQ(EscapeText("a" + bad + "b").substr(0, 3), "a\\x");
  }
  EXPECT_EQ(EscapeText("\xc3\xa4\xff"), "\xc3\xa4\\xff");
}

TEST(Logging, EscapesWhatIsEscapedNoFurther) {
  EXPECT_EQ(EscapeText("a\nb\tc\r\x01"), "a\\nb\\tc\\r\\x01");
  EXPECT_EQ(EscapeText(EscapeText("a\nb")), "a\\nb");
  EXPECT_EQ(EscapeText(""), "");
  EXPECT_EQ(EscapeJson(""), "");
}

}  // namespace
}  // namespace antiphon::server
