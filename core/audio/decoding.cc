#include "core/audio/decoding.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/audio/mono_builder.h"
#include "core/base/status_macros.h"

namespace antiphon::audio {
namespace {

// No real stream has more frames per byte (Opus at 6 kbit/s has 64); a header that claims more is
// not trusted with memory beforehand, only with what its data then gives.
constexpr int64_t kTrustedFramesPerByte = 64;

// Reads a stream into a builder: the part that is asked for, whatever its format turns into.
class Decoding {
 public:
  static absl::StatusOr<Decoding> Begin(const OpenReader& open, ByteSource& source,
                                        const DecodeOptions& options, bool in_pieces);

  // Calls `after_chunk` as it goes.
  absl::Status ReadAll(const std::function<absl::Status()>& after_chunk);

  MonoBuilder& builder() { return *builder_; }
  DecodeReport report() const;

 private:
  Decoding(const DecodeOptions& options, std::unique_ptr<AudioReader> reader)
      : options_(options), reader_(std::move(reader)), format_(reader_->format()) {}

  absl::Status Change(const StreamFormat& format);
  absl::Status CheckTheRest(bool more);

  const DecodeOptions options_;
  std::unique_ptr<AudioReader> reader_;
  StreamFormat format_;  // of `skip_` and `left_`
  int64_t skip_ = 0;     // frames before the part
  int64_t left_ = 0;     // frames of the part
  bool exact_ = false;   // the stream is as long as it says
  double decoded_s_ = 0;
  std::unique_ptr<MonoBuilder> builder_;
};

absl::StatusOr<Decoding> Decoding::Begin(const OpenReader& open, ByteSource& source,
                                         const DecodeOptions& options, bool in_pieces) {
  RETURN_IF_ERROR(CheckDecodeOptions(options));
  const SoundFormat format = SoundFormatOf(source.Bytes(0, kFormatHeadBytes));
  if (format == SoundFormat::kUnknown) {
    return absl::InvalidArgumentError(
        absl::StrCat("not audio in a known format (", KnownSoundFormats(), ")"));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<AudioReader> reader, open(source, format, options));
  Decoding decoding(options, std::move(reader));
  const StreamFormat& stream = decoding.format_;
  const std::optional<AudioReader::Length> says = decoding.reader_->length();
  std::optional<int64_t> frames;
  if (says) frames = says->frames;
  RETURN_IF_ERROR(CheckLimits(stream.channels, stream.sample_rate, frames, options));
  decoding.exact_ = says && says->exact;
  ASSIGN_OR_RETURN(const FrameRange range,
                   CheckStream(stream.channels, stream.sample_rate,
                               decoding.exact_ ? frames : std::nullopt, options));
  int64_t expected = 0;
  if (frames && !in_pieces)
    expected = std::min({range.count, *frames, source.size() * kTrustedFramesPerByte});
  ASSIGN_OR_RETURN(MonoBuilder builder,
                   MonoBuilder::Create(stream.channels, stream.sample_rate, expected, options));
  decoding.builder_ = std::make_unique<MonoBuilder>(std::move(builder));
  decoding.left_ = range.count;
  decoding.skip_ = range.start;
  if (range.start > 0) {
    ASSIGN_OR_RETURN(const int64_t reached, decoding.reader_->SkipTowards(range.start));
    decoding.skip_ -= reached;
  }
  return decoding;
}

// Sound of another rate or with other channels follows.
absl::Status Decoding::Change(const StreamFormat& format) {
  RETURN_IF_ERROR(CheckLimits(format.channels, format.sample_rate, std::nullopt, options_));
  const double ratio = static_cast<double>(format.sample_rate) / format_.sample_rate;
  const auto scaled = [&](int64_t frames) {
    return std::llround(std::min(static_cast<double>(frames) * ratio, 4e18));
  };
  if (format.sample_rate != format_.sample_rate) {
    skip_ = scaled(skip_);
    left_ = std::max<int64_t>(1, scaled(left_));
  }
  format_ = format;
  return builder_->Change(format.channels, format.sample_rate);
}

absl::Status Decoding::ReadAll(const std::function<absl::Status()>& after_chunk) {
  bool more = false;  // sound after the part
  while (left_ > 0) {
    ASSIGN_OR_RETURN(AudioReader::Block block, reader_->Next());
    if (block.samples.empty()) break;
    if (!(block.format == format_)) RETURN_IF_ERROR(Change(block.format));
    const int channels = format_.channels;
    auto frames = static_cast<int64_t>(block.samples.size()) / channels;
    const int64_t dropped = std::min(skip_, frames);
    skip_ -= dropped;
    frames -= dropped;
    more = frames > left_;
    frames = std::min(frames, left_);
    if (frames == 0) continue;
    RETURN_IF_ERROR(builder_->Push(block.samples.subspan(dropped * channels, frames * channels)));
    left_ -= frames;
    decoded_s_ += static_cast<double>(frames) / format_.sample_rate;
    RETURN_IF_ERROR(after_chunk());
  }
  return CheckTheRest(more);
}

absl::Status Decoding::CheckTheRest(bool more) {
  if (options_.start_s > 0 && decoded_s_ == 0)
    return absl::InvalidArgumentError("start_s is beyond the end of the audio");
  // A stream that may be longer than it says has used up its allowance: any further frame is one
  // too many. One that is read for a part of it need not be read to its end.
  if (left_ > 0 || exact_ || options_.length_s > 0) return absl::OkStatus();
  if (!more) {
    ASSIGN_OR_RETURN(const AudioReader::Block block, reader_->Next());
    more = !block.samples.empty();
  }
  if (!more) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the audio is longer than ", options_.max_duration_s, " s"));
}

DecodeReport Decoding::report() const {
  DecodeReport report = reader_->report();
  report.decoded_s = decoded_s_;
  report.first_damage_s = std::max(0.0, report.first_damage_s - options_.start_s);
  return report;
}

absl::StatusOr<Waveform> Decode(const OpenReader& open, ByteSource& source,
                                const DecodeOptions& options, DecodeReport* report) {
  ASSIGN_OR_RETURN(Decoding decoding, Decoding::Begin(open, source, options, false));
  RETURN_IF_ERROR(decoding.ReadAll([] { return absl::OkStatus(); }));
  if (report != nullptr) *report = decoding.report();
  return decoding.builder().Finish();
}

// A failure of the sink, told apart from those of the audio.
struct Outcome {
  absl::Status audio;
  absl::Status sink;
};

Outcome DecodeInPieces(const OpenReader& open, ByteSource& source, const DecodeOptions& options,
                       const SampleSink& sink, DecodeReport* report) {
  std::vector<float> piece;
  absl::StatusOr<Decoding> decoding = Decoding::Begin(open, source, options, true);
  if (!decoding.ok()) return {decoding.status(), {}};
  absl::Status sunk;
  absl::Status status = decoding->ReadAll([&] {
    piece.clear();
    decoding->builder().Drain(piece);
    if (!piece.empty()) sunk = sink(piece);
    return sunk;
  });
  if (!sunk.ok()) return {{}, sunk};
  if (!status.ok()) return {status, {}};
  if (report != nullptr) *report = decoding->report();
  const absl::StatusOr<Waveform> rest = decoding->builder().Finish();
  if (!rest.ok()) return {rest.status(), {}};
  return {{}, rest->samples.empty() ? absl::OkStatus() : sink(rest->samples)};
}

// Puts the path before a failure's message.
auto Named(const std::string& path) {
  return [&path](const absl::Status& failure) {
    return absl::Status(failure.code(), absl::StrCat("'", path, "': ", failure.message()));
  };
}

}  // namespace

absl::StatusOr<Waveform> DecodeMemoryWith(const OpenReader& open, std::string_view bytes,
                                          const DecodeOptions& options, DecodeReport* report) {
  MemoryBytes source(bytes);
  return Decode(open, source, options, report);
}

absl::StatusOr<Waveform> DecodeFileWith(const OpenReader& open, const std::string& path,
                                        const DecodeOptions& options, DecodeReport* report) {
  ASSIGN_OR_RETURN(const std::unique_ptr<FileBytes> source, FileBytes::Open(path));
  return MapError(Decode(open, *source, options, report), Named(path));
}

absl::Status DecodeMemoryInPiecesWith(const OpenReader& open, std::string_view bytes,
                                      const DecodeOptions& options, const SampleSink& sink,
                                      DecodeReport* report) {
  MemoryBytes source(bytes);
  const Outcome outcome = DecodeInPieces(open, source, options, sink, report);
  RETURN_IF_ERROR(outcome.audio);
  return outcome.sink;
}

absl::Status DecodeFileInPiecesWith(const OpenReader& open, const std::string& path,
                                    const DecodeOptions& options, const SampleSink& sink,
                                    DecodeReport* report) {
  ASSIGN_OR_RETURN(const std::unique_ptr<FileBytes> source, FileBytes::Open(path));
  const Outcome outcome = DecodeInPieces(open, *source, options, sink, report);
  RETURN_IF_ERROR(MapError(outcome.audio, Named(path)));
  return outcome.sink;
}

}  // namespace antiphon::audio
