// Tells silence from sound as it comes in: blocks of about 50 ms whose level stays below -70 dBFS
// (the level of a sine with that peak) are silent. Belongs to one thread. Internal to
// core/streaming.
#ifndef ANTIPHON_CORE_STREAMING_PAUSE_DETECTOR_H_
#define ANTIPHON_CORE_STREAMING_PAUSE_DETECTOR_H_

#include <cstdint>
#include <span>
#include <vector>

namespace antiphon::streaming {

class PauseDetector {
 public:
  // Silence of `pause_s` is a pause. Time 0 of the samples to come is `start_s`.
  PauseDetector(int sample_rate, double pause_s, double start_s);

  struct Change {
    bool paused = false;  // else sound again
    double at_s = 0;      // end of the block that tells: a pause has lasted for pause_s then
  };
  // What has changed within these samples, in order. Sound is assumed before the first.
  std::vector<Change> Push(std::span<const float> samples);

  bool paused() const { return paused_; }

 private:
  void EndBlock(std::vector<Change>& changes);

  const int sample_rate_;
  const double pause_s_;
  const double start_s_;
  const int64_t block_;  // samples
  int64_t received_ = 0;
  int64_t silent_ = 0;  // samples, in whole blocks
  double energy_ = 0;   // of the block under way
  bool paused_ = false;
};

}  // namespace antiphon::streaming

#endif  // ANTIPHON_CORE_STREAMING_PAUSE_DETECTOR_H_
