// Sound as the follower hears it: a hundred times a second, how strong each semitone is and how
// sharply it has just risen. Causal: a frame is made of what lies before its end, of the most
// recent part above all (windows that rise slowly and fall fast). Internal to core/following.
#ifndef ANTIPHON_CORE_FOLLOWING_SEMITONE_ANALYZER_H_
#define ANTIPHON_CORE_FOLLOWING_SEMITONE_ANALYZER_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/features/real_fft.h"
#include "core/music/score.h"

namespace antiphon::following {

inline constexpr int kPitches = music::kHighestPianoPitch - music::kLowestPianoPitch + 1;
inline constexpr double kFrame_s = 0.01;  // from frame to frame

using Pitches = std::array<float, kPitches>;  // the lowest is kLowestPianoPitch

// The magnitudes of the semitones in the last moments of a sound: in windows long enough to tell
// pitches apart, and in short ones, for onsets. Belongs to one thread.
class SemitoneAnalyzer {
 public:
  // Hz, from 8,000 on.
  explicit SemitoneAnalyzer(int sample_rate);

  struct Magnitudes {
    Pitches steady{};  // of a sine of amplitude 1 about 1
    Pitches brief{};
  };

  // How many samples Analyze reads.
  int length() const { return static_cast<int>(long_.window.size()); }
  int sample_rate() const { return sample_rate_; }

  // Of the last length() samples.
  Magnitudes Analyze(std::span<const float> samples);

 private:
  // Which bins of a spectrum make a semitone, and with which weight of their power.
  struct Kernel {
    int first = 0;
    std::vector<float> weights;
  };
  struct Resolution {
    std::vector<float> window;
    std::unique_ptr<features::RealFft> fft;
    std::unique_ptr<features::RealFft::Buffers> buffers;
    std::vector<Kernel> kernels;
  };

  Resolution MakeResolution(double window_s) const;
  static void Measure(Resolution& resolution, std::span<const float> samples, Pitches& out);

  const int sample_rate_;
  Resolution short_, long_;
};

// One frame, made comparable: compressed, and freed of how loud the recording is.
struct SoundFrame {
  Pitches energies{};  // of unit length; of less where all is faint, 0 in silence
  Pitches onsets{};    // 0 to 1: how sharply each has risen
  float novelty = 0;   // their mean over the pitches that are heard to rise sharply
  float loudness = 0;  // 0 to 1: against the loudest of the last seconds
};

// From samples to frames. The i-th frame ends at (i + 1) * kFrame_s of the sound. Belongs to one
// thread.
class FrameStream {
 public:
  explicit FrameStream(int sample_rate);

  // Calls `sink` with each frame that is complete.
  void Push(std::span<const float> samples, const std::function<void(const SoundFrame&)>& sink);

  SemitoneAnalyzer& analyzer() { return analyzer_; }

 private:
  SoundFrame MakeFrame();

  SemitoneAnalyzer analyzer_;
  std::vector<float> recent_;  // the last length() samples, then those of the next frame
  int64_t frames_ = 0;
  int64_t received_ = 0;
  float loudest_;                // decaying
  float sharpest_ = 0;           // mean rise, decaying
  std::vector<Pitches> levels_;  // compressed, of the frames before, a ring
};

// Logarithmic compression of magnitudes against the loudest, 0 to 1.
float Compressed(float magnitude_over_loudest);

}  // namespace antiphon::following

#endif  // ANTIPHON_CORE_FOLLOWING_SEMITONE_ANALYZER_H_
