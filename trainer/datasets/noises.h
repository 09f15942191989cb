// Sounds that are no music: what a system must not name a piece for. Pure functions; safe from any
// thread.
#ifndef ANTIPHON_TRAINER_DATASETS_NOISES_H_
#define ANTIPHON_TRAINER_DATASETS_NOISES_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/audio/waveform.h"

namespace antiphon::trainer::datasets {

// silence; white; pink; hum (mains, with harmonics); clicks (a few each second); speech (a voice's
// buzz through moving formants, in syllables).
std::vector<std::string> NoiseNames();

// Peaks at about 0.5 but for silence. Equal seeds give equal sound. NotFound for another name.
[[nodiscard]] absl::StatusOr<audio::Waveform> MakeNoise(std::string_view name, double seconds,
                                                        int sample_rate, uint64_t seed);

// Makes `of_each` noises of every kind and length, one after the other, and hands each to `ask`
// together with its kind. Another `seed`, any text, gives other noises. Ends with the first failure
// of `ask`.
[[nodiscard]] absl::Status ForEachNoise(
    std::string_view seed, std::span<const double> lengths_s, int of_each, int sample_rate,
    const std::function<absl::Status(const std::string& kind, double length_s,
                                     const audio::Waveform& audio)>& ask);

}  // namespace antiphon::trainer::datasets

#endif  // ANTIPHON_TRAINER_DATASETS_NOISES_H_
