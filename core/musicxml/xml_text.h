// An XML file as a tree, and where in the file a node stands.
//
// Internal to core/musicxml. A document owns its text and its tree; nodes borrow from it. Not
// synchronised.
#ifndef ANTIPHON_CORE_MUSICXML_XML_TEXT_H_
#define ANTIPHON_CORE_MUSICXML_XML_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pugixml.hpp"

namespace antiphon::notation {

// The text in UTF-8, without a byte order mark. UTF-16 is told by its mark or its first character,
// Latin-1 and Windows-1252 by the declaration. Other bytes stay as they are.
std::string XmlToUtf8(std::string_view bytes);

class XmlText {
 public:
  // InvalidArgument, with the line, on malformed XML; ResourceExhausted on more elements and
  // attributes than a file of that kind and of `max_bytes` has. Character data and numeric and
  // predefined entities only: no other is expanded, and nothing refers elsewhere.
  absl::Status Parse(std::string_view bytes, int64_t max_bytes);

  pugi::xml_node root() const { return document_.document_element(); }

  // Counted from 1; 0 for no node. Takes time by the size of the file: for messages.
  int LineOf(pugi::xml_node node) const;

 private:
  int LineAt(size_t offset) const;

  std::string text_;
  pugi::xml_document document_;
};

// The text within, without spaces around it.
std::string_view TextOf(pugi::xml_node node);
inline std::string_view ChildText(pugi::xml_node node, const char* name) {
  return TextOf(node.child(name));
}

// A finite decimal number; nothing where there is none.
std::optional<double> NumberIn(std::string_view text);
// A whole number of at most nine digits.
std::optional<int> WholeIn(std::string_view text);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_MUSICXML_XML_TEXT_H_
