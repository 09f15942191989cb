#include "core/audio/decoder.h"

#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/audio/mono_builder.h"
#include "core/base/status_macros.h"

namespace antiphon::audio {
namespace {

constexpr int64_t kChunkFrames = 65536;
// No real stream has more frames per byte (Opus at 6 kbit/s has 64); a header that claims more is
// not trusted with memory beforehand, only with what its data then gives.
constexpr int64_t kTrustedFramesPerByte = 64;

struct SndfileDeleter {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using SndfilePtr = std::unique_ptr<SNDFILE, SndfileDeleter>;

// Bytes in memory as libsndfile's virtual input. Every call has an answer, whatever offset a
// damaged header leads to.
struct MemoryInput {
  std::string_view bytes;
  sf_count_t position = 0;

  static MemoryInput& Of(void* user) { return *static_cast<MemoryInput*>(user); }

  static sf_count_t Length(void* user) { return static_cast<sf_count_t>(Of(user).bytes.size()); }

  // Positions beyond the end are fine, as in a file: nothing can be read there.
  static sf_count_t Seek(sf_count_t offset, int whence, void* user) {
    MemoryInput& input = Of(user);
    const sf_count_t base = whence == SEEK_SET   ? 0
                            : whence == SEEK_CUR ? input.position
                                                 : Length(user);
    sf_count_t target = 0;
    if (__builtin_add_overflow(base, offset, &target) || target < 0) return -1;
    return input.position = target;
  }

  static sf_count_t Read(void* target, sf_count_t count, void* user) {
    MemoryInput& input = Of(user);
    const sf_count_t here = std::min(Length(user) - input.position, count);
    if (here <= 0) return 0;
    std::memcpy(target, input.bytes.data() + input.position, here);
    input.position += here;
    return here;
  }

  static sf_count_t Write(const void*, sf_count_t, void*) { return 0; }

  static sf_count_t Tell(void* user) { return Of(user).position; }
};

bool HasAt(std::string_view bytes, size_t offset, std::string_view what) {
  return bytes.size() >= offset + what.size() && bytes.substr(offset, what.size()) == what;
}

// A frame header of MPEG audio, layer II or III, with no reserved value in it (ISO/IEC
// 11172-3, 2.4.1.3). Layer I, long out of use, would let UTF-16 text pass.
bool IsMpegFrame(std::string_view head) {
  if (head.size() < 4) return false;
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(head[i]); };
  const bool sync = byte(0) == 0xFF && (byte(1) & 0xE0) == 0xE0;
  const int version = byte(1) >> 3 & 3, layer = byte(1) >> 1 & 3, bit_rate = byte(2) >> 4,
            rate = byte(2) >> 2 & 3;
  return sync && version != 1 && (layer == 1 || layer == 2) && bit_rate != 15 && rate != 3;
}

// The format by its first bytes; null for what is not accepted. libsndfile knows many more formats,
// guesses some from a file's name, and their parsers need not face untrusted input.
const char* FormatName(std::string_view head) {
  const bool riff = HasAt(head, 0, "RIFF") || HasAt(head, 0, "RIFX") || HasAt(head, 0, "RF64");
  if (riff && HasAt(head, 8, "WAVE")) return "WAV";
  if (HasAt(head, 0, "riff\x2E\x91\xCF\x11")) return "W64";
  if (HasAt(head, 0, "FORM") && (HasAt(head, 8, "AIFF") || HasAt(head, 8, "AIFC"))) return "AIFF";
  if (HasAt(head, 0, ".snd")) return "AU";
  if (HasAt(head, 0, "caff")) return "CAF";
  if (HasAt(head, 0, "fLaC")) return "FLAC";
  if (HasAt(head, 0, "OggS")) return "Ogg";
  if (HasAt(head, 0, "ID3")) return "MP3";
  if (IsMpegFrame(head)) return "MP3";
  return nullptr;
}

// After a seek MP3 is silent until the bit reservoir is full again (at most 511 bytes, 10 frames of
// 1,152 at the lowest bit rate), and Opus needs 80 ms to converge: seeks go so many frames too far
// back, and those are read and dropped.
constexpr int64_t kPreRollFrames = 16 * 1152;

// Opens the stream, from its start, as often as it is asked.
class Source {
 public:
  virtual ~Source() = default;
  virtual SndfilePtr Open(SF_INFO& info) = 0;
  virtual std::string Head() const = 0;  // the first bytes
  virtual int64_t ByteCount() const = 0;
};

class MemorySource : public Source {
 public:
  explicit MemorySource(std::string_view bytes) { input_.bytes = bytes; }
  SndfilePtr Open(SF_INFO& info) override {
    SF_VIRTUAL_IO io{MemoryInput::Length, MemoryInput::Seek, MemoryInput::Read, MemoryInput::Write,
                     MemoryInput::Tell};
    input_.position = 0;
    info = {};
    return SndfilePtr(sf_open_virtual(&io, SFM_READ, &info, &input_));
  }
  std::string Head() const override { return std::string(input_.bytes.substr(0, 16)); }
  int64_t ByteCount() const override { return static_cast<int64_t>(input_.bytes.size()); }

