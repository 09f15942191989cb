// Repeats and endings: from the signs at bar lines to the bars of a WrittenScore, and the order of
// playing where a tune states the order of its parts.
//
// Internal to core/abc. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_ABC_ABC_REPEATS_H_
#define ANTIPHON_CORE_ABC_ABC_REPEATS_H_

#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/abc/abc_voice.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

// Sets starts_repeat, plays and endings of the bars. `lines` are the bar lines: lines[i] is before
// bars[i], and the last one behind the last bar. A repeat that begins nowhere begins behind the
// last repeat, double bar or label, or at the beginning of the tune. An ending goes on until the
// next double bar, repeat, label or ending.
void ApplyAbcRepeats(std::span<const AbcBarLine> lines, std::vector<WrittenBar>* bars,
                     AbcWarnings* warnings);

// The bars in the order of playing for the parts in `order` ("AAB"), each with its own repeats;
// what stands before the first label comes first. Empty where no part of the order has a label.
// Fails with ResourceExhausted where that is more than limits.max_bars bars.
[[nodiscard]] absl::StatusOr<std::vector<int>> OrderOfAbcParts(std::string_view order,
                                                               std::span<const AbcBarLine> lines,
                                                               std::span<const WrittenBar> bars,
                                                               const NotationLimits& limits,
                                                               AbcWarnings* warnings);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_ABC_ABC_REPEATS_H_
