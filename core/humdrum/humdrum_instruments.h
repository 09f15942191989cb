// Humdrum's instruments as General MIDI programs.
//
// Internal to core/humdrum. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_HUMDRUM_HUMDRUM_INSTRUMENTS_H_
#define ANTIPHON_CORE_HUMDRUM_HUMDRUM_INSTRUMENTS_H_

#include <optional>

#include "absl/strings/string_view.h"

namespace antiphon::notation {

// Of an instrument code ("violn" of *Ivioln; of "cello&Ifagot" the first). Nothing for codes that
// say nothing (*Iempty) or are unknown.
std::optional<int> ProgramOfCode(absl::string_view code);

// Whether the code's instrument has no pitch (drums, triangle).
bool IsUnpitchedCode(absl::string_view code);

// Of a name as printed ("Violino Primo"), by the words that it begins with, in English, German,
// French and Italian. Nothing if it isn't known.
std::optional<int> ProgramOfName(absl::string_view name);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_HUMDRUM_HUMDRUM_INSTRUMENTS_H_