 private:
  MemoryInput input_;
};

class FileSource : public Source {
 public:
  explicit FileSource(const std::string& path) : path_(path) {}
  SndfilePtr Open(SF_INFO& info) override {
    info = {};
    return SndfilePtr(sf_open(path_.c_str(), SFM_READ, &info));
  }
  std::string Head() const override {
    std::array<char, 16> head;
    std::ifstream file(path_, std::ios::binary);
    file.read(head.data(), head.size());
    return std::string(head.data(), static_cast<size_t>(file.gcount()));
  }
  int64_t ByteCount() const override {
    std::error_code error;
    const uintmax_t size = std::filesystem::file_size(path_, error);
    return error ? 0 : static_cast<int64_t>(size);
  }

 private:
  std::string path_;
};

// What the header says of the length. Formats that don't know say nothing, SF_COUNT_MAX or
// something negative.
std::optional<int64_t> DeclaredFrames(const SF_INFO& info) {
  if (info.frames <= 0 || info.frames == SF_COUNT_MAX) return std::nullopt;
  return info.frames;
}

// Reads and drops `frames` frames; false when the stream ends before.
bool Skip(SNDFILE* file, int channels, int64_t frames, std::vector<float>& buffer) {
  while (frames > 0) {
    buffer.resize(std::min(frames, kChunkFrames) * channels);
    const sf_count_t got = sf_readf_float(file, buffer.data(), std::min(frames, kChunkFrames));
    if (got <= 0) return false;
    frames -= got;
  }
  return true;
}

// Moves `file`, freshly opened from `source`, to the frame `start`: by a seek where that works,
// else by reading.
absl::Status GoTo(Source& source, int64_t start, SF_INFO& info, SndfilePtr& file,
                  std::vector<float>& buffer) {
  int64_t reached = 0;
  if (start > kPreRollFrames && info.seekable) {
    reached = start - kPreRollFrames;
    if (sf_seek(file.get(), reached, SEEK_SET) != reached) {
      // A failed seek leaves the decoder anywhere: from the start again.
      reached = 0;
      const int channels = info.channels;
      file.reset();
      file = source.Open(info);
      if (file == nullptr || info.channels != channels)
        return absl::InvalidArgumentError("the audio cannot be reread");
    }
  }
  if (Skip(file.get(), info.channels, start - reached, buffer)) return absl::OkStatus();
  return absl::InvalidArgumentError("start_s is beyond the end of the audio");
}

// A failure of the sink, told apart from those of the audio.
struct Outcome {
  absl::Status audio;
  absl::Status sink;
};

// What is read from a stream on its way to the result.
struct Reading {
  SndfilePtr file;
  SF_INFO info;
  FrameRange range;
  bool declared = false;  // the stream says how long it is
  int64_t expected_frames = 0;
};

absl::StatusOr<Reading> OpenStream(Source& source, const DecodeOptions& options,
                                   std::vector<float>& buffer) {
  RETURN_IF_ERROR(CheckDecodeOptions(options));
  const char* format = FormatName(source.Head());
  if (format == nullptr) {
    return absl::InvalidArgumentError(
        "not audio in a known format (WAV, AIFF, AU, CAF, W64, FLAC, Ogg, MP3)");
  }
  Reading reading;
  reading.file = source.Open(reading.info);
  if (reading.file == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("damaged or unsupported ", format, " audio"));
  }
  const SF_INFO& info = reading.info;
  const std::optional<int64_t> declared = DeclaredFrames(info);
  ASSIGN_OR_RETURN(reading.range, CheckStream(info.channels, info.samplerate, declared, options));
  reading.declared = declared.has_value();
  if (declared)
    reading.expected_frames =
        std::min(reading.range.count, source.ByteCount() * kTrustedFramesPerByte);
  RETURN_IF_ERROR(GoTo(source, reading.range.start, reading.info, reading.file, buffer));
  return reading;
}

// Decodes into `builder`, calling `after_chunk` as it goes.
absl::Status ReadAll(Reading& reading, const DecodeOptions& options, MonoBuilder& builder,
                     std::vector<float>& buffer, const std::function<absl::Status()>& after_chunk) {
  const int channels = reading.info.channels;
  int64_t left = reading.range.count;
  while (left > 0) {
    const int64_t wanted = std::min(left, kChunkFrames);
    buffer.resize(wanted * channels);
    const sf_count_t got = sf_readf_float(reading.file.get(), buffer.data(), wanted);
    if (got <= 0) break;
    const std::span<const float> frames(buffer.data(), static_cast<size_t>(got) * channels);
    RETURN_IF_ERROR(builder.Push(frames));
    RETURN_IF_ERROR(after_chunk());
    left -= got;
  }
  // A stream of undeclared length has used up its allowance: any further frame is one too many.
  const bool to_the_limit = left == 0 && !reading.declared && options.length_s == 0;
  if (to_the_limit && Skip(reading.file.get(), channels, 1, buffer)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the audio is longer than ", options.max_duration_s, " s"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Waveform> Decode(Source& source, const DecodeOptions& options) {
  std::vector<float> buffer;
  ASSIGN_OR_RETURN(Reading reading, OpenStream(source, options, buffer));
  ASSIGN_OR_RETURN(auto builder, MonoBuilder::Create(reading.info.channels, reading.info.samplerate,
                                                     reading.expected_frames, options));
  const auto nothing = [] { return absl::OkStatus(); };
  RETURN_IF_ERROR(ReadAll(reading, options, builder, buffer, nothing));
  return builder.Finish();
}

Outcome DecodeInPieces(Source& source, const DecodeOptions& options, const SampleSink& sink) {
  std::vector<float> buffer, piece;
  absl::StatusOr<Reading> reading = OpenStream(source, options, buffer);
  if (!reading.ok()) return {reading.status(), {}};
  auto builder = MonoBuilder::Create(reading->info.channels, reading->info.samplerate, 0, options);
  if (!builder.ok()) return {builder.status(), {}};
  absl::Status sunk;
  absl::Status status = ReadAll(*reading, options, *builder, buffer, [&] {
    piece.clear();
    builder->Drain(piece);
    if (!piece.empty()) sunk = sink(piece);
    return sunk;
  });
  if (!sunk.ok()) return {{}, sunk};
  if (!status.ok()) return {status, {}};
  const absl::StatusOr<Waveform> rest = builder->Finish();
  if (!rest.ok()) return {rest.status(), {}};
  return {{}, rest->samples.empty() ? absl::OkStatus() : sink(rest->samples)};
}

absl::Status CheckFile(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    return absl::NotFoundError(absl::StrCat("no file '", path, "'"));
  if (!std::filesystem::is_regular_file(path, error)) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' is not a file"));
  }
  return absl::OkStatus();
}

// Puts the path before a failure's message.
auto Named(const std::string& path) {
  return [&path](const absl::Status& failure) {
    return absl::Status(failure.code(), absl::StrCat("'", path, "': ", failure.message()));
  };
}

}  // namespace

