// Cuts a stretch out of a piece or a recording of the collection, to be handed to a client.
// Stateless; safe from any thread.
#ifndef ANTIPHON_SERVER_SERVICES_SNIPPETS_H_
#define ANTIPHON_SERVER_SERVICES_SNIPPETS_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/music/score.h"

namespace antiphon::server {

// The notes that sound in [start_s, end_s), at the tempo written, as a Standard MIDI File. Requires
// start_s < end_s.
[[nodiscard]] absl::StatusOr<std::string> CutMidi(const music::Score& score, double start_s,
                                                  double end_s);

// [start_s, end_s) of encoded audio as a mono 16-bit WAV file at `sample_rate`. Requires start_s <
// end_s.
[[nodiscard]] absl::StatusOr<std::string> CutWav(std::string_view audio, double start_s,
                                                 double end_s, int sample_rate);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVICES_SNIPPETS_H_
