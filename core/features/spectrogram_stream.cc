#include <algorithm>
#include <cmath>

#include "core/base/status_macros.h"
#include "core/features/audio_front_end.h"
#include "core/features/constant_q.h"
#include "core/features/log_filterbank.h"

namespace antiphon::features {
namespace {

// 256 levels of half a decibel reach from -100 dB to 27.5 dB re. a full-scale sine; decoded sound
// may exceed full scale. Models are trained on these very bytes
// (docs/decisions/001-bytes-as-features.md), so neither number can change without a new model.
constexpr float kLowestDecibels = -100.0f;
constexpr float kStepsPerDecibel = 2.0f;

}  // namespace

absl::StatusOr<std::unique_ptr<const AudioFrontEnd>> AudioFrontEnd::Create(
    const FeatureSettings& settings) {
  RETURN_IF_ERROR(settings.Validate());
  switch (settings.front_end) {
    case FrontEndKind::kConstantQ:
      return ConstantQ::Create(settings);
    case FrontEndKind::kLogFilterbank:
      return LogFilterbank::Create(settings);
  }
  return absl::InvalidArgumentError("feature settings: unknown front end");
}

uint8_t LevelFromMagnitude(float magnitude) {
  if (!(magnitude > 1e-5f)) return 0;  // -100 dB; written so that NaN is silence too
  const float steps = (20.0f * std::log10(magnitude) - kLowestDecibels) * kStepsPerDecibel;
  // Clamped before it is rounded: infinity has no integer.
  return static_cast<uint8_t>(std::lround(std::clamp(steps, 0.0f, 255.0f)));
}

SpectrogramStream::SpectrogramStream(const AudioFrontEnd& front_end)
    : front_end_(front_end),
      scratch_(front_end.NewScratch()),
      magnitudes_(front_end.settings().bands) {
  // Half a frame of silence in front centres frame 0 on the first sample.
  const int lead = front_end.frame_length() / 2;
  pending_.assign(lead, 0.0f);
  pending_start_ = -lead;
}

SpectrogramStream::~SpectrogramStream() = default;

void SpectrogramStream::Push(std::span<const float> samples, FeatureSequence& out) {
  // Long input goes through in pieces, so that what is held stays near one frame's length.
  constexpr size_t kPiece = 1 << 16;
  for (size_t begin = 0; begin < samples.size(); begin += kPiece) {
    const auto piece = samples.subspan(begin, std::min(kPiece, samples.size() - begin));
    pending_.insert(pending_.end(), piece.begin(), piece.end());
    received_ += static_cast<int64_t>(piece.size());
    EmitUpTo(received_, out);
  }
}

void SpectrogramStream::Finish(FeatureSequence& out) {
  // Half a frame of silence is what the last frames need; a whole one is enough for any length.
  pending_.resize(pending_.size() + front_end_.frame_length(), 0.0f);
  EmitUpTo(received_ + front_end_.frame_length() / 2, out);
}

// Emits every frame whose samples all lie before sample number `available` and whose centre lies
// inside the sound. Which frames come out of one call depends on the chunks, but what each is made
// of does not: pending_ always holds the same samples around a centre. So the result is the same
// for any division into chunks.
void SpectrogramStream::EmitUpTo(int64_t available, FeatureSequence& out) {
  const FeatureSettings& settings = front_end_.settings();
  const int64_t length = front_end_.frame_length();
  out.channels = 1;
  out.bands = settings.bands;
  out.frame_rate = settings.frame_rate();
  for (;; ++next_frame_) {
    const int64_t centre = next_frame_ * settings.hop_length;
    const int64_t begin = centre - length / 2;
    if (centre >= received_ || begin + length > available) break;
    front_end_.Transform(std::span(pending_).subspan(begin - pending_start_, length), magnitudes_,
                         *scratch_);
    for (float magnitude : magnitudes_) out.cells.push_back(LevelFromMagnitude(magnitude));
  }
  // What the next frame does not look at is dropped. The clamp matters where the hop is longer than
  // what has been received so far.
  const int64_t needed_from = next_frame_ * settings.hop_length - length / 2;
  const int64_t drop =
      std::clamp<int64_t>(needed_from - pending_start_, 0, static_cast<int64_t>(pending_.size()));
  pending_.erase(pending_.begin(), pending_.begin() + drop);
  pending_start_ += drop;
}

FeatureSequence ComputeSpectrogram(const AudioFrontEnd& front_end, std::span<const float> samples) {
  FeatureSequence sequence;
  const FeatureSettings& settings = front_end.settings();
  sequence.cells.reserve((samples.size() / settings.hop_length + 1) * settings.bands);
  SpectrogramStream stream(front_end);
  stream.Push(samples, sequence);
  stream.Finish(sequence);
  return sequence;
}

}  // namespace antiphon::features
