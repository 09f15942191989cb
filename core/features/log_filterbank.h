// Spectrogram with triangular filters at logarithmic spacing on a short-time Fourier transform, as Dorfer et al.
// (TISMIR 2018) use it: 92 bands from 30 Hz to 6 kHz, 16 per octave, Hann window of 2048 samples. Each filter reaches
// from its lower to its upper neighbour's centre and at least one FFT bin to either side, and is scaled to unit sum.
#ifndef ANTIPHON_CORE_FEATURES_LOG_FILTERBANK_H_
#define ANTIPHON_CORE_FEATURES_LOG_FILTERBANK_H_

#include <memory>
#include <vector>

#include "core/features/audio_front_end.h"
#include "core/features/real_fft.h"

namespace antiphon::features {

class LogFilterbank : public AudioFrontEnd {
 public:
  // Requires valid settings; fft_length 0 stands for 2048.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<const AudioFrontEnd>> Create(const FeatureSettings& settings);

  int frame_length() const override { return fft_.length(); }
  std::unique_ptr<Scratch> NewScratch() const override;
  void Transform(std::span<const float> samples, std::span<float> magnitudes, Scratch& scratch) const override;
  double BandFrequency(int band) const override;

 private:
  struct Filter {
    int first_bin = 0;
    std::vector<float> weights;
  };

  LogFilterbank(const FeatureSettings& settings, int fft_length);
  Filter MakeFilter(int band) const;

  RealFft fft_;
  std::vector<float> window_;  // scaled so that a sine of amplitude 1 has magnitude 1 in its FFT bin
  std::vector<Filter> filters_;
};

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_FEATURES_LOG_FILTERBANK_H_
