#include "client/input/pcm.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <thread>
#include <vector>

#include "client/input/sound.h"
#include "core/audio/plain_decoder.h"
#include "core/base/status_macros.h"

namespace antiphon::client {
namespace {

static_assert(std::endian::native == std::endian::little,
              "PCM on the wire is little-endian and copied as it is");

constexpr double kMostSeconds = 1e9;  // of an input: streams have no limit
constexpr size_t kPacedSamples = kStreamRate / 50;

}  // namespace

std::string ToInt16(std::span<const float> samples) {
  std::vector<int16_t> integers;
  integers.reserve(samples.size());
  for (const float sample : samples) {
    integers.push_back(static_cast<int16_t>(std::lround(std::clamp(sample, -1.0f, 1.0f) * 32767)));
  }
  return std::string(reinterpret_cast<const char*>(integers.data()),
                     integers.size() * sizeof(int16_t));
}

absl::Status StreamAudio(const Input& input, std::optional<double> start_s,
                         std::optional<double> length_s, bool pace,
                         const std::function<absl::Status(const std::string& samples)>& take,
                         std::vector<std::string>* warnings) {
  audio::DecodeOptions decode;
  decode.sample_rate = kStreamRate;
  decode.max_duration_s = kMostSeconds;
  decode.start_s = start_s.value_or(0);
  decode.length_s = length_s.value_or(0);
  const auto began = std::chrono::steady_clock::now();
  int64_t sent = 0;
  const auto send_paced = [&](std::span<const float> piece) -> absl::Status {
    for (; !piece.empty(); piece = piece.subspan(std::min(kPacedSamples, piece.size()))) {
      const auto part = piece.first(std::min(kPacedSamples, piece.size()));
      // A converter hands samples over when they have been played.
      sent += static_cast<int64_t>(part.size());
      std::this_thread::sleep_until(
          began + std::chrono::duration<double>(static_cast<double>(sent) / kStreamRate));
      RETURN_IF_ERROR(take(ToInt16(part)));
    }
    return absl::OkStatus();
  };
  audio::DecodeReport report;
  absl::Status taken;  // to tell its failures from those of the decoder
  const auto send = [&](std::span<const float> piece) {
    return taken = pace ? send_paced(piece) : take(ToInt16(piece));
  };
  const absl::Status status =
      input.path.empty() ? audio::plain::DecodeMemoryInPieces(input.bytes, decode, send, &report)
                         : audio::plain::DecodeFileInPieces(input.path, decode, send, &report);
  RETURN_IF_ERROR(taken);
  if (warnings != nullptr) *warnings = WarningsOf(report);
  return MapError(status, [&](const absl::Status& failure) { return NotDecoded(input, failure); });
}

}  // namespace antiphon::client
