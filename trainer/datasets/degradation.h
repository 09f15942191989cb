// Named ways in which a recording gets worse, for measuring how quality falls. Never used in
// training. Pure functions; safe from any thread.
#ifndef ANTIPHON_TRAINER_DATASETS_DEGRADATION_H_
#define ANTIPHON_TRAINER_DATASETS_DEGRADATION_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"

namespace antiphon::trainer::datasets {

//   telephone          300 to 3,400 Hz at 8 kHz, eight bits by the mu-law (ITU-T G.711)
//   small-loudspeaker  nothing much under 250 Hz, resonances, mild distortion
//   noise-10db, noise-0db  pink noise so far under the sound (root mean squares)
//   large-hall         3 s of reverberation, 3 dB stronger than the direct sound
//   phone-recording    a living room, a telephone's microphone, noise at 20 dB, automatic gain,
//                      mild clipping
//   lossy-64k          MP3 at 64 kbit/s and back; the codec's delay is taken out
//   clipping           ten times too loud: cut off at a tenth of the peak
//   sharp-30-cents, flat-30-cents  played faster or slower, so that the pitch moves by that
//   faster-5-percent   played faster by that, the pitch moving along (84 cents)
std::vector<std::string> DegradationNames();

// How much faster the degraded sound plays: second t of the sound is at t / speed. 1 for most, and
// for unknown names.
double DegradationSpeed(std::string_view name);

// `audio` under the named degradation, not delayed and, but for its speed, of the same length; the
// seed draws rooms, resonances and noise. Silence stays silent. InvalidArgument for an unknown name
// (the message lists the names), an empty sound, or a sample that is not finite.
[[nodiscard]] absl::StatusOr<audio::Waveform> Degrade(const audio::Waveform& audio,
                                                      std::string_view name, uint64_t seed);

}  // namespace antiphon::trainer::datasets

#endif  // ANTIPHON_TRAINER_DATASETS_DEGRADATION_H_