absl::StatusOr<Waveform> DecodeMemory(std::string_view bytes, const DecodeOptions& options) {
  MemorySource source(bytes);
  return Decode(source, options);
}

absl::StatusOr<Waveform> DecodeFile(const std::string& path, const DecodeOptions& options) {
  RETURN_IF_ERROR(CheckFile(path));
  FileSource source(path);
  return MapError(Decode(source, options), Named(path));
}

absl::Status DecodeMemoryInPieces(std::string_view bytes, const DecodeOptions& options,
                                  const SampleSink& sink) {
  MemorySource source(bytes);
  const Outcome outcome = DecodeInPieces(source, options, sink);
  RETURN_IF_ERROR(outcome.audio);
  return outcome.sink;
}

absl::Status DecodeFileInPieces(const std::string& path, const DecodeOptions& options,
                                const SampleSink& sink) {
  RETURN_IF_ERROR(CheckFile(path));
  FileSource source(path);
  const Outcome outcome = DecodeInPieces(source, options, sink);
  RETURN_IF_ERROR(MapError(outcome.audio, Named(path)));
  return outcome.sink;
}

absl::StatusOr<Waveform> FromPcm(std::span<const float> interleaved, int channels, int source_rate,
                                 const DecodeOptions& options) {
  RETURN_IF_ERROR(CheckDecodeOptions(options));
  if (channels < 1 || interleaved.size() % channels != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        interleaved.size(), " samples are not whole frames of ", channels, " channels"));
  }
  const int64_t frames = static_cast<int64_t>(interleaved.size() / channels);
  ASSIGN_OR_RETURN(auto range, CheckStream(channels, source_rate, frames, options));
  ASSIGN_OR_RETURN(auto builder, MonoBuilder::Create(channels, source_rate, range.count, options));
  interleaved = interleaved.subspan(range.start * channels, range.count * channels);
  while (!interleaved.empty()) {
    const size_t piece = std::min<size_t>(interleaved.size(), kChunkFrames * channels);
    RETURN_IF_ERROR(builder.Push(interleaved.first(piece)));
    interleaved = interleaved.subspan(piece);
  }
  return builder.Finish();
}

absl::StatusOr<Waveform> Resample(const Waveform& waveform, int sample_rate) {
  DecodeOptions options;
  options.sample_rate = sample_rate;
  options.max_duration_s = 1e12;  // it is in memory already
  if (waveform.samples.empty()) {
    RETURN_IF_ERROR(CheckDecodeOptions(options));
    return Waveform{{}, sample_rate};
  }
  if (waveform.sample_rate < options.min_source_rate ||
      waveform.sample_rate > options.max_source_rate) {
    return absl::InvalidArgumentError(absl::StrCat("cannot resample from ", waveform.sample_rate,
                                                   " Hz: outside ", options.min_source_rate, " to ",
                                                   options.max_source_rate, " Hz"));
  }
  return FromPcm(waveform.samples, 1, waveform.sample_rate, options);
}

}  // namespace antiphon::audio
