// Packets of the sound in a file, through FFmpeg's demuxers. Internal to core/decoding.
//
// What FFmpeg may do with a stranger's bytes is decided here: the demuxer is the one that the
// format has, none is guessed; nothing is opened besides (no protocols, no files that a file
// names); other streams are skipped; reading is bounded (ByteCursor) and so is time (CpuBudget).
// FFmpeg prints nothing. One input serves one thread and borrows its source.
#ifndef ANTIPHON_CORE_DECODING_FFMPEG_INPUT_H_
#define ANTIPHON_CORE_DECODING_FFMPEG_INPUT_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/audio/byte_source.h"
#include "core/audio/sound_format.h"

struct AVFormatContext;
struct AVIOContext;
struct AVPacket;
struct AVStream;

namespace antiphon::audio {

// Time of the thread that decoding may take: some seconds, more for more bytes and for more sound,
// a hundred times what FFmpeg needs. Ordinary values; start it where the work starts.
class CpuBudget {
 public:
  explicit CpuBudget(int64_t bytes);
  void AddSound(double seconds) { allowed_s_ += seconds / 10; }
  bool exhausted() const;

 private:
  double began_s_ = 0;
  double allowed_s_ = 0;
};

class FfmpegInput {
 public:
  // InvalidArgument: damaged, or without sound. Borrows the budget.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<FfmpegInput>> Open(
      std::unique_ptr<ByteSource> source, SoundFormat format, const CpuBudget& budget);
  ~FfmpegInput();
  FfmpegInput(const FfmpegInput&) = delete;
  FfmpegInput& operator=(const FfmpegInput&) = delete;

  // The first stream of sound.
  AVStream& stream() const { return *stream_; }
  int other_tracks() const { return other_tracks_; }
  bool only_sound() const { return only_sound_; }  // of one track
  // Seconds that the file says the sound lasts; 0 where it does not, or where it means more than
  // the sound.
  double declared_s() const;
  // Bytes of the source from the first packet on.
  int64_t sound_bytes() const { return sound_bytes_; }

  // The next packet of the stream. kDamaged: some bytes were passed over; kEnd repeats itself.
  enum class Result { kPacket, kDamaged, kEnd };
  Result Read(AVPacket& packet);

 private:
  FfmpegInput(std::unique_ptr<ByteSource> source, const CpuBudget& budget);
  absl::Status OpenDemuxer(SoundFormat format);
  absl::Status ChooseStream(SoundFormat format);

  std::unique_ptr<ByteSource> source_;
  ByteCursor cursor_;
  const CpuBudget& budget_;
  AVIOContext* io_ = nullptr;
  AVFormatContext* context_ = nullptr;
  AVStream* stream_ = nullptr;
  int other_tracks_ = 0;
  bool only_sound_ = true;
  int64_t sound_bytes_ = 0;
  int64_t packets_left_ = 0;
  int failures_left_ = 0;
};

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_DECODING_FFMPEG_INPUT_H_
