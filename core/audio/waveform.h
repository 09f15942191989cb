// Mono sound in memory. A plain value; nothing here is synchronised.
#ifndef ANTIPHON_CORE_AUDIO_WAVEFORM_H_
#define ANTIPHON_CORE_AUDIO_WAVEFORM_H_

#include <vector>

namespace antiphon::audio {

struct Waveform {
  std::vector<float> samples;  // finite; full scale is ±1 (louder is allowed)
  int sample_rate = 22050;     // Hz

  double duration_s() const { return static_cast<double>(samples.size()) / sample_rate; }
};

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_AUDIO_WAVEFORM_H_
