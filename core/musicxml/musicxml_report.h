// Errors and warnings about a MusicXML file, with line, bar and part.
//
// Internal to core/musicxml. Borrows the text; not synchronised.
#ifndef ANTIPHON_CORE_MUSICXML_MUSICXML_REPORT_H_
#define ANTIPHON_CORE_MUSICXML_MUSICXML_REPORT_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "core/musicxml/xml_text.h"

namespace antiphon::notation {

class XmlReport {
 public:
  explicit XmlReport(const XmlText& text) : text_(text) {}

  // What follows is about this part, and this bar.
  void EnterPart(std::string_view name);
  void EnterBar(std::string_view number) { bar_ = number; }

  // InvalidArgument: "MusicXML, line 12, bar 3 of Violin: what".
  absl::Status Malformed(pugi::xml_node at, std::string_view what) const;

  // Of warnings that say the same, the first place is kept and the others are counted.
  void Warn(pugi::xml_node at, std::string_view what);

  std::vector<std::string> TakeWarnings();

 private:
  struct Warning {
    std::string what;
    std::string place;
    int more = 0;
  };

  std::string Place(pugi::xml_node at) const;

  const XmlText& text_;
  std::string part_;
  std::string bar_;
  std::vector<Warning> warnings_;
  int left_out_ = 0;
};

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_MUSICXML_MUSICXML_REPORT_H_
