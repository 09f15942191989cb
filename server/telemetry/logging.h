// Log lines: text for people or JSON for machines, on standard error; one line each, whatever is in
// them.
//
// Messages and values may come from callers: control characters and what is not UTF-8 are written
// as escapes, so that nobody can end a line and begin another. Safe from any thread once set up.
#ifndef ANTIPHON_SERVER_TELEMETRY_LOGGING_H_
#define ANTIPHON_SERVER_TELEMETRY_LOGGING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spdlog/common.h"

namespace spdlog {
class formatter;
}

namespace antiphon::server {

enum class LogFormat { kText, kJson };
inline constexpr std::pair<std::string_view, LogFormat> kLogFormatNames[] = {
    {"text", LogFormat::kText},
    {"json", LogFormat::kJson},
};
inline constexpr std::pair<std::string_view, spdlog::level::level_enum> kLogLevelNames[] = {
    {"trace", spdlog::level::trace}, {"debug", spdlog::level::debug},
    {"info", spdlog::level::info},   {"warning", spdlog::level::warn},
    {"error", spdlog::level::err},   {"off", spdlog::level::off},
};

struct LoggingOptions {
  LogFormat format = LogFormat::kText;
  spdlog::level::level_enum level = spdlog::level::info;  // the least that is written
};

// Makes spdlog's default logger write as the options say. Once, at the start.
void SetUpLogging(const LoggingOptions& options);

// What a line says, as names and values. Names are literals.
class LogFields {
 public:
  LogFields& Add(std::string_view name, std::string_view value);
  LogFields& Add(std::string_view name, int64_t value);
  LogFields& Add(std::string_view name, double value);  // with three decimals

  std::string Text() const;  // a=1 b="two words"
  std::string Json() const;  // "a":1,"b":"two words"

 private:
  struct Field {
    std::string name;
    std::string value;
    bool quoted = false;  // in JSON
  };
  LogFields& Add(std::string_view name, std::string value, bool quoted);

  std::vector<Field> fields_;
};

void LogLine(spdlog::level::level_enum level, const LogFields& fields);

// Control characters (those of ASCII and U+0080 to U+009F) as \n, \r, \t or \xNN, bytes that are
// not UTF-8 as \xNN.
std::string EscapeText(std::string_view text);

// As the inside of a JSON string; bytes that are not UTF-8 become U+FFFD.
std::string EscapeJson(std::string_view text);

// Of SetUpLogging, for tests.
std::unique_ptr<spdlog::formatter> MakeLogFormatter(LogFormat format);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_TELEMETRY_LOGGING_H_
