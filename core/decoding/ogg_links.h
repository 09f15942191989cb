// Ogg files that are several streams one after the other (RFC 3533: chained). Internal to
// core/decoding. Pure function; bytes are untrusted.
#ifndef ANTIPHON_CORE_DECODING_OGG_LINKS_H_
#define ANTIPHON_CORE_DECODING_OGG_LINKS_H_

#include <cstdint>
#include <vector>

#include "core/audio/byte_source.h"

namespace antiphon::audio {

struct OggLink {
  int64_t begin = 0;
  // Of a link whose sound lies on one page: the time at its end, in the stream's own units (of
  // Vorbis, frames). 0 for any other.
  int64_t only_granule = 0;
  int64_t stray_bytes = 0;  // that are on no page
};

// In their order; at least one, from the beginning of the source on.
std::vector<OggLink> FindOggLinks(ByteSource& source);

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_DECODING_OGG_LINKS_H_
