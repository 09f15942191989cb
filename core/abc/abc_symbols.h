// What ABC lets a file define for itself: symbols (U:) and macros (m:); and the decorations that
// have names.
//
// Internal to core/abc. AbcSymbols is a plain value; the functions are stateless.
#ifndef ANTIPHON_CORE_ABC_ABC_SYMBOLS_H_
#define ANTIPHON_CORE_ABC_ABC_SYMBOLS_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "core/abc/abc_voice.h"

namespace antiphon::notation {

struct AbcMacro {
  std::string pattern;
  std::string replacement;
  bool transposing = false;  // the n of the pattern is any note
};

struct AbcSymbols {
  std::map<char, std::string> user;  // "T" and its like: "!trill!"
  std::vector<AbcMacro> macros;      // the longest patterns first
};

// U: and m:. Fail with ResourceExhausted beyond 100 macros or 500 bytes in one; what cannot be read
// is InvalidArgument and changes nothing.
[[nodiscard]] absl::Status DefineAbcSymbol(std::string_view value, AbcSymbols* symbols);
[[nodiscard]] absl::Status DefineAbcMacro(std::string_view value, AbcSymbols* symbols);

// The line of music with the macros written out, outside of quotation marks. Nothing where that is
// more than `most` bytes.
std::optional<std::string> ExpandAbcMacros(std::string_view line, const AbcSymbols& symbols,
                                           size_t most);

// The name of the decoration that a letter (or ~) stands for unless U: says otherwise; empty: none.
std::string_view DefaultAbcSymbol(char symbol);

// What a decoration (without its exclamation marks) does to the note behind it, and to the loudness
// of the voice. False: it is not known.
bool ApplyAbcDecoration(std::string_view name, AbcVoice* voice);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_ABC_ABC_SYMBOLS_H_
