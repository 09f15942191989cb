// How sound and scores become what the encoders read. Stored inside every encoder file, so that a
// server cannot pair a model with other features. Plain values; nothing here is synchronised.
#ifndef ANTIPHON_CORE_FEATURES_SETTINGS_H_
#define ANTIPHON_CORE_FEATURES_SETTINGS_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/base/check_range.h"

namespace antiphon::features {

enum class FrontEndKind {
  kConstantQ,      // constant-Q transform (Brown & Puckette 1992)
  kLogFilterbank,  // logarithmic filterbank on a short-time spectrum (Dorfer et al. 2018)
};

struct FeatureSettings {
  static constexpr Range<int> kSampleRateRange = {8000, 96'000};
  int sample_rate = 22050;  // Hz, of all audio
  static constexpr Range<int> kHopLengthRange = {32, 96'000};
  int hop_length = 1050;  // samples between frames: 21 frames/s
  static constexpr Range<int> kWindowFramesRange = {4, 1024};
  int window_frames = 42;  // frames an encoder reads at once: 2 s

  FrontEndKind front_end = FrontEndKind::kConstantQ;
  static constexpr Range<double> kMinFrequencyRange = {10, 1000};
  // Hz, centre of the lowest constant-Q band: A0; lower end of the lowest filter
  double min_frequency = 27.5;
  static constexpr Range<int> kBandsPerOctaveRange = {6, 96};
  int bands_per_octave = 24;
  static constexpr Range<int> kBandsRange = {12, 1024};
  int bands = 176;  // A0 to a quarter tone above C8
  static constexpr Range<int> kFftLengthRange = {0, 1 << 18};
  int fft_length = 0;  // samples, a power of two; 0 chooses: the longest kernel for constant-Q,
                       // 2048 for the filterbank

  static constexpr Range<int> kPitchRange = {0, 127};  // MIDI note numbers
  int lowest_pitch = 21;                               // of the pianoroll's first row
  int pitches = 88;                                    // from there on, at least one

  double frame_rate() const { return static_cast<double>(sample_rate) / hop_length; }  // frames/s
  double window_s() const { return window_frames / frame_rate(); }                     // seconds

  // InvalidArgument, naming the field, when a value is out of range or the bands reach beyond half
  // the sample rate.
  [[nodiscard]] absl::Status Validate() const;

  friend bool operator==(const FeatureSettings&, const FeatureSettings&) = default;
};

// 92 bands from 30 Hz to 6 kHz, 16 per octave, FFT of 2048 at 22,050 Hz (Dorfer et al., TISMIR
// 2018), at this project's frame rate. In the bass, where 16 bands per octave are closer than FFT
// bins, bands fall together (log_filterbank.h).
FeatureSettings DorferSettings();

std::string SettingsToJson(const FeatureSettings& settings);

// Untrusted input; every field must be there. Validates.
[[nodiscard]] absl::StatusOr<FeatureSettings> ParseSettings(std::string_view json);

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_FEATURES_SETTINGS_H_
