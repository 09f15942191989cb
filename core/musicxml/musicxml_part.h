// One part of MusicXML, measure by measure.
//
// Internal to core/musicxml. Stateless.
#ifndef ANTIPHON_CORE_MUSICXML_MUSICXML_PART_H_
#define ANTIPHON_CORE_MUSICXML_MUSICXML_PART_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "core/musicxml/musicxml_model.h"
#include "core/musicxml/musicxml_report.h"

namespace antiphon::notation {

// At most `max_notes` elements <note>, or ResourceExhausted. InvalidArgument, with line and bar, on
// times and pitches that there are none of, and on measures of more than 10,000 quarter notes.
[[nodiscard]] absl::StatusOr<XmlMusic> ReadXmlPart(const XmlPart& part, int64_t max_notes,
                                                   XmlReport& report);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_MUSICXML_MUSICXML_PART_H_
