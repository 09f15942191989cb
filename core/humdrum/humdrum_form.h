// Bars, sections and their order of playing, from a Humdrum file's bar lines and labels.
//
// Internal to core/humdrum. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_HUMDRUM_HUMDRUM_FORM_H_
#define ANTIPHON_CORE_HUMDRUM_HUMDRUM_FORM_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/humdrum/humdrum_tokens.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

// Both sorted by time, as the file has them.
struct HumdrumForm {
  std::vector<Written<BarLine>> bars;
  std::vector<Written<std::string>> sections;
};

// What the file says about the order of playing.
struct HumdrumOrder {
  std::string list;             // "A,A,B" of *>[A,A,B], or empty
  bool has_variants = false;    // *>norep[A,B] and the like
  bool already_played = false;  // *thru: written out in the order of playing
};

// Sets the score's bars and order for music that ends at `end` > 0; reads its metres, and adds
// warnings. Fails with ResourceExhausted beyond the limit on bars, written or played.
absl::Status SetBars(const HumdrumForm& form, const HumdrumOrder& order, Ticks end,
                     const NotationLimits& limits, WrittenScore* score);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_HUMDRUM_HUMDRUM_FORM_H_
