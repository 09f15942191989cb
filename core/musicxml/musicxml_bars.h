// The bars of a score, of what each part has in its measures.
//
// Internal to core/musicxml. Stateless.
#ifndef ANTIPHON_CORE_MUSICXML_MUSICXML_BARS_H_
#define ANTIPHON_CORE_MUSICXML_MUSICXML_BARS_H_

#include <vector>

#include "core/musicxml/musicxml_model.h"

namespace antiphon::notation {

// As many as the part with most measures has. Requires a part.
std::vector<WrittenBar> MergeBars(const std::vector<XmlMusic>& parts);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_MUSICXML_MUSICXML_BARS_H_
