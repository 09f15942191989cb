// The columns of a Humdrum file as they divide, join, change places, begin and end.
//
// Internal to core/humdrum. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_HUMDRUM_HUMDRUM_SPINES_H_
#define ANTIPHON_CORE_HUMDRUM_HUMDRUM_SPINES_H_

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

struct Spine {
  enum class Kind {
    kUnknown,  // begun by *+, to be named on the next line
    kKern,
    kDynamics,
    kOther,
  };
  Kind kind = Kind::kUnknown;
  int track = -1;  // of its kind: what one exclusive interpretation has begun
  int voice = 0;   // among the spines of its track, from 0
  Ticks end = 0;   // where its last note or rest ends
  // Grace notes that wait for the note that they lead to: ranges of indices, a chord each.
  std::vector<std::pair<size_t, size_t>> graces;
};

// Divides (*^), joins (*v), exchanges (*x), adds (*+) and ends (*-) spines as a line of as many
// tokens says. Fails with InvalidArgument on joins and exchanges without a neighbour; the message
// is the reason only.
absl::Status ApplySpineChanges(const std::vector<absl::string_view>& tokens,
                               std::vector<Spine>* spines);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_HUMDRUM_HUMDRUM_SPINES_H_
