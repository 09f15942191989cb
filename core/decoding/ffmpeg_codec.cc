#include "core/decoding/ffmpeg_codec.h"

#include <cstdint>
#include <cstring>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

#include "absl/strings/str_cat.h"

namespace antiphon::audio {
namespace {

constexpr int64_t kMaxSamplesPerFrame = 1 << 20;

// Every decoder that a stranger's bytes may reach.
constexpr struct {
  AVCodecID id;
  const char* decoder;
} kDecoders[] = {
    {AV_CODEC_ID_MP2, "mp2float"},
    {AV_CODEC_ID_MP3, "mp3float"},
    {AV_CODEC_ID_AAC, "aac"},
    {AV_CODEC_ID_ALAC, "alac"},
    {AV_CODEC_ID_FLAC, "flac"},
    {AV_CODEC_ID_VORBIS, "vorbis"},
    {AV_CODEC_ID_OPUS, "opus"},
    {AV_CODEC_ID_SPEEX, "speex"},
    {AV_CODEC_ID_WMAV1, "wmav1"},
    {AV_CODEC_ID_WMAV2, "wmav2"},
    {AV_CODEC_ID_WMAPRO, "wmapro"},
    {AV_CODEC_ID_AMR_NB, "amrnb"},
    {AV_CODEC_ID_AMR_WB, "amrwb"},
    {AV_CODEC_ID_ADPCM_IMA_QT, "adpcm_ima_qt"},
    {AV_CODEC_ID_ADPCM_IMA_WAV, "adpcm_ima_wav"},
    {AV_CODEC_ID_ADPCM_MS, "adpcm_ms"},
    {AV_CODEC_ID_PCM_ALAW, "pcm_alaw"},
    {AV_CODEC_ID_PCM_MULAW, "pcm_mulaw"},
    {AV_CODEC_ID_PCM_U8, "pcm_u8"},
    {AV_CODEC_ID_PCM_S8, "pcm_s8"},
    {AV_CODEC_ID_PCM_S16LE, "pcm_s16le"},
    {AV_CODEC_ID_PCM_S16BE, "pcm_s16be"},
    {AV_CODEC_ID_PCM_S24LE, "pcm_s24le"},
    {AV_CODEC_ID_PCM_S24BE, "pcm_s24be"},
    {AV_CODEC_ID_PCM_S32LE, "pcm_s32le"},
    {AV_CODEC_ID_PCM_S32BE, "pcm_s32be"},
    {AV_CODEC_ID_PCM_F32LE, "pcm_f32le"},
    {AV_CODEC_ID_PCM_F32BE, "pcm_f32be"},
    {AV_CODEC_ID_PCM_F64LE, "pcm_f64le"},
    {AV_CODEC_ID_PCM_F64BE, "pcm_f64be"},
};

const AVCodec* FindDecoder(AVCodecID id) {
  for (const auto& [known, decoder] : kDecoders) {
    if (known == id) return avcodec_find_decoder_by_name(decoder);
  }
  return nullptr;
}

template <typename Sample>
void Append(const AVFrame& frame, bool planar, float scale, float offset,
            std::vector<float>& samples) {
  const int channels = frame.ch_layout.nb_channels;
  const size_t begin = samples.size();
  samples.resize(begin + static_cast<size_t>(frame.nb_samples) * channels);
  float* out = samples.data() + begin;
  for (int channel = 0; channel < channels; ++channel) {
    const uint8_t* plane = planar ? frame.extended_data[channel] : frame.extended_data[0];
    const int stride = planar ? 1 : channels, first = planar ? 0 : channel;
    for (int i = 0; i < frame.nb_samples; ++i) {
      Sample sample;
      std::memcpy(&sample, plane + (static_cast<size_t>(i) * stride + first) * sizeof(Sample),
                  sizeof(Sample));
      out[static_cast<size_t>(i) * channels + channel] =
          static_cast<float>(sample) * scale + offset;
    }
  }
}

// False for a form that no decoder above gives.
bool AppendFrame(const AVFrame& frame, std::vector<float>& samples) {
  const auto form = static_cast<AVSampleFormat>(frame.format);
  const bool planar = av_sample_fmt_is_planar(form) != 0;
  switch (av_get_packed_sample_fmt(form)) {
    case AV_SAMPLE_FMT_U8:
      Append<uint8_t>(frame, planar, 1.0f / 128, -1, samples);
      return true;
    case AV_SAMPLE_FMT_S16:
      Append<int16_t>(frame, planar, 1.0f / 32768, 0, samples);
      return true;
    case AV_SAMPLE_FMT_S32:
      Append<int32_t>(frame, planar, 1.0f / 2147483648.0f, 0, samples);
      return true;
    case AV_SAMPLE_FMT_FLT:
      Append<float>(frame, planar, 1, 0, samples);
      return true;
    case AV_SAMPLE_FMT_DBL:
      Append<double>(frame, planar, 1, 0, samples);
      return true;
    default:
      return false;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<FfmpegCodec>> FfmpegCodec::Create(const AVStream& stream,
                                                                 bool trimmed) {
  const AVCodecParameters& parameters = *stream.codecpar;
  const char* name = avcodec_get_name(parameters.codec_id);
  const AVCodec* decoder = FindDecoder(parameters.codec_id);
  if (decoder == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("the sound is coded as '", name, "', which is not accepted"));
  }
  std::unique_ptr<FfmpegCodec> codec(new FfmpegCodec);
  codec->context_ = avcodec_alloc_context3(decoder);
  codec->frame_ = av_frame_alloc();
  if (codec->context_ == nullptr || codec->frame_ == nullptr)
    return absl::ResourceExhaustedError("no memory");
  AVCodecContext& context = *codec->context_;
  const bool taken = avcodec_parameters_to_context(&context, &parameters) >= 0;
  context.pkt_timebase = stream.time_base;
  context.thread_count = 1;
  if (!trimmed) context.flags2 |= AV_CODEC_FLAG2_SKIP_MANUAL;
  context.max_samples = kMaxSamplesPerFrame;
  // A FLAC frame whose checksum is wrong is noise.
  if (parameters.codec_id == AV_CODEC_ID_FLAC)
    context.err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
  if (!taken || avcodec_open2(&context, decoder, nullptr) < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the sound, coded as '", name, "', is damaged or of an unusual kind"));
  }
  return codec;
}

FfmpegCodec::~FfmpegCodec() {
  av_frame_free(&frame_);
  avcodec_free_context(&context_);
}

bool FfmpegCodec::Send(const AVPacket* packet) {
  return avcodec_send_packet(context_, packet) >= 0;
}

void FfmpegCodec::Flush() {
  avcodec_flush_buffers(context_);
  av_frame_unref(frame_);
  waiting_ = false;
}

FfmpegCodec::Result FfmpegCodec::Receive(std::vector<float>& samples, StreamFormat& format) {
  if (!waiting_) {
    const int result = avcodec_receive_frame(context_, frame_);
    if (result == AVERROR(EAGAIN)) return Result::kEmpty;
    if (result == AVERROR_EOF) return Result::kEnd;
    if (result < 0) return Result::kFailed;
    if (frame_->nb_samples <= 0 || frame_->sample_rate <= 0 || frame_->ch_layout.nb_channels <= 0)
      return Result::kFailed;
  }
  const StreamFormat now{frame_->ch_layout.nb_channels, frame_->sample_rate};
  waiting_ = !samples.empty() && !(now == format);
  if (waiting_) return Result::kFormatChanges;
  format = now;
  time_ = frame_->pts == AV_NOPTS_VALUE ? std::nullopt : std::optional<int64_t>(frame_->pts);
  const bool known = AppendFrame(*frame_, samples);
  av_frame_unref(frame_);
  return known ? Result::kSound : Result::kFailed;
}

}  // namespace antiphon::audio
