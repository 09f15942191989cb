// Audio as it is streamed: int16 samples, mono, at the rate that the encoders hear. Stateless; safe
// from any thread.
#ifndef ANTIPHON_CLIENT_INPUT_PCM_H_
#define ANTIPHON_CLIENT_INPUT_PCM_H_

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/input/input.h"

namespace antiphon::client {

inline constexpr int kStreamRate = 22050;  // Hz

// Little-endian; what is beyond full scale is cut.
std::string ToInt16(std::span<const float> samples);

// Decodes the part of the input that begins at `start_s` and lasts `length_s`, seconds, and hands
// it to `take` in pieces of a few seconds: as fast as it can, or, with `pace`, as it would play.
// InvalidArgument when it is no audio, damaged, or of a format that only the server decodes; else a
// failure of `take`, as it is. `warnings`, unless null, say what could not be decoded.
[[nodiscard]] absl::Status StreamAudio(
    const Input& input, std::optional<double> start_s, std::optional<double> length_s, bool pace,
    const std::function<absl::Status(const std::string& samples)>& take,
    std::vector<std::string>* warnings = nullptr);

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_INPUT_PCM_H_
