#include "core/humdrum/humdrum.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "core/humdrum/humdrum_reader.h"

namespace antiphon::notation {
namespace {

constexpr absl::string_view kByteOrderMark = "\xef\xbb\xbf";

// Takes the next line off `text`, without its end: \n, \r\n or \r.
absl::string_view TakeLine(absl::string_view* text) {
  const size_t end = std::min(text->find_first_of("\r\n"), text->size());
  const absl::string_view line = text->substr(0, end);
  text->remove_prefix(end);
  if (!absl::ConsumePrefix(text, "\r\n") && !text->empty()) text->remove_prefix(1);
  return line;
}

bool IsBlank(absl::string_view line) {
  return line.find_first_not_of(" \t") == absl::string_view::npos;
}

}  // namespace

bool LooksLikeHumdrum(std::string_view bytes) {
  absl::string_view head(bytes.data(), bytes.size());
  absl::ConsumePrefix(&head, kByteOrderMark);
  bool records = false;
  while (!head.empty()) {
    const absl::string_view line = TakeLine(&head);
    if (IsBlank(line)) continue;
    if (line[0] != '!') {
      if (!absl::StartsWith(line, "**")) return false;
      for (const absl::string_view name : absl::StrSplit(line, '\t')) {
        if (absl::StartsWith(name, "**kern") || absl::StartsWith(name, "**drum")) return true;
      }
      return false;
    }
    records = records || (absl::StartsWith(line, "!!!") && absl::StrContains(line, ':'));
  }
  return records;
}

absl::StatusOr<WrittenScore> ReadHumdrum(std::string_view bytes, const NotationLimits& limits) {
  absl::string_view text(bytes.data(), bytes.size());
  if (static_cast<int64_t>(text.size()) > limits.max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the file is larger than ", limits.max_bytes, " bytes"));
  }
  absl::ConsumePrefix(&text, kByteOrderMark);
  HumdrumReader reader(limits);
  while (!text.empty() && !reader.done()) RETURN_IF_ERROR(reader.ReadLine(TakeLine(&text)));
  return reader.Finish();
}

}  // namespace antiphon::notation
