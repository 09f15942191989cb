// Text in Unicode, as names of files and people are compared (utf8proc).
//
// Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_BASE_UNICODE_H_
#define ANTIPHON_CORE_BASE_UNICODE_H_

#include <string>
#include <string_view>

namespace antiphon {

// The text in normalisation form C (Unicode Standard Annex 15): "e" and a combining acute accent
// become "é", so that a name written on one system is equal to the same name written on another.
// Bytes that are not valid UTF-8 are returned as they are.
std::string ToNfc(std::string_view utf8);

}  // namespace antiphon

#endif  // ANTIPHON_CORE_BASE_UNICODE_H_
