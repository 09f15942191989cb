// The spectrogram of a whole sound, and what it says of single pitches: how loud a note is where it
// begins, whether anything begins there at all, and where there is nothing but silence.
//
// A plain value, safe from any thread. Internal to core/transcription.
#ifndef ANTIPHON_CORE_TRANSCRIPTION_SOUND_LEVELS_H_
#define ANTIPHON_CORE_TRANSCRIPTION_SOUND_LEVELS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"
#include "core/features/feature_sequence.h"
#include "core/features/settings.h"
#include "core/matching/match.h"

namespace antiphon::transcription {

class SoundLevels {
 public:
  // About 4 kB for each second of sound. InvalidArgument for sound at another rate than that of the
  // settings.
  [[nodiscard]] static absl::StatusOr<SoundLevels> Of(const audio::Waveform& sound,
                                                      const features::FeatureSettings& settings);

  const features::FeatureSettings& settings() const { return settings_; }
  double duration_s() const { return duration_s_; }

  // Whole frames from the one at or before the start on; `start_s` becomes that frame's time.
  // Requires a stretch within the sound.
  features::FeatureSequence Cut(const matching::Span& stretch, double& start_s) const;

  // Parts of the stretch without any sound above -70 dB of full scale, each of `least_s` or more.
  std::vector<matching::Span> Silences(const matching::Span& stretch, double least_s) const;

  // Of a note that begins at a moment: levels of its band and its octave's, half decibels above
  // -100 dB. 0 for a pitch that has no band.
  struct Attack {
    double level = 0;  // the loudest within 0.15 s
    double rise = 0;   // by how much that is above the quietest just before
  };
  Attack AttackOf(int pitch, double onset_s) const;

 private:
  SoundLevels(features::FeatureSequence spectrogram, const features::FeatureSettings& settings,
              std::vector<int> bands, double duration_s);

  int LevelAt(int64_t frame, int pitch) const;
  int64_t FrameAt(double s) const;

  features::FeatureSequence spectrogram_;
  features::FeatureSettings settings_;
  std::vector<int> bands_;  // by pitch; -1: none
  double duration_s_ = 0;
};

}  // namespace antiphon::transcription

#endif  // ANTIPHON_CORE_TRANSCRIPTION_SOUND_LEVELS_H_
