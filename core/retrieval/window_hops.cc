#include "core/retrieval/window_hops.h"

#include "core/base/check_range.h"

namespace antiphon::retrieval {
namespace {

using matching::IdentifyOptions;

// Shorter queries would have hardly any windows at these hops. Longer ones may change their tempo,
// and jump: more windows tell better which time of a repeat it is. At the models' 21 frames a
// second, these are 11 and 44, whole numbers of times as far as windows of scores lie apart, and
// the wide one's windows are among the other's.
constexpr double kHop_s = 0.52;
constexpr Range<double> kLength_s = {5, 20};
constexpr double kFewWindowsHop_s = 2.1;
constexpr double kFewWindowsFrom_s = 7;  // seconds of the query
constexpr double kEnoughConfidence = 0.99;
// No window begins within half a window of the end, so that the last one may end so long before it.
constexpr double kMostMissing_s = 1.1;

}  // namespace

std::vector<double> HopsFor(const IdentifyOptions& options, double length_s, int tempi) {
  if (options.hop_s.has_value()) return {*options.hop_s};
  // Plain votes are counted one by one: the more, the surer. Which performance a sound is of is
  // told from where exactly it lies in a recording.
  const bool of_performance = options.against == catalog::Side::kRecordings && tempi == 1;
  if (!kLength_s.Contains(length_s) || options.method == matching::VoteMethod::kPlain ||
      of_performance)
    return {IdentifyOptions::kFineHop_s};
  // At other tempi than its own a query's hops are rounded to frames, and share no windows.
  if (length_s < kFewWindowsFrom_s || tempi > 1 || !options.follow_paths || options.evidence)
    return {kHop_s};
  return {kFewWindowsHop_s, kHop_s};
}

bool IsBeyondDoubt(const matching::Identification& answer, double length_s) {
  if (answer.verdict != matching::Verdict::kMatch || answer.candidates.empty()) return false;
  const matching::Candidate& best = answer.candidates[0];
  return best.confidence >= kEnoughConfidence && best.passages.size() == 1 &&
         best.match.query.length_s() > length_s - kMostMissing_s;
}

}  // namespace antiphon::retrieval
