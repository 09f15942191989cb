#include "core/humdrum/humdrum_spines.h"

#include <algorithm>
#include <map>

namespace antiphon::notation {
namespace {

bool SameTrack(const Spine& a, const Spine& b) { return a.kind == b.kind && a.track == b.track; }

// How many spines the join at `first` is of. Neighbouring joins of two tracks are two; where that
// would leave one alone, they are one join across tracks.
size_t JoinSize(const std::vector<absl::string_view>& tokens, const std::vector<Spine>& spines,
                size_t first) {
  size_t run = first;
  while (run < tokens.size() && tokens[run] == "*v") ++run;
  size_t same = first;
  while (same < run && SameTrack(spines[same], spines[first])) ++same;
  const bool alone = same == first + 1 || same + 1 == run;
  return (alone ? run : same) - first;
}

Spine Joined(std::vector<Spine>* spines, size_t first, size_t count) {
  Spine joined = std::move((*spines)[first]);
  for (size_t i = first + 1; i < first + count; ++i) {
    Spine& other = (*spines)[i];
    joined.end = std::max(joined.end, other.end);
    joined.graces.insert(joined.graces.end(), other.graces.begin(), other.graces.end());
  }
  return joined;
}

void NumberVoices(std::vector<Spine>* spines) {
  std::map<std::pair<Spine::Kind, int>, int> counts;
  for (Spine& spine : *spines) spine.voice = counts[{spine.kind, spine.track}]++;
}

}  // namespace

absl::Status ApplySpineChanges(const std::vector<absl::string_view>& tokens,
                               std::vector<Spine>* spines) {
  std::vector<Spine> after;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const absl::string_view token = tokens[i];
    Spine& spine = (*spines)[i];
    if (token == "*-") continue;
    if (token == "*^") {
      Spine second = spine;
      second.graces.clear();
      after.push_back(std::move(spine));
      after.push_back(std::move(second));
    } else if (token == "*v") {
      const size_t count = JoinSize(tokens, *spines, i);
      if (count < 2) return absl::InvalidArgumentError("a spine joins (*v) none beside it");
      after.push_back(Joined(spines, i, count));
      i += count - 1;
    } else if (token == "*x") {
      if (i + 1 >= tokens.size() || tokens[i + 1] != "*x") {
        return absl::InvalidArgumentError("a spine changes places (*x) with none beside it");
      }
      after.push_back(std::move((*spines)[i + 1]));
      after.push_back(std::move(spine));
      ++i;
    } else if (token == "*+") {
      Spine added;
      added.end = spine.end;
      after.push_back(std::move(spine));
      after.push_back(std::move(added));
    } else {
      after.push_back(std::move(spine));
    }
  }
  *spines = std::move(after);
  NumberVoices(spines);
  return absl::OkStatus();
}

}  // namespace antiphon::notation
