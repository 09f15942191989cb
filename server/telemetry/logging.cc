#include "server/telemetry/logging.h"

#include <algorithm>
#include <atomic>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

// By its name, the formatter tells the logger whose payloads are fields already.
constexpr char kMessageLogger[] = "antiphon";
constexpr char kFieldsLogger[] = "antiphon.fields";

std::atomic<LogFormat> log_format = LogFormat::kText;

// Length of the UTF-8 sequence at the start of `text`, 0 if there is none (RFC 3629: no overlong
// forms, no surrogates, nothing beyond U+10FFFF).
size_t Utf8Length(std::string_view text) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto continues = [&](size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool second = continues(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf);
    return second && continues(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool second = continues(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf);
    return second && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

// U+0000 to U+001F, U+007F to U+009F: the number, or -1 where `character` (one UTF-8 sequence) is
// none of them.
int ControlCode(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7f ? first : -1;
  const auto second = static_cast<unsigned char>(character[1]);
  return character.size() == 2 && first == 0xc2 && second < 0xa0 ? second : -1;
}

const char* ShortEscape(int control) {
  return control == '\n' ? "\\n" : control == '\r' ? "\\r" : control == '\t' ? "\\t" : nullptr;
}

// A value in text: bare where it can be told from what surrounds it.
std::string Quoted(const std::string& value) {
  const bool bare = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return c != ' ' && c != '"' && c != '=' && c != '\\';
  });
  if (bare) return EscapeText(value);
  std::string quoted;
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return absl::StrCat("\"", EscapeText(quoted), "\"");
}

// %* in a pattern: the message, escaped.
class EscapedMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string text =
        EscapeText(std::string_view(message.payload.data(), message.payload.size()));
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<EscapedMessage>();
  }
};

class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const std::string_view payload(message.payload.data(), message.payload.size());
    const std::string_view level(spdlog::level::to_string_view(message.level).data());
    const bool fields =
        std::string_view(message.logger_name.data(), message.logger_name.size()) == kFieldsLogger;
    const std::string line = absl::StrCat(
        "{\"time\":\"",
        absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromChrono(message.time),
                         absl::UTCTimeZone()),
        "\",\"level\":\"", std::string(level), "\",",
        fields ? std::string(payload) : absl::StrCat("\"message\":\"", EscapeJson(payload), "\""),
        "}\n");
    out.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }
};

}  // namespace

void SetUpLogging(const LoggingOptions& options) {
  log_format = options.format;
  spdlog::sink_ptr sink;
  if (options.format == LogFormat::kJson) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  }
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(kMessageLogger, sink));
  spdlog::register_logger(std::make_shared<spdlog::logger>(kFieldsLogger, sink));
  sink->set_formatter(MakeLogFormatter(options.format));
  spdlog::set_level(options.level);
}

LogFields& LogFields::Add(std::string_view name, std::string_view value) {
  return Add(name, std::string(value), /*quoted=*/true);
}

LogFields& LogFields::Add(std::string_view name, int64_t value) {
  return Add(name, absl::StrCat(value), /*quoted=*/false);
}

LogFields& LogFields::Add(std::string_view name, double value) {
  return Add(name, absl::StrFormat("%.3f", value), /*quoted=*/false);
}

LogFields& LogFields::Add(std::string_view name, std::string value, bool quoted) {
  fields_.push_back({std::string(name), std::move(value), quoted});
  return *this;
}

std::string LogFields::Text() const {
  std::string text;
  for (const Field& field : fields_) {
    absl::StrAppend(&text, text.empty() ? "" : " ", field.name, "=", Quoted(field.value));
  }
  return text;
}

std::string LogFields::Json() const {
  std::string json;
  for (const Field& field : fields_) {
    absl::StrAppend(&json, json.empty() ? "\"" : ",\"", field.name, "\":");
    if (field.quoted) {
      absl::StrAppend(&json, "\"", EscapeJson(field.value), "\"");
    } else {
      absl::StrAppend(&json, field.value);
    }
  }
  return json;
}

void LogLine(spdlog::level::level_enum level, const LogFields& fields) {
  const bool json = log_format == LogFormat::kJson;
  const std::shared_ptr<spdlog::logger> logger =
      json ? spdlog::get(kFieldsLogger) : spdlog::default_logger();
  if (logger == nullptr || !logger->should_log(level)) return;
  logger->log(level, spdlog::string_view_t(json ? fields.Json() : fields.Text()));
}

std::string EscapeText(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const std::string_view character = text.substr(0, std::max<size_t>(1, length));
    const int control = length == 0 ? -1 : ControlCode(character);
    if (length == 0) {
      absl::StrAppendFormat(&out, "\\x%02x", static_cast<unsigned char>(text[0]));
    } else if (control >= 0) {
      if (const char* escape = ShortEscape(control)) {
        out += escape;
      } else {
        absl::StrAppendFormat(&out, "\\x%02x", control);
      }
    } else {
      out += character;
    }
    text.remove_prefix(character.size());
  }
  return out;
}

std::string EscapeJson(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const std::string_view character = text.substr(0, std::max<size_t>(1, length));
    const int control = length == 0 ? -1 : ControlCode(character);
    if (length == 0) {
      out += "\\ufffd";
    } else if (control >= 0) {
      absl::StrAppendFormat(&out, "\\u%04x", control);
    } else {
      if (character == "\"" || character == "\\") out += '\\';
      out += character;
    }
    text.remove_prefix(character.size());
  }
  return out;
}

std::unique_ptr<spdlog::formatter> MakeLogFormatter(LogFormat format) {
  if (format == LogFormat::kJson) return std::make_unique<JsonFormatter>();
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<EscapedMessage>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %*");
  return formatter;
}

}  // namespace antiphon::server
