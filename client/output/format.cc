#include "client/output/format.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace antiphon::client {
namespace {

// Without trailing zeros: 2.50 is "2.5", 3.00 is "3".
std::string Trimmed(double value, int decimals) {
  std::string text = absl::StrFormat("%.*f", decimals, value);
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

bool IsPlainDecimal(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isdigit(c) || c == '.'; });
}

}  // namespace

std::string FormatTime(double seconds) {
  if (!std::isfinite(seconds) || std::abs(seconds) > 1e12) return "?";
  const auto tenths = static_cast<int64_t>(std::llround(std::abs(seconds) * 10));
  const char* sign = seconds < 0 && tenths > 0 ? "-" : "";
  const int64_t minutes = tenths / 600;
  const std::string rest = absl::StrFormat("%02d.%d", tenths % 600 / 10, tenths % 10);
  if (minutes < 60) return absl::StrCat(sign, minutes, ":", rest);
  return absl::StrFormat("%s%d:%02d:%s", sign, minutes / 60, minutes % 60, rest);
}

std::string FormatSpan(double start_s, double end_s) {
  return absl::StrCat(FormatTime(start_s), "–", FormatTime(end_s));
}

std::string FormatBarBeat(const std::string& bar, double beat_in_bar) {
  return absl::StrCat(bar, ":", Trimmed(beat_in_bar, 1));
}

std::string FormatTempo(double ratio) { return absl::StrFormat("%.0f %%", 100 * ratio); }

std::string FormatScore(double value) { return absl::StrFormat("%.2f", value); }

std::string FormatCount(int64_t count) {
  std::string text = absl::StrCat(count);
  const int first = count < 0 ? 1 : 0;
  for (int i = static_cast<int>(text.size()) - 3; i > first; i -= 3) text.insert(i, 1, ',');
  return text;
}

std::string FormatBytes(int64_t bytes) {
  if (bytes < 1024) return absl::StrCat(bytes, " bytes");
  if (bytes < 1 << 20) return absl::StrCat(Trimmed(bytes / 1024.0, 1), " KiB");
  if (bytes < 1 << 30) return absl::StrCat(Trimmed(bytes / 1048576.0, 1), " MiB");
  return absl::StrCat(Trimmed(bytes / 1073741824.0, 1), " GiB");
}

std::optional<double> ParseTime(std::string_view text) {
  const std::vector<std::string> parts =
      absl::StrSplit(absl::string_view(text.data(), text.size()), ':');
  if (parts.size() > 3) return std::nullopt;
  double seconds = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    double value = 0;
    if (!IsPlainDecimal(parts[i]) || !absl::SimpleAtod(parts[i], &value)) return std::nullopt;
    const bool last = i + 1 == parts.size();
    if (!last && value != std::floor(value)) return std::nullopt;  // "1.5:00"
    if (i > 0 && value >= 60) return std::nullopt;
    seconds = 60 * seconds + value;
  }
  return std::isfinite(seconds) ? std::optional(seconds) : std::nullopt;
}

}  // namespace antiphon::client
