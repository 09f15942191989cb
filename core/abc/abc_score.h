// From the voices of an ABC tune to one written score.
//
// Internal to core/abc. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_ABC_ABC_SCORE_H_
#define ANTIPHON_CORE_ABC_ABC_SCORE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/abc/abc_voice.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

struct AbcPart {
  WrittenPart part;
  AbcVoiceResult voice;
};

// Fills bars, notes and changes of `*score`. Voices with equally many bars meet at each bar line,
// even where one is too short; others run on by themselves. `order` is that of the header's P:,
// written out. Requires a part with music. Fails with ResourceExhausted on a limit.
[[nodiscard]] absl::Status AssembleAbcScore(std::vector<AbcPart> parts, const std::string& order,
                                            const NotationLimits& limits, AbcWarnings* warnings,
                                            WrittenScore* score);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_ABC_ABC_SCORE_H_
