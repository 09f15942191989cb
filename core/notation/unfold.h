// The order in which the bars of a written score are played: repeats, endings and jumps followed.
//
// Internal to core/notation. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_NOTATION_UNFOLD_H_
#define ANTIPHON_CORE_NOTATION_UNFOLD_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

// Indices of bars, in the order of playing. WrittenScore::order decides where it is given. Else:
//
//   - :| goes back to the |: that belongs to it, as brackets do, so that repeats may lie in each
//     other; without one, to the end of the repeat before, or the beginning. A repeat is played
//     WrittenBar::plays times.
//   - A repeat with endings is played as often as its last ending says. It has all endings that
//     follow each other, whether or not :| stands after the last one. A single one for the first
//     time leaves the last time to what follows it.
//   - Endings in no repeat are by jumps: the second is taken after a jump.
//   - D.C. and D.S. are taken once each, at the last time of the repeats that they stand in. D.S.
//     goes to the segno of its name, the last one before it or else the first behind it; without a
//     name, or a sign of that name in the movement, to the last segno before it. After the jump, a
//     Fine ends the music, and the first To Coda goes to the next coda sign of its name, or else to
//     the next one. Of several coda signs without a To Coda, the first is one.
//   - After the jump, repeats are played once, with their last ending, unless the bar of the jump
//     says otherwise; in music that wasn't reached before, they are played as written.
//   - An ending that is never reached so is played all the same, with a sentence added to
//     `warnings`. Of several that belong together the numbers are taken without their gaps (of a
//     first and a third ending, the third is for the second time); of any other the number is
//     passed over.
//   - Nothing of this leads from one movement to another: a Fine ends the movement.
//
// A jump to a sign that isn't there is passed over, with a sentence added to `warnings`, unless
// that is null. Requires what written_score.h promises. Fails with ResourceExhausted at more than
// limits.max_bars bars, in time proportional to that.
[[nodiscard]] absl::StatusOr<std::vector<int>> Unfold(const WrittenScore& score,
                                                      const NotationLimits& limits,
                                                      std::vector<std::string>* warnings);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_NOTATION_UNFOLD_H_
