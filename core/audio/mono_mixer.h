// Several channels as one. Internal to core/audio and core/decoding.
//
// The result is the mean of the channels, except where they cancel: where the mean has lost 20 dB
// against the loudest channel over the last half second or so, as in a recording with one channel
// wired the wrong way round, that channel is taken alone, until the mean is back within 14 dB. The
// change from one to the other is a cross-fade of one block. Nothing depends on what comes later,
// nor on how the sound is cut into pieces. One mixer serves one stream, from one thread.
#ifndef ANTIPHON_CORE_AUDIO_MONO_MIXER_H_
#define ANTIPHON_CORE_AUDIO_MONO_MIXER_H_

#include <cstddef>
#include <span>
#include <vector>

namespace antiphon::audio {

class MonoMixer {
 public:
  explicit MonoMixer(int channels);  // >= 1

  // Appends to `mono` what can be said by now. `interleaved` has whole frames.
  void Push(std::span<const float> interleaved, std::vector<float>& mono);

  // Appends the rest.
  void Finish(std::vector<float>& mono);

 private:
  static constexpr size_t kBlockFrames = 1024;
  static constexpr int kMean = -1;

  void Mix(std::span<const float> block, std::vector<float>& mono);
  int Choose(std::span<const float> block);

  int channels_;
  std::vector<float> pending_;  // less than a block
  // Energies of late, which fade as blocks go by.
  std::vector<double> channel_energy_;
  double mean_energy_ = 0;
  bool begun_ = false;
  int chosen_ = kMean;  // or a channel
};

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_AUDIO_MONO_MIXER_H_
