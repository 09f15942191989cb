#include "core/decoding/decoder.h"

#include "absl/status/status.h"
#include "core/audio/decoding.h"
#include "core/audio/sndfile_reader.h"
#include "core/decoding/ffmpeg_reader.h"

namespace antiphon::audio {
namespace {

// The one table of which library reads what; docs/api.md has the same. A WAV file of a coding that
// libsndfile does not know (MP3 in WAV, say) goes to FFmpeg.
absl::StatusOr<std::unique_ptr<AudioReader>> Open(ByteSource& source, SoundFormat format,
                                                  const DecodeOptions& options) {
  switch (format) {
    case SoundFormat::kWav:
    case SoundFormat::kAu: {
      auto reader = OpenUncompressed(source, format);
      if (!absl::IsUnimplemented(reader.status())) return reader;
      break;
    }
    case SoundFormat::kAiff:
    case SoundFormat::kCaf:
    case SoundFormat::kW64:
    case SoundFormat::kFlac:
    case SoundFormat::kMp3:
    case SoundFormat::kAac:
    case SoundFormat::kOgg:
    case SoundFormat::kMp4:
    case SoundFormat::kMatroska:
    case SoundFormat::kAsf:
    case SoundFormat::kAmr:
    case SoundFormat::kUnknown:
      break;
  }
  return OpenFfmpeg(source, format, options);
}

}  // namespace

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

}  // namespace antiphon::audio
