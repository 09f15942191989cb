#include "core/decoding/ffmpeg_input.h"

#include <ctime>
#include <string>
#include <utility>

extern "C" {
#include <libavformat/avformat.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
}

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace antiphon::audio {
namespace {

constexpr int kBufferBytes = 32 << 10;
constexpr unsigned kMaxStreams = 64;
// In one piece, by FFmpeg: an index of a day of sound is smaller.
constexpr size_t kMaxAllocation = size_t{256} << 20;
constexpr int kMaxFailures = 1000;  // of the demuxer, after which the rest is given up

const char* DemuxerName(SoundFormat format) {
  switch (format) {
    case SoundFormat::kWav:
      return "wav";
    case SoundFormat::kAiff:
      return "aiff";
    case SoundFormat::kCaf:
      return "caf";
    case SoundFormat::kW64:
      return "w64";
    case SoundFormat::kFlac:
      return "flac";
    case SoundFormat::kMp3:
      return "mp3";
    case SoundFormat::kAac:
      return "aac";
    case SoundFormat::kOgg:
      return "ogg";
    case SoundFormat::kMp4:
      return "mov";
    case SoundFormat::kMatroska:
      return "matroska";
    case SoundFormat::kAsf:
      return "asf";
    case SoundFormat::kAmr:
      return "amr";
    case SoundFormat::kUnknown:
    case SoundFormat::kAu:
      break;
  }
  return nullptr;
}

// Once for the process: FFmpeg is used nowhere else in it.
void Restrain() {
  static const bool done = [] {
    av_log_set_level(AV_LOG_QUIET);
    av_log_set_callback([](void*, int, const char*, va_list) {});
    av_max_alloc(kMaxAllocation);
    return true;
  }();
  static_cast<void>(done);
}

int ReadBytes(void* user, uint8_t* buffer, int count) {
  if (count <= 0) return 0;
  const size_t got = static_cast<ByteCursor*>(user)->Read(
      {reinterpret_cast<char*>(buffer), static_cast<size_t>(count)});
  return got > 0 ? static_cast<int>(got) : AVERROR_EOF;
}

int64_t SeekBytes(void* user, int64_t offset, int whence) {
  auto& cursor = *static_cast<ByteCursor*>(user);
  if (whence == AVSEEK_SIZE) return cursor.source().size();
  whence &= ~AVSEEK_FORCE;
  const int64_t base = whence == SEEK_SET   ? 0
                       : whence == SEEK_CUR ? cursor.position()
                                            : cursor.source().size();
  int64_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || !cursor.Seek(target)) return AVERROR(EINVAL);
  return target;
}

int IsOutOfTime(void* user) { return static_cast<const CpuBudget*>(user)->exhausted() ? 1 : 0; }

int OpenNothing(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EACCES);
}

double ThreadSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

CpuBudget::CpuBudget(int64_t bytes)
    : began_s_(ThreadSeconds()), allowed_s_(4 + 1e-6 * static_cast<double>(bytes)) {}

bool CpuBudget::exhausted() const { return ThreadSeconds() - began_s_ > allowed_s_; }

FfmpegInput::FfmpegInput(std::unique_ptr<ByteSource> source, const CpuBudget& budget)
    : source_(std::move(source)),
      cursor_(*source_),
      budget_(budget),
      packets_left_(10'000 + 2 * source_->size()),
      failures_left_(kMaxFailures) {}

FfmpegInput::~FfmpegInput() {
  avformat_close_input(&context_);
  if (io_ != nullptr) av_freep(&io_->buffer);
  avio_context_free(&io_);
}

absl::StatusOr<std::unique_ptr<FfmpegInput>> FfmpegInput::Open(std::unique_ptr<ByteSource> source,
                                                               SoundFormat format,
                                                               const CpuBudget& budget) {
  Restrain();
  std::unique_ptr<FfmpegInput> input(new FfmpegInput(std::move(source), budget));
  RETURN_IF_ERROR(input->OpenDemuxer(format));
  RETURN_IF_ERROR(input->ChooseStream(format));
  return input;
}

absl::Status FfmpegInput::OpenDemuxer(SoundFormat format) {
  const char* name = DemuxerName(format);
  const AVInputFormat* demuxer = name == nullptr ? nullptr : av_find_input_format(name);
  if (demuxer == nullptr)
    return absl::InvalidArgumentError(absl::StrCat(NameOf(format), " audio cannot be read here"));
  auto* buffer = static_cast<unsigned char*>(av_malloc(kBufferBytes));
  if (buffer != nullptr)
    io_ = avio_alloc_context(buffer, kBufferBytes, 0, &cursor_, ReadBytes, nullptr, SeekBytes);
  if (io_ == nullptr) av_free(buffer);
  context_ = avformat_alloc_context();
  if (io_ == nullptr || context_ == nullptr) return absl::ResourceExhaustedError("no memory");
  context_->pb = io_;
  context_->flags |= AVFMT_FLAG_CUSTOM_IO;
  context_->io_open = OpenNothing;
  context_->protocol_whitelist = av_strdup("none");
  context_->format_whitelist = av_strdup(demuxer->name);
  context_->max_streams = kMaxStreams;
  context_->interrupt_callback = {IsOutOfTime, const_cast<CpuBudget*>(&budget_)};
  AVDictionary* options = nullptr;
  if (format == SoundFormat::kMp4) av_dict_set(&options, "ignore_chapters", "1", 0);
  // On failure it frees the context.
  const int result = avformat_open_input(&context_, nullptr, demuxer, &options);
  av_dict_free(&options);
  if (result >= 0) return absl::OkStatus();
  if (budget_.exhausted() || cursor_.exhausted()) {
    return absl::InvalidArgumentError(
        absl::StrCat("damaged ", NameOf(format), " audio: its structure has no end"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("damaged or unsupported ", NameOf(format), " audio"));
}

absl::Status FfmpegInput::ChooseStream(SoundFormat format) {
  for (unsigned i = 0; i < context_->nb_streams; ++i) {
    AVStream* stream = context_->streams[i];
    const AVMediaType type = stream->codecpar->codec_type;
    only_sound_ = only_sound_ && type == AVMEDIA_TYPE_AUDIO && context_->nb_streams == 1;
    if (type == AVMEDIA_TYPE_AUDIO && stream_ == nullptr) {
      stream_ = stream;
      continue;
    }
    stream->discard = AVDISCARD_ALL;
    if (type == AVMEDIA_TYPE_AUDIO) ++other_tracks_;
  }
  if (stream_ == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no sound in this ", NameOf(format), " file"));
  }
  sound_bytes_ = std::max<int64_t>(0, source_->size() - avio_tell(io_));
  return absl::OkStatus();
}

double FfmpegInput::declared_s() const {
  if (stream_->duration > 0)
    return static_cast<double>(stream_->duration) * av_q2d(stream_->time_base);
  if (only_sound_ && context_->duration > 0)
    return static_cast<double>(context_->duration) / AV_TIME_BASE;
  return 0;
}

FfmpegInput::Result FfmpegInput::Read(AVPacket& packet) {
  while (packets_left_-- > 0 && failures_left_ > 0 && !budget_.exhausted()) {
    const int result = av_read_frame(context_, &packet);
    if (result == AVERROR_EOF || cursor_.exhausted()) break;
    if (result < 0) {
      --failures_left_;
      return Result::kDamaged;
    }
    if (packet.stream_index == stream_->index) return Result::kPacket;
    av_packet_unref(&packet);
  }
  av_packet_unref(&packet);
  packets_left_ = 0;
  return Result::kEnd;
}

}  // namespace antiphon::audio
