#include "core/audio/sndfile_reader.h"

#include <sndfile.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/audio/wav_layout.h"
#include "core/base/status_macros.h"

namespace antiphon::audio {
namespace {

constexpr int64_t kBlockFrames = 65536;
constexpr double kPadding_s = 0.2;
constexpr int64_t kReadAhead = 32 << 10;  // bytes
constexpr int kMaxChannels = 1024;        // as libsndfile

// After a seek MP3 is silent until the bit reservoir is full again (at most 511 bytes, 10 frames of
// 1,152 at the lowest bit rate), and Opus needs 80 ms to converge: seeks go so many frames too far
// back.
constexpr int64_t kPreRollFrames = 16 * 1152;

struct SndfileDeleter {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using SndfilePtr = std::unique_ptr<SNDFILE, SndfileDeleter>;

// A cursor as libsndfile's virtual input. Every call has an answer, whatever offset a damaged
// header leads to.
ByteCursor& Of(void* user) { return *static_cast<ByteCursor*>(user); }

sf_count_t Length(void* user) { return Of(user).source().size(); }

sf_count_t Seek(sf_count_t offset, int whence, void* user) {
  const sf_count_t base = whence == SEEK_SET   ? 0
                          : whence == SEEK_CUR ? Of(user).position()
                                               : Of(user).source().size();
  sf_count_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || !Of(user).Seek(target)) return -1;
  return target;
}

sf_count_t Read(void* target, sf_count_t count, void* user) {
  if (count <= 0) return 0;
  return static_cast<sf_count_t>(
      Of(user).Read({static_cast<char*>(target), static_cast<size_t>(count)}));
}

sf_count_t Write(const void*, sf_count_t, void*) { return 0; }

sf_count_t Tell(void* user) { return Of(user).position(); }

class SndfileReader : public AudioReader {
 public:
  // Null where libsndfile does not take it.
  static std::unique_ptr<SndfileReader> Open(ByteSource& source) {
    auto reader = std::unique_ptr<SndfileReader>(new SndfileReader(source));
    return reader->Reopen() ? std::move(reader) : nullptr;
  }
  // A header of our own in front of the samples; `keeps` is what this reads.
  static std::unique_ptr<SndfileReader> Open(std::unique_ptr<ByteSource> keeps) {
    auto reader = Open(*keeps);
    if (reader != nullptr) reader->keeps_ = std::move(keeps);
    return reader;
  }

  void set_missing_s(double seconds) { missing_s_ = seconds; }
  void set_exact(bool exact) { exact_ = exact; }
  // Where we know better than libsndfile.
  void set_true_length_s(double seconds) { true_length_s_ = seconds; }

  StreamFormat format() const override { return {info_.channels, info_.samplerate}; }

  std::optional<AudioReader::Length> length() const override {
    if (info_.frames <= 0 || info_.frames == SF_COUNT_MAX) return std::nullopt;
    return AudioReader::Length{info_.frames, exact_};
  }

  absl::StatusOr<int64_t> SkipTowards(int64_t frame) override {
    const int64_t target = frame - kPreRollFrames;
    if (target <= 0 || !info_.seekable) return 0;
    seeked_ = true;
    if (sf_seek(file_.get(), target, SEEK_SET) == target) return target;
    seeked_ = false;
    // A failed seek leaves the decoder anywhere: from the start again.
    const int channels = info_.channels;
    if (!Reopen() || info_.channels != channels)
      return absl::InvalidArgumentError("the audio cannot be reread");
    return 0;
  }

  absl::StatusOr<Block> Next() override {
    buffer_.resize(static_cast<size_t>(kBlockFrames) * info_.channels);
    const sf_count_t got = sf_readf_float(file_.get(), buffer_.data(), kBlockFrames);
    const size_t frames = static_cast<size_t>(std::max<sf_count_t>(got, 0));
    ended_ = frames == 0;
    read_ += static_cast<int64_t>(frames);
    furthest_ = std::max(furthest_, cursor_->position());
    return Block{std::span<const float>(buffer_).first(frames * info_.channels), format()};
  }

  DecodeReport report() const override {
    DecodeReport report;
    report.missing_s = missing_s_;
    if (!ended_ || seeked_) return report;
    if (const auto says = length(); says && says->frames > read_)
      report.missing_s += static_cast<double>(says->frames - read_) / info_.samplerate;
    // Padding of the codec is no sound.
    const double lacks_s = true_length_s_ - static_cast<double>(read_) / info_.samplerate;
    if (lacks_s > kPadding_s) report.missing_s = std::max(report.missing_s, lacks_s);
    // Where libsndfile has stopped in the middle of the bytes, much as it may have read ahead.
    const int64_t unread = source_.size() - furthest_;
    if (!exact_ && furthest_ > 0 && unread > kReadAhead) {
      report.missing_s = std::max(report.missing_s, static_cast<double>(read_) / info_.samplerate *
                                                        static_cast<double>(unread) /
                                                        static_cast<double>(furthest_));
    }
    return report;
  }

