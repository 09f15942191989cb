// One way for all libraries to hand over a decoded stream. Internal to core/audio and
// core/decoding.
//
// A reader serves one thread, from the beginning of the stream to its end, and borrows the source
// that it was opened with. Sound is interleaved, full scale ±1, as the file has it: samples that
// are NaN or absurd are for the caller to refuse.
#ifndef ANTIPHON_CORE_AUDIO_AUDIO_READER_H_
#define ANTIPHON_CORE_AUDIO_AUDIO_READER_H_

#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/statusor.h"
#include "core/audio/decode_report.h"

namespace antiphon::audio {

struct StreamFormat {
  int channels = 0;
  int sample_rate = 0;  // Hz

  bool operator==(const StreamFormat&) const = default;
};

class AudioReader {
 public:
  virtual ~AudioReader() = default;

  // Of the first frames.
  virtual StreamFormat format() const = 0;

  // Frames that the file says it has. `exact`: there are no more than that, and a reader stops
  // there.
  struct Length {
    int64_t frames = 0;
    bool exact = false;
  };
  virtual std::optional<Length> length() const = 0;

  // Moves towards a frame of the stream, from the beginning, and returns the one that is read next:
  // `frame` or one before it. Called once at most, first.
  virtual absl::StatusOr<int64_t> SkipTowards(int64_t frame) = 0;

  // The next frames, valid until the next call; none at the end. The format may change from one
  // call to the next, where streams are chained.
  struct Block {
    std::span<const float> samples;
    StreamFormat format;
  };
  virtual absl::StatusOr<Block> Next() = 0;

  // About what was read so far; `decoded_s` is left to the caller. The end is known when Next() has
  // given nothing.
  virtual DecodeReport report() const = 0;
};

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_AUDIO_AUDIO_READER_H_
