#include "core/musicxml/musicxml_report.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/music/midi_text.h"
#include "core/music/score.h"

namespace antiphon::notation {

void XmlReport::EnterPart(std::string_view name) {
  part_ = name;
  bar_.clear();
}

std::string XmlReport::Place(pugi::xml_node at) const {
  std::string place = absl::StrCat("line ", text_.LineOf(at));
  if (!bar_.empty()) absl::StrAppend(&place, ", bar ", music::CleanMidiText(bar_).substr(0, 40));
  if (!part_.empty()) absl::StrAppend(&place, " of ", part_);
  return place;
}

absl::Status XmlReport::Malformed(pugi::xml_node at, std::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat("MusicXML, ", Place(at), ": ", std::string(what)));
}

void XmlReport::Warn(pugi::xml_node at, std::string_view what) {
  const auto same = std::find_if(warnings_.begin(), warnings_.end(),
                                 [what](const Warning& warning) { return warning.what == what; });
  if (same != warnings_.end()) {
    ++same->more;
  } else if (warnings_.size() + 1 < music::kMaxScoreWarnings) {
    warnings_.push_back({std::string(what), Place(at)});
  } else {
    ++left_out_;
  }
}

std::vector<std::string> XmlReport::TakeWarnings() {
  std::vector<std::string> texts;
  for (const Warning& warning : warnings_) {
    texts.push_back(absl::StrCat(warning.place, ": ", warning.what));
    if (warning.more > 0) absl::StrAppend(&texts.back(), " (and ", warning.more, " more)");
  }
  if (left_out_ > 0) texts.push_back(absl::StrCat("and ", left_out_, " more warnings"));
  warnings_.clear();
  return texts;
}

}  // namespace antiphon::notation
