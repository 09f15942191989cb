#include "core/testing/fake_encoder.h"

#include <algorithm>
#include <cmath>

namespace antiphon::testing {
namespace {

constexpr int kParts = 6;   // of a window in time
constexpr int kRange = 20;  // levels (10 dB) below the frame's loudest that count
constexpr float kNothing = 1e-3f;

}  // namespace

features::FeatureSettings FakeSettings() {
  features::FeatureSettings settings;
  settings.min_frequency = 110;  // A2
  settings.bands_per_octave = 12;
  settings.bands = 48;
  settings.lowest_pitch = 45;
  settings.pitches = 48;
  return settings;
}

FakeEncoder::FakeEncoder(encoder::Modality modality) {
  info_.model_id = "fake-1";
  info_.modality = modality;
  info_.settings = FakeSettings();
  info_.channels = modality == encoder::Modality::kAudio ? 1 : 2;
  info_.bands = info_.settings.pitches;
  info_.dimension = kParts * info_.bands;
}

absl::StatusOr<std::vector<float>> FakeEncoder::Encode(std::span<const uint8_t> windows) const {
  if (!failure.ok()) return failure;
  const int frames = info_.settings.window_frames;
  const size_t frame_cells = info_.channels * info_.bands;
  if (windows.size() % (frames * frame_cells) != 0)
    return absl::InvalidArgumentError("not a whole number of windows");
  const size_t count = windows.size() / (frames * frame_cells);
  ++calls_;
  windows_ += static_cast<int64_t>(count);
  std::vector<float> embeddings(count * info_.dimension, kNothing);
  for (size_t w = 0; w < count; ++w) {
    float* row = embeddings.data() + w * info_.dimension;
    for (int frame = 0; frame < frames; ++frame) {
      const uint8_t* cells = windows.data() + (w * frames + frame) * frame_cells;
      const uint8_t* sounding = cells + (info_.channels - 1) * info_.bands;
      const bool audio = info_.modality == encoder::Modality::kAudio;
      const int floor =
          audio ? std::max(60, *std::max_element(sounding, sounding + info_.bands) - kRange) : 0;
      for (int band = 0; band < info_.bands; ++band) {
        // Neighbouring bands hear a tone too, but less.
        const float weight = audio ? static_cast<float>(sounding[band] - floor) / kRange : 1.0f;
        if (sounding[band] > floor)
          row[frame * kParts / frames * info_.bands + band] += weight * weight;
      }
    }
    float norm = 0;
    for (int i = 0; i < info_.dimension; ++i) norm += row[i] * row[i];
    for (int i = 0; i < info_.dimension; ++i) row[i] /= std::sqrt(norm);
  }
  return embeddings;
}

}  // namespace antiphon::testing
