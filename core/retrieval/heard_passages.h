// A traced path as the comparison of notes wants it. Internal to core/retrieval. A pure function;
// safe from any thread.
#ifndef ANTIPHON_CORE_RETRIEVAL_HEARD_PASSAGES_H_
#define ANTIPHON_CORE_RETRIEVAL_HEARD_PASSAGES_H_

#include <vector>

#include "core/music/same_music.h"
#include "core/retrieval/whole_path.h"

namespace antiphon::retrieval {

// The passages of the path, moment by moment; both sides rise strictly.
std::vector<music::HeardPassage> HeardPassagesOf(const WholePath& path);

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_HEARD_PASSAGES_H_
