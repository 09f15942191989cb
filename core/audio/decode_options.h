// Which sound is accepted, and which part of it is wanted. A plain value.
#ifndef ANTIPHON_CORE_AUDIO_DECODE_OPTIONS_H_
#define ANTIPHON_CORE_AUDIO_DECODE_OPTIONS_H_

#include <functional>
#include <span>

#include "absl/status/status.h"
#include "core/base/check_range.h"

namespace antiphon::audio {

// What is accepted; exceeding one is ResourceExhausted and names it. Options out of their own range
// are InvalidArgument.
struct DecodeOptions {
  static constexpr Range<int> kSampleRateRange = {1000, 192'000};
  int sample_rate = 22050;        // Hz of the result
  double max_duration_s = 3600;   // seconds of the whole input, whatever part is decoded; > 0
  int max_channels = 8;           // >= 1
  int min_source_rate = 1000;     // Hz
  int max_source_rate = 384'000;  // Hz
  double start_s = 0;             // the part to decode: from here (seconds of the input, >= 0) …
  double length_s = 0;            // … for so long; 0 is to the end
};

// Takes the next piece of a waveform. A failure ends the work.
using SampleSink = std::function<absl::Status(std::span<const float>)>;

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_AUDIO_DECODE_OPTIONS_H_
