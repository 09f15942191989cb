// One stream's packets to float samples, through FFmpeg's decoders. Internal to core/decoding. A
// codec serves one thread.
#ifndef ANTIPHON_CORE_DECODING_FFMPEG_CODEC_H_
#define ANTIPHON_CORE_DECODING_FFMPEG_CODEC_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/audio_reader.h"

struct AVCodecContext;
struct AVFrame;
struct AVPacket;
struct AVStream;

namespace antiphon::audio {

class FfmpegCodec {
 public:
  // InvalidArgument, naming it, for a coding that is not on the list of those accepted, or one that
  // its decoder refuses. `trimmed`: without what the stream says to leave away at its beginning and
  // its end.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<FfmpegCodec>> Create(const AVStream& stream,
                                                                           bool trimmed);
  ~FfmpegCodec();
  FfmpegCodec(const FfmpegCodec&) = delete;
  FfmpegCodec& operator=(const FfmpegCodec&) = delete;

  // Hands over a packet, or null for the end. False where it cannot be decoded.
  bool Send(const AVPacket* packet);

  // Forgets what it was sent, to go on with a packet from elsewhere in the stream.
  void Flush();

  // Sound that is ready goes to the end of `samples`, interleaved, and `format` becomes its format,
  // if `samples` is empty or has that format already; one of another waits. kEmpty: a packet is
  // wanted.
  enum class Result { kSound, kEmpty, kFormatChanges, kFailed, kEnd };
  Result Receive(std::vector<float>& samples, StreamFormat& format);

  // When the sound of the last kSound begins, in units of the stream's time base; nothing where the
  // stream does not say.
  std::optional<int64_t> time() const { return time_; }

 private:
  FfmpegCodec() = default;
  AVCodecContext* context_ = nullptr;
  AVFrame* frame_ = nullptr;
  std::optional<int64_t> time_;
  bool waiting_ = false;  // the frame holds sound that has not been handed over
};

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_DECODING_FFMPEG_CODEC_H_
