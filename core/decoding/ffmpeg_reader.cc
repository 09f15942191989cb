#include "core/decoding/ffmpeg_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

extern "C" {
#include <libavcodec/packet.h>
#include <libavformat/avformat.h>
}

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/audio/mono_builder.h"
#include "core/base/status_macros.h"
#include "core/decoding/ffmpeg_codec.h"
#include "core/decoding/ffmpeg_input.h"
#include "core/decoding/ogg_links.h"

namespace antiphon::audio {
namespace {

constexpr size_t kBlockSamples = 1 << 17;
constexpr double kLeastGap_s = 0.5;
constexpr int64_t kNoEnd = std::numeric_limits<int64_t>::max();
constexpr int64_t kSearchBytes = 64 << 10;

// A stretch of a file that is a stream of its own.
struct Part {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t only_granule = 0;  // as in OggLink
  int64_t stray_bytes = 0;   // likewise
};

// Behind the tags (ID3v2) at the beginning.
int64_t BehindTags(ByteSource& source) {
  int64_t begin = 0;
  for (int tags = 0; tags < 16 && begin < source.size(); ++tags) {
    const int64_t bytes = LeadingTagBytes(source.Bytes(begin, 10));
    if (bytes == 0) break;
    begin += bytes;
  }
  return std::min(begin, source.size());
}

// Before the tags (ID3v1, APE) at the end.
int64_t BeforeTags(ByteSource& source, int64_t begin) {
  int64_t end = source.size();
  if (end - 128 >= begin && source.Bytes(end - 128, 3) == "TAG") end -= 128;
  const std::string footer = source.Bytes(std::max(begin, end - 32), 32);
  if (footer.size() != 32 || !footer.starts_with("APETAGEX")) return end;
  int64_t size = 0;
  for (size_t i = 15; i >= 12; --i) size = size << 8 | static_cast<unsigned char>(footer[i]);
  const bool header = (static_cast<unsigned char>(footer[23]) & 0x80) != 0;
  size += header ? 32 : 0;
  return size >= 32 && size <= end - begin ? end - size : end;
}

// Where the sound of an MP3 begins: files begin with zeros, or in the middle of a frame, where they
// were cut. The end where there is none.
int64_t FirstMpegFrame(ByteSource& source, int64_t begin, int* sample_rate) {
  constexpr int64_t kOverlap = 8 << 10;  // more than three frames
  for (int64_t at = begin; at < source.size(); at += kSearchBytes - kOverlap) {
    const size_t found = FindMpegFrames(source.Bytes(at, kSearchBytes), sample_rate);
    if (found != std::string::npos) return at + static_cast<int64_t>(found);
  }
  return source.size();
}

int64_t TrailingZeros(ByteSource& source) {
  int64_t end = source.size();
  while (end > 0) {
    const int64_t begin = std::max<int64_t>(0, end - kSearchBytes);
    const std::string bytes = source.Bytes(begin, end - begin);
    const size_t last = bytes.find_last_not_of('\0');
    if (last != std::string::npos) return source.size() - begin - static_cast<int64_t>(last) - 1;
    end = begin;
  }
  return source.size();
}

class FfmpegReader : public AudioReader {
 public:
  FfmpegReader(ByteSource& source, SoundFormat format, const DecodeOptions& options)
      : source_(source), file_format_(format), options_(options), budget_(source.size()) {}
  ~FfmpegReader() override { av_packet_free(&packet_); }

  absl::Status Open();

  StreamFormat format() const override { return format_; }
  std::optional<Length> length() const override;
  absl::StatusOr<int64_t> SkipTowards(int64_t frame) override;
  absl::StatusOr<Block> Next() override;
  DecodeReport report() const override;

 private:
  absl::Status OpenFirstPart();
  absl::Status FindParts();
  absl::Status OpenPart(const Part& part);
  // False where there is no further part.
  bool NextPart();
  absl::Status Fill();
  double FramesAt(int64_t time) const;
  bool SkipPackets(int64_t target);
  void Feed();
  void OnSound(size_t samples);
  void OnDamage(double seconds);
  void NoteTime(double seconds);
  void ClosePart();
  int64_t LostBytes() const;

  ByteSource& source_;
  const SoundFormat file_format_;
  const DecodeOptions options_;
  CpuBudget budget_;
  AVPacket* packet_ = nullptr;
  std::vector<Part> parts_;
  size_t next_part_ = 0;
  int mpeg_rate_ = 0;

