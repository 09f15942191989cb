#include "core/audio/plain_decoder.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/audio/decoding.h"
#include "core/audio/sndfile_reader.h"

namespace antiphon::audio::plain {
namespace {

absl::StatusOr<std::unique_ptr<AudioReader>> Open(ByteSource& source, SoundFormat format,
                                                  const DecodeOptions& options) {
  if (!Reads(format)) {
    return absl::UnimplementedError(
        absl::StrCat("audio of the kind ", NameOf(format), " is decoded by the server only"));
  }
  return ReadsToTheEnd(format) ? OpenUncompressed(source, format) : OpenTrusted(source, format);
}

}  // namespace

bool Reads(SoundFormat format) {
  switch (format) {
    case SoundFormat::kWav:
    case SoundFormat::kAu:
    case SoundFormat::kAiff:
    case SoundFormat::kCaf:
    case SoundFormat::kW64:
    case SoundFormat::kFlac:
    case SoundFormat::kMp3:
    case SoundFormat::kOgg:
      return true;
    case SoundFormat::kUnknown:
    case SoundFormat::kAac:
    case SoundFormat::kMp4:
    case SoundFormat::kMatroska:
    case SoundFormat::kAsf:
    case SoundFormat::kAmr:
      break;
  }
  return false;
}

bool ReadsToTheEnd(SoundFormat format) {
  return format == SoundFormat::kWav || format == SoundFormat::kAu;
}

absl::StatusOr<Waveform> DecodeMemory(std::string_view bytes, const DecodeOptions& options,
                                      DecodeReport* report) {
  return DecodeMemoryWith(Open, bytes, options, report);
}

absl::StatusOr<Waveform> DecodeFile(const std::string& path, const DecodeOptions& options,
                                    DecodeReport* report) {
  return DecodeFileWith(Open, path, options, report);
}

absl::Status DecodeMemoryInPieces(std::string_view bytes, const DecodeOptions& options,
                                  const SampleSink& sink, DecodeReport* report) {
  return DecodeMemoryInPiecesWith(Open, bytes, options, sink, report);
}

absl::Status DecodeFileInPieces(const std::string& path, const DecodeOptions& options,
                                const SampleSink& sink, DecodeReport* report) {
  return DecodeFileInPiecesWith(Open, path, options, sink, report);
}

}  // namespace antiphon::audio::plain
