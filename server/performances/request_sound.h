// The sound of a request, and the part of it that is looked at. Stateless; safe from any thread.
#ifndef ANTIPHON_SERVER_PERFORMANCES_REQUEST_SOUND_H_
#define ANTIPHON_SERVER_PERFORMANCES_REQUEST_SOUND_H_

#include "absl/status/statusor.h"
#include "antiphon/v1/types.pb.h"
#include "core/audio/waveform.h"
#include "core/features/feature_sequence.h"
#include "core/features/settings.h"
#include "core/matching/request.h"
#include "server/calls/call.h"
#include "server/wire/limits.h"

namespace antiphon::server {

// All of the sound, at `sample_rate`, Hz, as the call's stage STAGE_DECODE. Warns of what could not
// be decoded. Fields: as DecodeAudio, and "excerpt.start_seconds" where it lies beyond the end.
[[nodiscard]] absl::StatusOr<audio::Waveform> DecodeSound(Call& call, bool present,
                                                          const v1::Audio& audio, int sample_rate,
                                                          const matching::QueryExcerpt& excerpt,
                                                          const Limits& limits);

// The samples of the excerpt, in the place of all. Requires one that begins before their end.
void CutTo(const matching::QueryExcerpt& excerpt, audio::Waveform& sound);

// As the call's stage STAGE_FEATURES. A sound that is far too quiet is raised before. Requires a
// sound at the rate of the settings.
[[nodiscard]] absl::StatusOr<features::FeatureSequence> SpectrogramOf(
    Call& call, const audio::Waveform& sound, const features::FeatureSettings& settings);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_PERFORMANCES_REQUEST_SOUND_H_
