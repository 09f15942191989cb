// From sound to a spectrogram with logarithmically spaced bands, one frame at a time.
//
// A front end is immutable once made and safe from any thread; a SpectrogramStream belongs to one
// thread and borrows its front end.
#ifndef ANTIPHON_CORE_FEATURES_AUDIO_FRONT_END_H_
#define ANTIPHON_CORE_FEATURES_AUDIO_FRONT_END_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/features/feature_sequence.h"
#include "core/features/settings.h"

namespace antiphon::features {

class AudioFrontEnd {
 public:
  // The front end the settings ask for. InvalidArgument as FeatureSettings::Validate.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<const AudioFrontEnd>> Create(
      const FeatureSettings& settings);
  virtual ~AudioFrontEnd() = default;

  const FeatureSettings& settings() const { return settings_; }

  // Samples one frame looks at, centred on the frame.
  virtual int frame_length() const = 0;

  // Band magnitudes of successive frames, settings().hop_length apart: `samples` is
  // [frame_length() + (frames - 1) · hop_length], `magnitudes` is [frames, settings().bands], at
  // least one frame. Linear in the samples up to the absolute value; a sine of amplitude 1 at a
  // band's centre gives that band 1 in the constant-Q transform. A frame has the same bits however
  // many are transformed at once, and many cost less each. `scratch` keeps buffers between calls of
  // one thread.
  struct Scratch {
    virtual ~Scratch() = default;
  };
  virtual std::unique_ptr<Scratch> NewScratch() const = 0;
  virtual void Transform(std::span<const float> samples, std::span<float> magnitudes,
                         Scratch& scratch) const = 0;

  // Centre frequency of a band, Hz.
  virtual double BandFrequency(int band) const = 0;

 protected:
  explicit AudioFrontEnd(const FeatureSettings& settings) : settings_(settings) {}

 private:
  const FeatureSettings settings_;
};

// Takes sound in chunks of any size and gives frames, as levels (levels.h), as soon as they are
// complete; the result does
// not depend on the chunks. Frame i is centred on sample i·hop_length; silence is assumed before
// and after. N samples give ceil(N / hop_length) frames.
class SpectrogramStream {
 public:
  explicit SpectrogramStream(const AudioFrontEnd& front_end);
  ~SpectrogramStream();

  // Appends the frames completed by `samples` to `out`.
  void Push(std::span<const float> samples, FeatureSequence& out);

  // Appends the frames that the end completes. Push must not follow.
  void Finish(FeatureSequence& out);

 private:
  // Appends the frames whose samples all lie in `sound`, which begins with sample number `start`,
  // and whose centre lies before the end of what has been received.
  void Emit(std::span<const float> sound, int64_t start, FeatureSequence& out);

  // Sample number that the next frame begins with; negative in the leading silence.
  int64_t next_begin() const;

  const AudioFrontEnd& front_end_;
  std::unique_ptr<AudioFrontEnd::Scratch> scratch_;
  std::vector<float> pending_;     // sound not yet behind every frame to come
  int64_t pending_start_ = 0;      // sample number of pending_[0]; negative in the leading silence
  std::vector<float> magnitudes_;  // of frames transformed together
  int64_t received_ = 0;           // samples pushed
  int64_t next_frame_ = 0;
};

// The whole of a recording: levels, channels = 1.
FeatureSequence ComputeSpectrogram(const AudioFrontEnd& front_end, std::span<const float> samples);

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_FEATURES_AUDIO_FRONT_END_H_
