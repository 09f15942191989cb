// Notes of a part of MusicXML as they are played: tied notes as one, tremolos between two chords
// written out, arpeggios in order, velocities by dynamics.
//
// Internal to core/musicxml. Stateless.
#ifndef ANTIPHON_CORE_MUSICXML_MUSICXML_JOINING_H_
#define ANTIPHON_CORE_MUSICXML_MUSICXML_JOINING_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "core/musicxml/musicxml_model.h"

namespace antiphon::notation {

// `bars` are those of the whole score; `part` is the index that the notes get. At most `max_notes`,
// or ResourceExhausted. In no order.
[[nodiscard]] absl::StatusOr<std::vector<WrittenNote>> JoinNotes(
    const XmlMusic& music, const std::vector<WrittenBar>& bars, int part, int64_t max_notes);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_MUSICXML_MUSICXML_JOINING_H_
