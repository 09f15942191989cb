#include <algorithm>

#include "core/base/status_macros.h"
#include "core/features/audio_front_end.h"
#include "core/features/constant_q.h"
#include "core/features/levels.h"
#include "core/features/log_filterbank.h"

namespace antiphon::features {

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

SpectrogramStream::SpectrogramStream(const AudioFrontEnd& front_end)
    : front_end_(front_end), scratch_(front_end.NewScratch()) {
  // Half a frame of silence in front centres frame 0 on the first sample.
  const int lead = front_end.frame_length() / 2;
  pending_.assign(lead, 0.0f);
  pending_start_ = -lead;
}

SpectrogramStream::~SpectrogramStream() = default;

int64_t SpectrogramStream::next_begin() const {
  return next_frame_ * front_end_.settings().hop_length - front_end_.frame_length() / 2;
}

// Frames that begin before `samples` are made from a copy, pending_, and the others where they lie.
// Which frames come out of one call depends on the chunks, but what each is made of does not, so
// that the result is the same for any division into chunks.
void SpectrogramStream::Push(std::span<const float> samples, FeatureSequence& out) {
  const int64_t start = received_;
  received_ += static_cast<int64_t>(samples.size());
  const size_t head = std::min<size_t>(samples.size(), front_end_.frame_length());
  pending_.insert(pending_.end(), samples.begin(), samples.begin() + static_cast<int64_t>(head));
  Emit(pending_, pending_start_, out);
  if (head == samples.size()) {
    // What the next frame does not look at is dropped. The clamp matters where the hop is longer
    // than what has been received so far.
    const int64_t drop = std::clamp<int64_t>(next_begin() - pending_start_, 0,
                                             static_cast<int64_t>(pending_.size()));
    pending_.erase(pending_.begin(), pending_.begin() + drop);
    pending_start_ += drop;
    return;
  }
  Emit(samples, start, out);
  pending_start_ = std::min(next_begin(), received_);
  pending_.assign(samples.begin() + (pending_start_ - start), samples.end());
}

void SpectrogramStream::Finish(FeatureSequence& out) {
  // Half a frame of silence is what the last frames need.
  pending_.resize(pending_.size() + front_end_.frame_length() / 2, 0.0f);
  Emit(pending_, pending_start_, out);
}

void SpectrogramStream::Emit(std::span<const float> sound, int64_t start, FeatureSequence& out) {
  // Few enough that what is held stays near a frame's length, and enough that it matters little
  // that frames of different calls share nothing.
  constexpr int64_t kTogether = 128;
  const FeatureSettings& settings = front_end_.settings();
  const int64_t hop = settings.hop_length, length = front_end_.frame_length();
  out.channels = 1;
  out.bands = settings.bands;
  out.frame_rate = settings.frame_rate();
  const int64_t end = start + static_cast<int64_t>(sound.size());
  for (;;) {
    const int64_t begin = next_begin();
    const int64_t complete = end - begin < length ? 0 : (end - begin - length) / hop + 1;
    const int64_t begun = (received_ + hop - 1) / hop - next_frame_;
    const int64_t frames = std::min({complete, begun, kTogether});
    if (frames <= 0) return;
    magnitudes_.resize(frames * settings.bands);
    front_end_.Transform(sound.subspan(begin - start, length + (frames - 1) * hop), magnitudes_,
                         *scratch_);
    out.cells.resize(out.cells.size() + magnitudes_.size());
    LevelsFromMagnitudes(magnitudes_, std::span(out.cells).last(magnitudes_.size()));
    next_frame_ += frames;
  }
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
