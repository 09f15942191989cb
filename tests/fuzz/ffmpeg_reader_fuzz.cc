// Sound files as FFmpeg's demuxers and decoders get them: whatever the bytes, reading ends, in
// frames that make sense or with a reason.
#include <memory>

#include "core/audio/byte_source.h"
#include "core/audio/sound_format.h"
#include "core/decoding/ffmpeg_reader.h"
#include "tests/fuzz/fuzz.h"

using antiphon::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace audio = antiphon::audio;
  const std::string_view bytes = antiphon::fuzz::AsText(data, size);
  const audio::SoundFormat format = audio::SoundFormatOf(bytes);
  if (format == audio::SoundFormat::kUnknown) return -1;
  audio::MemoryBytes source(bytes);
  const audio::DecodeOptions options{.max_duration_s = 20};
  const auto refused = [](const absl::Status& status) {
    antiphon::fuzz::RequireRefusal(
        status, {absl::StatusCode::kInvalidArgument, absl::StatusCode::kResourceExhausted});
    return 0;
  };
  auto reader = audio::OpenFfmpeg(source, format, options);
  if (!reader.ok()) return refused(reader.status());
  for (double read_s = 0; read_s < options.max_duration_s;) {
    const auto block = (*reader)->Next();
    if (!block.ok()) return refused(block.status());
    if (block->samples.empty()) break;
    Require(block->format.channels > 0 && block->format.sample_rate > 0, "sound has a format");
    Require(block->samples.size() % block->format.channels == 0, "frames are whole");
    read_s += static_cast<double>(block->samples.size()) / block->format.channels /
              block->format.sample_rate;
  }
  const audio::DecodeReport report = (*reader)->report();
  Require(report.missing_s >= 0 && report.DecodedShare() >= 0 && report.DecodedShare() <= 1,
          "a report makes sense");
  return 0;
}
