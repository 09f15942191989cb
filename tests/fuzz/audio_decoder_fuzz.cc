// Sound files and raw samples: any bytes give a waveform within the limits, or a reason.
#include <fuzzer/FuzzedDataProvider.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "core/audio/from_pcm.h"
#include "core/decoding/decoder.h"
#include "tests/fuzz/fuzz.h"

using antiphon::fuzz::Require;

// libsndfile (1.2.0) loses a few kilobytes when an Ogg stream breaks off among its headers. It is
// the library's own.
extern "C" const char* __lsan_default_suppressions() { return "leak:vorbis_info_init\n"; }

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace audio = antiphon::audio;
  // Taken from the end, so that a sound file is an input as it is.
  FuzzedDataProvider input(data, size);
  audio::DecodeOptions options;
  options.sample_rate = 8000;
  options.max_duration_s = 20;
  const int form = input.ConsumeIntegralInRange(0, 15);
  if (form == 1) options.start_s = input.ConsumeFloatingPoint<double>();
  if (form == 2) options.length_s = input.ConsumeFloatingPoint<double>();
  absl::StatusOr<audio::Waveform> decoded;
  if (form == 3) {
    const int channels = input.ConsumeIntegralInRange(-1, 10);
    const int rate = input.ConsumeIntegral<int>();
    const std::vector<uint8_t> bytes = input.ConsumeRemainingBytes<uint8_t>();
    std::vector<float> samples(bytes.size() / sizeof(float));
    if (!samples.empty()) std::memcpy(samples.data(), bytes.data(), samples.size() * sizeof(float));
    decoded = audio::FromPcm(samples, channels, rate, options);
  } else {
    decoded = audio::DecodeMemory(input.ConsumeRemainingBytesAsString(), options);
  }
  if (!decoded.ok()) {
    antiphon::fuzz::RequireRefusal(decoded.status(), {absl::StatusCode::kInvalidArgument,
                                                      absl::StatusCode::kResourceExhausted});
    return 0;
  }
  Require(!decoded->samples.empty(), "a waveform has samples");
  Require(decoded->duration_s() <= options.max_duration_s + 0.01,
          "a waveform is within the limit of duration");
  bool finite = true;
  for (const float sample : decoded->samples) finite &= std::isfinite(sample);
  Require(finite, "samples are finite");
  return 0;
}