  std::unique_ptr<FfmpegInput> input_;
  std::unique_ptr<FfmpegCodec> codec_;  // null where the part cannot be decoded
  bool draining_ = false;
  std::vector<float> samples_;  // decoded, not handed over
  StreamFormat format_;
  std::optional<int64_t> begin_time_;  // of `samples_`, as FfmpegCodec::time
  std::optional<int64_t> origin_;      // of the first sound of all
  bool first_is_ready_ = false;        // `samples_` was filled by Open

  // Of the part that is open.
  int64_t part_frames_left_ = kNoEnd;  // where we know better than FFmpeg
  double part_s_ = 0, failed_s_ = 0;
  double packets_end_s_ = 0;  // by their own times
  double gaps_s_ = 0;         // between them
  int64_t packets_ = 0;
  int64_t stray_bytes_ = 0;
  int64_t heard_bytes_ = 0;    // of packets that gave sound
  int64_t pending_bytes_ = 0;  // of packets that have not yet
  // Of the file.
  DecodeReport report_;
  bool damaged_ = false;  // and nothing decoded since
};

absl::Status FfmpegReader::Open() {
  packet_ = av_packet_alloc();
  if (packet_ == nullptr) return absl::ResourceExhaustedError("no memory");
  RETURN_IF_ERROR(FindParts());
  return OpenFirstPart();
}

absl::Status FfmpegReader::OpenFirstPart() {
  next_part_ = 1;
  report_ = {};
  damaged_ = false;
  samples_.clear();
  RETURN_IF_ERROR(OpenPart(parts_[0]));
  // The format is that of the first frames: headers tell half the truth of some codings.
  RETURN_IF_ERROR(Fill());
  first_is_ready_ = true;
  origin_ = begin_time_;
  if (samples_.empty()) return absl::InvalidArgumentError("the audio has no samples");
  return absl::OkStatus();
}

absl::Status FfmpegReader::FindParts() {
  const int64_t size = source_.size();
  parts_ = {{0, size}};
  if (file_format_ == SoundFormat::kOgg) {
    const std::vector<OggLink> links = FindOggLinks(source_);
    parts_.clear();
    for (size_t i = 0; i < links.size(); ++i) {
      const int64_t end = i + 1 < links.size() ? links[i + 1].begin : size;
      parts_.push_back({links[i].begin, end, links[i].only_granule, links[i].stray_bytes});
    }
  } else if (file_format_ == SoundFormat::kFlac) {
    parts_[0].begin = BehindTags(source_);
  } else if (file_format_ == SoundFormat::kMp3 || file_format_ == SoundFormat::kAac) {
    int64_t begin = BehindTags(source_);
    if (file_format_ == SoundFormat::kMp3) begin = FirstMpegFrame(source_, begin, &mpeg_rate_);
    if (begin >= size) {
      return absl::InvalidArgumentError(
          absl::StrCat("damaged or unsupported ", NameOf(file_format_), " audio"));
    }
    parts_[0] = {begin, BeforeTags(source_, begin)};
  }
  return absl::OkStatus();
}

absl::Status FfmpegReader::OpenPart(const Part& part) {
  codec_.reset();
  input_.reset();
  part_s_ = failed_s_ = packets_end_s_ = gaps_s_ = 0;
  packets_ = 0;
  stray_bytes_ = part.stray_bytes;
  heard_bytes_ = pending_bytes_ = 0;
  draining_ = false;
  ASSIGN_OR_RETURN(
      input_, FfmpegInput::Open(std::make_unique<SplicedBytes>("", source_, part.begin, part.end),
                                file_format_, budget_));
  AVCodecParameters& parameters = *input_->stream().codecpar;
  if (parameters.sample_rate == 0) parameters.sample_rate = mpeg_rate_;
  if (parameters.sample_rate > 0 && parameters.ch_layout.nb_channels > 0) {
    const double declared = input_->declared_s() * parameters.sample_rate;
    RETURN_IF_ERROR(CheckLimits(parameters.ch_layout.nb_channels, parameters.sample_rate,
                                std::llround(std::min(declared, 4e18)), options_));
  }
  const bool vorbis = parameters.codec_id == AV_CODEC_ID_VORBIS;
  // FFmpeg takes the end of such a stream for one that lies a block later or earlier.
  part_frames_left_ = vorbis && part.only_granule > 0 ? part.only_granule : kNoEnd;
  ASSIGN_OR_RETURN(codec_, FfmpegCodec::Create(input_->stream(), part_frames_left_ == kNoEnd));
  report_.other_tracks = std::max(report_.other_tracks, input_->other_tracks());
  return absl::OkStatus();
}

bool FfmpegReader::NextPart() {
  while (next_part_ < parts_.size() && !budget_.exhausted()) {
    if (OpenPart(parts_[next_part_++]).ok()) return true;
    OnDamage(0);
  }
  return false;
}

std::optional<AudioReader::Length> FfmpegReader::length() const {
  const double declared = input_ == nullptr ? 0 : input_->declared_s() * format_.sample_rate;
  if (!(declared >= 1)) return std::nullopt;
  return Length{std::llround(std::min(declared, 4e18)), false};
}

// Decodes until there is something to hand over, or nothing more.
absl::Status FfmpegReader::Fill() {
  while (samples_.size() < kBlockSamples && codec_ != nullptr) {
    if (budget_.exhausted())
      return absl::ResourceExhaustedError("decoding the audio takes far too long");
    const size_t before = samples_.size();
    switch (codec_->Receive(samples_, format_)) {
      case FfmpegCodec::Result::kSound:
        OnSound(samples_.size() - before);
        break;
      case FfmpegCodec::Result::kFormatChanges:
        return absl::OkStatus();
      case FfmpegCodec::Result::kFailed:
        OnDamage(0);
        break;
      case FfmpegCodec::Result::kEmpty:
        if (!draining_) {
          Feed();
          break;
        }
        [[fallthrough]];
      case FfmpegCodec::Result::kEnd:
        ClosePart();
        if (!NextPart()) codec_.reset();
        break;
    }
  }
  return absl::OkStatus();
}

void FfmpegReader::Feed() {
  switch (input_->Read(*packet_)) {
    case FfmpegInput::Result::kPacket: {
      // An empty packet would mean the end.
      if (packet_->size <= 0) break;
      pending_bytes_ += packet_->size;
      ++packets_;
      const double unit_s = av_q2d(input_->stream().time_base);
      const double seconds = static_cast<double>(packet_->duration) * unit_s;
      if (packet_->pts != AV_NOPTS_VALUE) NoteTime(static_cast<double>(packet_->pts) * unit_s);
      packets_end_s_ += seconds;
      if (!codec_->Send(packet_)) OnDamage(seconds);
      break;
    }
    case FfmpegInput::Result::kDamaged:
      OnDamage(0);
      break;
    case FfmpegInput::Result::kEnd:
      draining_ = true;
      codec_->Send(nullptr);
      break;
  }
  av_packet_unref(packet_);
}

// A time of the stream in frames since the first.
double FfmpegReader::FramesAt(int64_t time) const {
  return static_cast<double>(time - *origin_) * av_q2d(input_->stream().time_base) *
         format_.sample_rate;
}

// Drops packets up to the one that holds the frame `target` and decodes from there on. False where
// something is in the way; the reader is then anywhere.
bool FfmpegReader::SkipPackets(int64_t target) {
  codec_->Flush();
  samples_.clear();
  for (bool found = false; !found;) {
    if (input_->Read(*packet_) != FfmpegInput::Result::kPacket || packet_->pts == AV_NOPTS_VALUE)
      return false;
    found = FramesAt(packet_->pts + packet_->duration) >= static_cast<double>(target);
    heard_bytes_ += packet_->size;
    ++packets_;
    packets_end_s_ =
        static_cast<double>(packet_->pts + packet_->duration) * av_q2d(input_->stream().time_base);
    if (found && packet_->size > 0) static_cast<void>(codec_->Send(packet_));
    av_packet_unref(packet_);
  }
  return Fill().ok() && !samples_.empty() && begin_time_;
}

// Without decoding, in the kinds of files whose packets say exactly when they sound. What is
// decoded first lacks what came before, so that a second of it is for the caller to drop.
absl::StatusOr<int64_t> FfmpegReader::SkipTowards(int64_t frame) {
  const AVRational unit = input_->stream().time_base;
  const bool exact = unit.num > 0 && format_.sample_rate > 0 &&
                     unit.den % (int64_t{unit.num} * format_.sample_rate) == 0;
  const bool simple = file_format_ == SoundFormat::kFlac || file_format_ == SoundFormat::kMp3 ||
                      file_format_ == SoundFormat::kMp4;
  const int64_t target = frame - format_.sample_rate;
  if (!exact || !simple || !origin_ || codec_ == nullptr ||
      target < static_cast<int64_t>(samples_.size()) / format_.channels) {
    return 0;
  }
  const DecodeReport before = report_;
  const StreamFormat format = format_;
  if (SkipPackets(target) && format == format_) {
    const auto reached = std::llround(FramesAt(*begin_time_));
    if (reached > 0 && reached <= frame) {
      // The first packets may have lacked something.
      report_ = before;
      failed_s_ = 0;
      part_s_ += static_cast<double>(reached) / format_.sample_rate;
      return reached;
    }
  }
  RETURN_IF_ERROR(OpenFirstPart());
  return 0;
}

void FfmpegReader::OnSound(size_t samples) {
  if (samples == samples_.size()) begin_time_ = codec_->time();
  auto frames = static_cast<int64_t>(samples) / format_.channels;
  if (frames > part_frames_left_) {
    samples_.resize(samples_.size() - (frames - part_frames_left_) * format_.channels);
    frames = part_frames_left_;
  }
  if (part_frames_left_ != kNoEnd) part_frames_left_ -= frames;
  const double seconds = static_cast<double>(frames) / format_.sample_rate;
  part_s_ += seconds;
  report_.decoded_s += seconds;
  budget_.AddSound(seconds);
  heard_bytes_ += pending_bytes_;
  pending_bytes_ = 0;
  damaged_ = false;
}

void FfmpegReader::OnDamage(double seconds) {
  pending_bytes_ = 0;
  failed_s_ += std::clamp(seconds, 0.0, 10.0);
  if (damaged_) return;
  damaged_ = true;
  if (report_.damaged_places++ == 0) report_.first_damage_s = report_.decoded_s;
}

// The time of a packet, by which stretches that are not there show where nothing else tells.
// Encoders leave out some tenths of a second where it is quiet.
void FfmpegReader::NoteTime(double seconds) {
  const double gap_s = seconds - packets_end_s_;
  if (packets_ > 1 && gap_s > kLeastGap_s) {
    gaps_s_ += gap_s;
    OnDamage(0);
  }
  packets_end_s_ = seconds;
}

// Bytes that should have been sound and were not, as far as the kind of file lets one say.
int64_t FfmpegReader::LostBytes() const {
  constexpr int64_t kBytesPerBlock = 24;  // of a Matroska file, besides the sound
  switch (file_format_) {
    case SoundFormat::kMp3:
    case SoundFormat::kAac:
    case SoundFormat::kAmr:
      return input_->sound_bytes() - heard_bytes_ - TrailingZeros(source_);
    case SoundFormat::kMatroska:
      return input_->only_sound() && input_->declared_s() == 0
                 ? input_->sound_bytes() - heard_bytes_ - packets_ * kBytesPerBlock
                 : 0;
    case SoundFormat::kOgg:
      return stray_bytes_;
    default:
      return 0;
  }
}

// What the part lacks: by the length that it declares, else by the times of its packets; or by its
// bytes, where they say more.
void FfmpegReader::ClosePart() {
  const double declared_s = input_->declared_s();
  double missing_s =
      declared_s > 0 ? std::max(0.0, declared_s - part_s_) : std::max(failed_s_, gaps_s_);
  if (heard_bytes_ > 0) {
    missing_s = std::max(
        missing_s, static_cast<double>(LostBytes()) * part_s_ / static_cast<double>(heard_bytes_));
  }
  report_.missing_s += missing_s;
  failed_s_ = 0;
}

absl::StatusOr<AudioReader::Block> FfmpegReader::Next() {
  if (!first_is_ready_) {
    samples_.clear();
    RETURN_IF_ERROR(Fill());
  }
  first_is_ready_ = false;
  return Block{samples_, format_};
}

DecodeReport FfmpegReader::report() const {
  DecodeReport report = report_;
  report.missing_s += failed_s_;
  return report;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AudioReader>> OpenFfmpeg(ByteSource& source, SoundFormat format,
                                                        const DecodeOptions& options) {
  auto reader = std::make_unique<FfmpegReader>(source, format, options);
  RETURN_IF_ERROR(reader->Open());
  return reader;
}

}  // namespace antiphon::audio
