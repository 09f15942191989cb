// Where the samples of a WAV file lie. Internal to core/audio and core/decoding.
//
// The list of chunks is walked here, and libsndfile is given a header made anew and the samples.
// Its own walk can be kept busy without end by a few bytes (in a LIST, a size of -8), and it takes
// sizes that a program left at 0 or -1, because it wrote to a pipe or was stopped, for the truth.
// Pure function; bytes are untrusted.
#ifndef ANTIPHON_CORE_AUDIO_WAV_LAYOUT_H_
#define ANTIPHON_CORE_AUDIO_WAV_LAYOUT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "core/audio/byte_source.h"

namespace antiphon::audio {

struct WavLayout {
  std::string header;      // everything before the samples, with true sizes
  int64_t data_begin = 0;  // of the samples in the file
  int64_t data_end = 0;
  int64_t missing_bytes = 0;     // that the file says it has beyond its end
  int64_t bytes_per_second = 0;  // as the file says; at least 1,000
  bool plain = false;  // a coding that libsndfile reads: PCM, float, A-law, µ-law, ADPCM, GSM
};

// InvalidArgument for what is no WAV file with a format and samples.
[[nodiscard]] absl::StatusOr<WavLayout> ReadWavLayout(ByteSource& source);

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_AUDIO_WAV_LAYOUT_H_
