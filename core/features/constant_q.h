// Constant-Q transform by sparse spectral kernels (Brown 1991; Brown & Puckette 1992).
//
// Band k, centred at f_k = min_frequency · 2^(k / bands_per_octave), is
//   X[k] = 2 / Σ_m w_k[m] · | Σ_m w_k[m] · x[m] · exp(-2πi · f_k · m / sample_rate) |,
// where m runs over N_k samples around the frame's centre, w_k is a Hann window of N_k = Q ·
// sample_rate / f_k samples and Q = 1 / (2^(1 / bands_per_octave) - 1). With 24 bands per octave
// the main lobe of every band ends where the next semitone lies, in the bass too.
//
// What the sparse kernels leave out makes a frame differ from this sum by less than 0.05 % of the
// spectrum's norm, and any band by less than 1.6e-4 of a full-scale sine, with 12 bands per octave
// or more (constant_q_test.cc).
//
// Internal to core/features: AudioFrontEnd::Create makes one.
#ifndef ANTIPHON_CORE_FEATURES_CONSTANT_Q_H_
#define ANTIPHON_CORE_FEATURES_CONSTANT_Q_H_

#include <complex>
#include <memory>
#include <vector>

#include "core/features/audio_front_end.h"
#include "core/features/real_fft.h"

namespace antiphon::features {

class ConstantQ : public AudioFrontEnd {
 public:
  // Requires valid settings; InvalidArgument when fft_length is shorter than the longest kernel.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<const AudioFrontEnd>> Create(
      const FeatureSettings& settings);

  int frame_length() const override { return frame_length_; }
  std::unique_ptr<Scratch> NewScratch() const override;
  void Transform(std::span<const float> samples, std::span<float> magnitudes,
                 Scratch& scratch) const override;
  double BandFrequency(int band) const override;

  // N_k and the window of band k in samples, as the definition above has it; for checks against the
  // direct sum. Sample m of the window lies at offset m - N_k / 2 from the frame's centre.
  static std::vector<double> BandWindow(const FeatureSettings& settings, int band);

 private:
  // The Fourier transform of one band's kernel, conjugated, where it is not negligible:
  // coefficients for spectrum bins first_bin, first_bin + 1, …
  struct Kernel {
    int first_bin = 0;
    std::vector<std::complex<float>> coefficients;
  };

  // Neighbouring bands whose windows fit the same length share a transform of the middle of the
  // frame. With one of the whole frame for all, the kernels of short windows would be thousands of
  // coefficients wide.
  struct Stage {
    std::unique_ptr<const RealFft> fft;
    std::vector<Kernel> kernels;  // of successive bands
  };

  struct StageScratch;

  ConstantQ(const FeatureSettings& settings, int frame_length);
  Kernel MakeKernel(int band, int fft_length) const;

  const int frame_length_;
  std::vector<Stage> stages_;  // lowest bands, and longest transforms, first
};

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_FEATURES_CONSTANT_Q_H_