 private:
  explicit SndfileReader(ByteSource& source) : source_(source) {}

  bool Reopen() {
    file_.reset();
    cursor_ = std::make_unique<ByteCursor>(source_);
    SF_VIRTUAL_IO io{audio::Length, Seek, Read, Write, Tell};
    info_ = {};
    file_.reset(sf_open_virtual(&io, SFM_READ, &info_, cursor_.get()));
    return file_ != nullptr && info_.channels >= 1 && info_.channels <= kMaxChannels;
  }

  std::unique_ptr<ByteSource> keeps_;
  ByteSource& source_;
  std::unique_ptr<ByteCursor> cursor_;
  SF_INFO info_{};
  SndfilePtr file_;  // reads from the cursor
  std::vector<float> buffer_;
  double missing_s_ = 0, true_length_s_ = 0;
  int64_t read_ = 0;
  int64_t furthest_ = 0;  // byte
  bool exact_ = true;     // the file is as long as it says
  bool ended_ = false, seeked_ = false;
};

// The length of an MP3 by its frames. libsndfile takes the first one's bit rate for all of them
// where no header says better.
double MpegSeconds(ByteSource& source) {
  constexpr int64_t kSearchBytes = 64 << 10, kOverlap = 8 << 10;
  double seconds = 0;
  for (int64_t at = 0; at < source.size();) {
    const MpegFrame frame = MpegFrameAt(source.Bytes(at, 4));
    if (frame.bytes > 0) {
      seconds += frame.seconds;
      at += frame.bytes;
      continue;
    }
    const size_t found = FindMpegFrames(source.Bytes(++at, kSearchBytes));
    at += found != std::string::npos ? static_cast<int64_t>(found) : kSearchBytes - kOverlap;
  }
  return seconds;
}

absl::Status Damaged(SoundFormat format) {
  return absl::InvalidArgumentError(
      absl::StrCat("damaged or unsupported ", NameOf(format), " audio"));
}

absl::StatusOr<std::unique_ptr<AudioReader>> OpenWav(ByteSource& source) {
  ASSIGN_OR_RETURN(WavLayout layout, ReadWavLayout(source));
  if (!layout.plain) return absl::UnimplementedError("WAV audio of an unusual coding");
  auto reader = SndfileReader::Open(std::make_unique<SplicedBytes>(
      std::move(layout.header), source, layout.data_begin, layout.data_end));
  if (reader == nullptr) return Damaged(SoundFormat::kWav);
  reader->set_missing_s(static_cast<double>(layout.missing_bytes) /
                        static_cast<double>(layout.bytes_per_second));
  return reader;
}

// The header of an AU file is six numbers of 32 bits, big-endian, the third of which is the size of
// the samples: 0 and -1 where the program that wrote it did not know, as in WAV. It becomes -1, to
// the end of the file, wherever it claims more than there is.
absl::StatusOr<std::unique_ptr<AudioReader>> OpenAu(ByteSource& source) {
  constexpr int64_t kHeaderBytes = 24;
  std::string header = source.Bytes(0, kHeaderBytes);
  if (header.size() < kHeaderBytes) return Damaged(SoundFormat::kAu);
  const auto number = [&](size_t at) {
    uint32_t value = 0;
    for (size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<unsigned char>(header[i]);
    return static_cast<int64_t>(value);
  };
  const int64_t offset = number(4), size = number(8), there = source.size() - offset;
  if (offset < kHeaderBytes || there <= 0) return Damaged(SoundFormat::kAu);
  if (size == 0 || size > there) header.replace(8, 4, 4, '\xFF');
  auto reader = SndfileReader::Open(
      std::make_unique<SplicedBytes>(header, source, kHeaderBytes, source.size()));
  if (reader == nullptr) return Damaged(SoundFormat::kAu);
  if (size > there && size < 0x7FFF0000 && reader->length()) {
    // As much longer as the bytes are more.
    const double seconds =
        static_cast<double>(reader->length()->frames) / std::max(1, reader->format().sample_rate);
    reader->set_missing_s(seconds * static_cast<double>(size - there) / static_cast<double>(there));
  }
  return reader;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AudioReader>> OpenUncompressed(ByteSource& source,
                                                              SoundFormat format) {
  return format == SoundFormat::kAu ? OpenAu(source) : OpenWav(source);
}

absl::StatusOr<std::unique_ptr<AudioReader>> OpenTrusted(ByteSource& source, SoundFormat format) {
  auto reader = SndfileReader::Open(source);
  if (reader == nullptr) return Damaged(format);
  reader->set_exact(false);
  if (format == SoundFormat::kMp3) reader->set_true_length_s(MpegSeconds(source));
  return reader;
}

}  // namespace antiphon::audio
