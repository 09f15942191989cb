// Spectrogram with triangular filters at logarithmic spacing on a short-time Fourier transform, as
// Dorfer et al. (TISMIR 2018) use it: 92 bands from 30 Hz to 6 kHz, 16 per octave, Hann window of
// 2048 samples.
//
// The filters are those of madmom (Böck et al. 2016), which that work computed its spectrograms
// with: frequencies at 440 Hz · 2^(k / bands_per_octave), from min_frequency on, are moved to their
// nearest FFT bins, and bins that several share count once. Each filter rises from one such bin to
// the next and falls to the one after, and is scaled to unit sum. So the bands of the bass are one
// FFT bin apart, and `bands` counts what is left: 122 frequencies between 30 Hz and 6 kHz leave 92
// bands.
//
// Internal to core/features: AudioFrontEnd::Create makes one.
#ifndef ANTIPHON_CORE_FEATURES_LOG_FILTERBANK_H_
#define ANTIPHON_CORE_FEATURES_LOG_FILTERBANK_H_

#include <memory>
#include <vector>

#include "core/features/audio_front_end.h"
#include "core/features/real_fft.h"

namespace antiphon::features {

class LogFilterbank : public AudioFrontEnd {
 public:
  // Requires valid settings; fft_length 0 stands for 2048. InvalidArgument when the bands reach
  // beyond half the sample rate.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<const AudioFrontEnd>> Create(
      const FeatureSettings& settings);

  int frame_length() const override { return fft_.length(); }
  std::unique_ptr<Scratch> NewScratch() const override;
  void Transform(std::span<const float> samples, std::span<float> magnitudes,
                 Scratch& scratch) const override;
  double BandFrequency(int band) const override;

 private:
  struct Filter {
    int first_bin = 0;
    std::vector<float> weights;
  };

  // `corners` are FFT bins, ascending, [bands + 2].
  LogFilterbank(const FeatureSettings& settings, int fft_length, std::vector<int> corners);
  Filter MakeFilter(int band) const;

  RealFft fft_;
  // Filter k reaches from corners_[k] to corners_[k + 2] and peaks between, at k + 1.
  std::vector<int> corners_;
  // Scaled so that a sine of amplitude 1 has magnitude 1 in its FFT bin.
  std::vector<float> window_;
  std::vector<Filter> filters_;
};

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_FEATURES_LOG_FILTERBANK_H_
