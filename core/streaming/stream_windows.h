// The last stretch of a stream of sound as windows and their embeddings, each computed once.
//
// Holds what the windows kept and those to come need, and no more: memory does not grow with the
// stream. Belongs to one thread; owns its front end. Times are seconds of the stream. Internal to
// core/streaming.
#ifndef ANTIPHON_CORE_STREAMING_STREAM_WINDOWS_H_
#define ANTIPHON_CORE_STREAMING_STREAM_WINDOWS_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/encoder/window_encoder.h"
#include "core/features/audio_front_end.h"
#include "core/matching/embedding_sequence.h"
#include "core/matching/stage_timer.h"

namespace antiphon::streaming {

class StreamWindows {
 public:
  // For the encoder that `info` describes; `start_s` is the time of the first sample to come.
  // Windows begin `hop_s` apart, rounded to frames. Fails as AudioFrontEnd::Create does, or with
  // InvalidArgument: hop_s.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<StreamWindows>> Create(
      const encoder::EncoderInfo& info, double hop_s, double start_s);

  // Features of the samples.
  void Push(std::span<const float> samples);

  // Embeds the windows that are complete and have not been embedded. Silent ones, with nothing
  // above -70 dB, are left out. Requires the encoder of Create. Fails as it does.
  [[nodiscard]] absl::Status Embed(const encoder::WindowEncoder& encoder,
                                   matching::StageTimer& timer);

  // After the last Push: embeds those too that reach beyond the end, by half at most.
  [[nodiscard]] absl::Status Finish(const encoder::WindowEncoder& encoder,
                                    matching::StageTimer& timer);

  // Windows whose middle lies before, of those kept and those to come, are gone for good.
  void ForgetBefore(double s);

  // Windows kept whose middle lies at `from_s` or later; their start_s are of the stream.
  matching::EmbeddingSequence From(double from_s) const;

  // Whether there is anything to compare in the sound of these windows, and at its end: see
  // IsAudible (core/features/audible.h).
  bool AudibleFrom(double from_s) const;

  bool empty() const { return windows_.empty(); }
  double start_s() const;  // of the first window kept; requires one
  double end_s()
      const;  // of the last window kept, which may be beyond the end of the sound; requires one
  size_t bytes() const;  // held

 private:
  struct Window {
    int64_t first_frame = 0;
    std::vector<float> embedding;
  };

  StreamWindows(const encoder::EncoderInfo& info,
                std::unique_ptr<const features::AudioFrontEnd> front_end, int64_t hop_frames,
                double start_s);

  double TimeOf(int64_t frame) const { return start_s_ + static_cast<double>(frame) * frame_s_; }
  double MiddleOf(int64_t first_frame) const {
    return TimeOf(first_frame) + info_.settings.window_s() / 2;
  }
  absl::Status EmbedUpTo(int64_t frames, const encoder::WindowEncoder& encoder,
                         matching::StageTimer& timer);
  bool IsSilent(int64_t first_frame) const;
  features::FeatureSequence Cut(int64_t begin, int64_t end) const;  // frames that are kept
  void DropFrames();

  const encoder::EncoderInfo info_;
  const std::unique_ptr<const features::AudioFrontEnd> front_end_;
  const double frame_s_;
  const int64_t hop_frames_;
  const double start_s_;
  features::SpectrogramStream spectrogram_;
  features::FeatureSequence frames_;  // from first_frame_ on
  int64_t first_frame_ = 0;
  int64_t next_window_ = 0;  // first frame of the next window to embed
  double from_s_ = 0;        // windows whose middle lies before are forgotten
  std::deque<Window> windows_;
};

}  // namespace antiphon::streaming

#endif  // ANTIPHON_CORE_STREAMING_STREAM_WINDOWS_H_
