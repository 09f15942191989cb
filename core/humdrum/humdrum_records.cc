#include "core/humdrum/humdrum_records.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/music/file_naming.h"
#include "core/music/midi_text.h"

namespace antiphon::notation {
namespace {

constexpr size_t kMaxValueBytes = 1000;

// The only keys that are kept, however many a file has.
constexpr absl::string_view kKeys[] = {"OTL", "OPR", "COM", "COA", "OPS", "ONM", "SCT", "OMV"};

// "op. 10" of "10"; what has words of its own stays.
std::string WithWord(absl::string_view word, absl::string_view value) {
  if (value.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(value[0]))) {
    return std::string(value);
  }
  while (value.size() > 1 && value[0] == '0') value.remove_prefix(1);
  return absl::StrCat(word, " ", value);
}

}  // namespace

std::pair<absl::string_view, absl::string_view> ParseRecord(absl::string_view line) {
  if (!absl::ConsumePrefix(&line, "!!!") || absl::StartsWith(line, "!")) return {};
  const size_t colon = line.find(':');
  if (colon == absl::string_view::npos) return {};
  return {absl::StripAsciiWhitespace(line.substr(0, colon)),
          absl::StripAsciiWhitespace(line.substr(colon + 1))};
}

void HumdrumRecords::Add(absl::string_view key, absl::string_view value) {
  // "OTL@@DE", "OTL@EN" and "OTL1" beside "OTL".
  for (const absl::string_view kept : kKeys) {
    absl::string_view rest = key;
    if (!absl::ConsumePrefix(&rest, kept)) continue;
    if (!rest.empty() && rest[0] != '@') continue;
    const absl::string_view slot = absl::StartsWith(rest, "@@") ? "@@" : rest.substr(0, 1);
    const std::string text = music::CleanMidiText(std::string(value.substr(0, kMaxValueBytes)));
    if (!text.empty()) records_.try_emplace(absl::StrCat(kept, slot), text);
  }
}

std::string HumdrumRecords::Find(absl::string_view key) const {
  for (const absl::string_view slot : {"", "@@", "@"}) {
    const auto found = records_.find(absl::StrCat(key, slot));
    if (found != records_.end()) return found->second;
  }
  return "";
}

void HumdrumRecords::Name(WrittenScore* score) const {
  const std::string title = music::StatedTitle(Find("OTL"));
  const std::string work = music::StatedTitle(Find("OPR"));
  const bool both = !work.empty() && !title.empty() && !absl::StrContains(title, work);
  score->title = both ? absl::StrCat(work, ": ", title) : (title.empty() ? work : title);
  score->composer = Find("COM");
  if (score->composer.empty()) score->composer = Find("COA");
  std::vector<std::string> opus;
  for (const auto& [key, word] : {std::pair<absl::string_view, absl::string_view>{"OPS", "op."},
                                  {"ONM", "no."},
                                  {"SCT", ""},
                                  {"OMV", "movement"}}) {
    const std::string value = word.empty() ? Find(key) : WithWord(word, Find(key));
    if (!value.empty()) opus.push_back(value);
  }
  score->opus = absl::StrJoin(opus, ", ");
}

}  // namespace antiphon::notation
