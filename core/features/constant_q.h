// Constant-Q transform (Brown 1991) at several sample rates (Schörkhuber & Klapuri 2010).
//
// Band k, centred at f_k = min_frequency · 2^(k / bands_per_octave), is
//   X[k] = 2 / Σ_m w_k[m] · | Σ_m w_k[m] · x[m] · exp(-2πi · f_k · m / sample_rate) |,
// where m runs over N_k samples around the frame's centre, w_k is a Hann window of N_k = Q ·
// sample_rate / f_k samples and Q = 1 / (2^(1 / bands_per_octave) - 1). With 24 bands per octave
// the main lobe of every band ends where the next semitone lies, in the bass too.
//
// The sound is brought to lower rates, once for all frames of a call, and neighbouring bands are
// summed at a rate that suits them (constant_q_plan.h), over a few hundred samples. What the
// filters let through makes a frame differ from the sum above by less than 0.01 % of the spectrum's
// norm, and any band by less than 5e-5 of a full-scale sine (constant_q_test.cc).
//
// Internal to core/features: AudioFrontEnd::Create makes one.
#ifndef ANTIPHON_CORE_FEATURES_CONSTANT_Q_H_
#define ANTIPHON_CORE_FEATURES_CONSTANT_Q_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/features/audio_front_end.h"
#include "core/features/constant_q_plan.h"
#include "core/features/decimator.h"
#include "core/features/vector_kernels.h"

namespace antiphon::features {

class ConstantQ : public AudioFrontEnd {
 public:
  // Requires valid settings; InvalidArgument when fft_length is shorter than the longest window.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<const AudioFrontEnd>> Create(
      const FeatureSettings& settings);

  int frame_length() const override { return frame_length_; }
  std::unique_ptr<Scratch> NewScratch() const override;
  void Transform(std::span<const float> samples, std::span<float> magnitudes,
                 Scratch& scratch) const override;
  double BandFrequency(int band) const override;

 private:
  // Bands that are summed together: each has two lanes of a row, real parts first.
  struct Group {
    int64_t first = 0;  // sample of the level that rows[0] belongs to, seen from the frame's centre
    std::vector<VectorKernels::Row> rows;
  };
  struct Buffers;

  ConstantQ(const FeatureSettings& settings, int frame_length);
  Group MakeGroup(int group) const;
  // Amplitude that decimation to a level leaves of a sine, `frequency` in Hz.
  double Response(size_t level, double frequency) const;
  // `centre` is the sample that the first of `frames` is centred on.
  void TransformTogether(const float* centre, int64_t frames, float* magnitudes,
                         Buffers& buffers) const;

  const int frame_length_;
  const VectorKernels& kernels_;
  const ConstantQPlan plan_;
  // Of each level, the sound itself left out: decimators_[i] makes plan_.levels[i + 1].
  std::vector<std::unique_ptr<const Decimator>> decimators_;
  std::vector<Group> groups_;
};

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_FEATURES_CONSTANT_Q_H_
