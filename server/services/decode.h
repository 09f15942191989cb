// Sound and scores of a request, made ready for the core. Sizes are checked before anything is
// allocated for them.
//
// Stateless; safe from any thread. Failures name the field (status_map.h): InvalidArgument for what
// is missing or malformed, ResourceExhausted for what is too large.
#ifndef ANTIPHON_SERVER_SERVICES_DECODE_H_
#define ANTIPHON_SERVER_SERVICES_DECODE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "antiphon/v1/types.pb.h"
#include "core/audio/decode_report.h"
#include "core/audio/waveform.h"
#include "core/music/score.h"
#include "server/wire/limits.h"

namespace antiphon::server {

// Mono sound at `sample_rate`, Hz. `present` is whether the request has the message at all. Fields:
// "audio", "audio.file", "audio.pcm.…". `report` says what of a file could not be decoded.
[[nodiscard]] absl::StatusOr<audio::Waveform> DecodeAudio(bool present, const v1::Audio& audio,
                                                          int sample_rate, const Limits& limits,
                                                          audio::DecodeReport& report);

// In what follows, `prefix` stands in front of the names of fields: "" or "options.".

// The field of a request that has the score, "score.file" or "score.midi".
std::string ScoreFieldOf(absl::string_view prefix, const v1::Score& score);
// What is in that field.
const std::string& ScoreBytesOf(const v1::Score& score);

// Fields: "score", "score.midi", "score.file".
[[nodiscard]] absl::StatusOr<music::Score> DecodeScore(absl::string_view prefix, bool present,
                                                       const v1::Score& score,
                                                       const Limits& limits);

// Whether `bytes` is an audio file that DecodeAudio would begin to read: its header and first
// second are looked at, not the whole.
[[nodiscard]] absl::Status CheckAudioFile(absl::string_view field, const std::string& bytes,
                                          const Limits& limits);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVICES_DECODE_H_
