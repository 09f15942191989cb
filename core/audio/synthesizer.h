// Renders notes to sound with a soundfont (FluidSynth, in process).
//
// A Synthesizer holds one loaded soundfont and is used by one thread at a time; make one per
// thread. It owns everything it needs.
#ifndef ANTIPHON_CORE_AUDIO_SYNTHESIZER_H_
#define ANTIPHON_CORE_AUDIO_SYNTHESIZER_H_

#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"
#include "core/base/check_range.h"
#include "core/music/score.h"

namespace antiphon::audio {

// The longest rendering, seconds, tail included.
inline constexpr double kMaxRenderSeconds = 8 * 3600.0;

struct SynthesizerOptions {
  std::string soundfont;  // path of an .sf2 or .sf3
  static constexpr Range<int> kSampleRateRange = {8000, 96'000};
  int sample_rate = 22050;  // Hz
  bool reverb = false;      // FluidSynth's own
};

// How one rendering differs from what is written.
struct RenderOptions {
  static constexpr Range<int> kProgramRange = {0, 127};
  int program = 0;  // General MIDI program; 0 is the grand piano
  static constexpr Range<double> kGainRange = {0, 10};
  double gain = 0.5;  // FluidSynth's linear gain
  static constexpr Range<double> kTailRange = {0, kMaxRenderSeconds};
  double tail_s = 1.0;  // seconds rendered after the last note has ended
  static constexpr Range<double> kTuningRange = {-1200, 1200};
  double tuning_cents = 0;  // detuning of everything, cents; exact to about a cent
};

class Synthesizer {
 public:
  // Fails with NotFound or InvalidArgument when the soundfont cannot be read, naming it. Samples
  // are read when a program is first used, and shared by all synthesizers of the process.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Synthesizer>> Open(
      const SynthesizerOptions& options);
  ~Synthesizer();

  // Mono (mean of the stereo channels), from time 0 to the last sounding_offset_s plus the tail.
  // Every note sounds from onset_s to sounding_offset_s, both placed to the nearest block of 64
  // frames (1.5 ms off at most at 22,050 Hz). A key that several notes hold at once is struck again
  // by each and released with the last. The state is reset before, so that equal calls give equal
  // sound. The channel of a note is ignored.
  //
  // Fails with InvalidArgument (an option or a note out of range, a program that the soundfont
  // lacks) or ResourceExhausted (kMaxRenderSeconds).
  [[nodiscard]] absl::StatusOr<Waveform> Render(std::span<const music::Note> notes,
                                                const RenderOptions& options = {});

  // A score with its own instruments: as Render, each part with its program, one upon the other.
  // options.program is for the notes that no part has. Takes as long as the parts with different
  // programs do.
  [[nodiscard]] absl::StatusOr<Waveform> RenderScore(const music::Score& score,
                                                     const RenderOptions& options = {});

 private:
  struct Impl;
  explicit Synthesizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_AUDIO_SYNTHESIZER_H_
