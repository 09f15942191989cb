// The container of MusicXML: a zip archive (.mxl) that names its score in META-INF/container.xml.
//
// Internal to core/musicxml; the adapter of minizip. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_MUSICXML_MXL_ARCHIVE_H_
#define ANTIPHON_CORE_MUSICXML_MXL_ARCHIVE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace antiphon::notation {

// Whether bytes begin as a zip archive does.
bool IsZip(std::string_view bytes);

// Whether the first entry of the archive is one that a MusicXML container begins with.
bool LooksLikeMxl(std::string_view head);

// The score of a container, unpacked: the first root file that is MusicXML, or without a list of
// root files, the first entry that is named like one.
//
// Fails with InvalidArgument (not an archive, damaged, encrypted, no score in it) and
// ResourceExhausted: more than `max_bytes` unpacked, whatever the archive says of its sizes, or
// more than 1,000 entries.
[[nodiscard]] absl::StatusOr<std::string> UnpackMxl(std::string_view bytes, int64_t max_bytes);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_MUSICXML_MXL_ARCHIVE_H_
