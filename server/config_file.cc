#include "server/config_file.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "server/options.h"
#include "server/runtime/small_file.h"
#include "toml++/toml.h"

namespace antiphon::server {
namespace {

std::string Place(const std::string& path, const toml::source_position& position) {
  return absl::StrCat(path, ":", position.line, ":", position.column);
}

// Files are often written without the quotes.
bool IsAtTheStartOfAValue(absl::string_view text, const toml::source_position& position) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  if (position.line == 0 || position.line > lines.size() || position.column == 0) return false;
  const absl::string_view before = lines[position.line - 1].substr(
      0, std::min<size_t>(position.column - 1, lines[position.line - 1].size()));
  return absl::EndsWith(absl::StripTrailingAsciiWhitespace(before), "=");
}

absl::Status SyntaxError(const toml::parse_error& error, absl::string_view text,
                         const std::string& path) {
  const toml::source_position& begin = error.source().begin;
  std::string message = absl::StrCat(Place(path, begin), ": ", std::string(error.description()));
  if (IsAtTheStartOfAValue(text, begin))
    message += "; text stands in quotes, as in bundle = \"DIR\"";
  return absl::InvalidArgumentError(message);
}

Setting SettingOf(const std::string& option, const toml::node& node, const std::string& origin) {
  Setting setting{option, Setting::NoValue{"a date or a time"}, origin};
  if (const auto* text = node.as_string()) {
    setting.value = text->get();
  } else if (const auto* on = node.as_boolean()) {
    setting.value = on->get();
  } else if (const auto* whole = node.as_integer()) {
    setting.value = whole->get();
  } else if (const auto* number = node.as_floating_point()) {
    setting.value = number->get();
  } else if (node.is_table() || node.is_array_of_tables()) {
    setting.value = Setting::NoValue{Setting::kTable};
  } else if (node.is_array()) {
    setting.value = Setting::NoValue{"an array"};
  }
  return setting;
}

// In the order of the file; toml++ sorts by name.
std::vector<Setting> SettingsOf(const toml::table& table, const std::string& path) {
  std::vector<std::pair<toml::source_position, Setting>> placed;
  for (const auto& [key, node] : table) {
    const toml::source_position at = key.source().begin;
    placed.emplace_back(at, SettingOf(std::string(key.str()), node, Place(path, at)));
  }
  std::stable_sort(placed.begin(), placed.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Setting> settings;
  settings.reserve(placed.size());
  for (auto& [at, setting] : placed) settings.push_back(std::move(setting));
  return settings;
}

// As a value of TOML; nullopt where it does not read back the same, because it is no UTF-8.
std::optional<std::string> TomlText(const std::string& text) {
  const toml::value<std::string> value(text);
  std::ostringstream out;
  out << toml::toml_formatter(value, toml::format_flags::allow_unicode_strings);
  const auto again = ParseConfigFile(absl::StrCat("value = ", out.str(), "\n"), "");
  if (!again.ok() || again->size() != 1) return std::nullopt;
  const auto* read = std::get_if<std::string>(&again->front().value);
  return read != nullptr && *read == text ? std::optional(out.str()) : std::nullopt;
}

// A visitor of the options.
class Writer {
 public:
  explicit Writer(const std::map<std::string, std::string>& origins) : origins_(origins) {}

  void Text(absl::string_view name, const std::string& value, absl::string_view allowed,
            absl::string_view meaning) {
    const std::optional<std::string> text = TomlText(value);
    if (!text) {
      status_.Update(absl::InvalidArgumentError(
          absl::StrCat(name, ": is no UTF-8, and a TOML file cannot hold anything else")));
    }
    Write(name, text.value_or(""), allowed, meaning);
  }
  template <typename T>
  void Number(absl::string_view name, T value, const Range<T>& range, absl::string_view meaning) {
    char digits[40];  // the fewest that read back the same
    const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
    Write(name, absl::string_view(digits, static_cast<size_t>(end - digits)), Allowed(range),
          meaning);
  }
  template <typename Value, typename Names>
  void Choice(absl::string_view name, Value value, const Names& names, absl::string_view meaning) {
    Write(name, absl::StrCat("\"", NameOf(names, value), "\""), Allowed(names), meaning);
  }
  void Switch(absl::string_view name, bool value, absl::string_view meaning) {
    Write(name, value ? "true" : "false", "true, false", meaning);
  }

  absl::StatusOr<std::string> Result() const {
    RETURN_IF_ERROR(status_);
    return absl::StrCat(
        "# The configuration of antiphon-server; behind a value, where it is from.\n",
        absl::StrJoin(entries_, ""));
  }

 private:
  void Write(absl::string_view name, absl::string_view value, absl::string_view allowed,
             absl::string_view meaning) {
    const auto origin = origins_.find(std::string(name));
    entries_.push_back(absl::StrCat(
        "\n# ", Plain(meaning), " (", Plain(allowed), ")\n", name, " = ", value,
        origin == origins_.end() ? "" : absl::StrCat("  # ", absl::CEscape(origin->second)), "\n"));
  }

  const std::map<std::string, std::string>& origins_;
  std::vector<std::string> entries_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<std::vector<Setting>> ParseConfigFile(absl::string_view text,
                                                     const std::string& path) {
  try {
    return SettingsOf(toml::parse(std::string_view(text.data(), text.size())), path);
  } catch (const toml::parse_error& error) {
    return SyntaxError(error, text, path);
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": cannot be read: ", error.what()));
  }
}

absl::StatusOr<std::vector<Setting>> ReadConfigFile(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadSmallFile(path, kMaxConfigFileBytes);
  if (!text.ok())
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", text.status().message()));
  return ParseConfigFile(*text, path);
}

absl::StatusOr<std::string> WriteConfigFile(const Config& config,
                                            const std::map<std::string, std::string>& origins) {
  Writer writer(origins);
  VisitOptions(config, writer);
  return writer.Result();
}

}  // namespace antiphon::server
