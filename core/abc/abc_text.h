// Text of ABC files: encodings, accents written as mnemonics, comments.
//
// Internal to core/abc. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_ABC_ABC_TEXT_H_
#define ANTIPHON_CORE_ABC_ABC_TEXT_H_

#include <optional>
#include <string>
#include <string_view>

namespace antiphon::notation {

// The bytes in UTF-8 where they begin with a byte order mark of UTF-16; nothing where they do not.
std::optional<std::string> AbcFromUtf16(std::string_view bytes);

// A title or a name as valid UTF-8: the bytes read in `charset` ("iso-8859-2" and its like; empty
// or unknown: as CleanMidiText reads them), \'e, &eacute; and \u00e9 as the letters that they stand
// for, without control characters and space at the ends.
std::string CleanAbcText(std::string_view bytes, std::string_view charset);

// The line without its comment: what stands before the first % that no backslash precedes.
std::string_view WithoutComment(std::string_view line);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_ABC_ABC_TEXT_H_
