#include "core/audio/encoder.h"

#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace antiphon::audio {
namespace {

// libsndfile's Vorbis writer keeps what one call hands it on the stack: small pieces.
constexpr size_t kPiece = 4096;
constexpr double kVorbisQuality = 0.5;
constexpr double kMp3Rate = 64;  // kbit/s

struct SndfileDeleter {
  void operator()(SNDFILE* file) const { sf_close(file); }
};

// A growing file in memory, for libsndfile's virtual input and output.
struct MemoryFile {
  std::string bytes;
  sf_count_t position = 0;

  static MemoryFile& Of(void* user) { return *static_cast<MemoryFile*>(user); }

  static sf_count_t Length(void* user) { return static_cast<sf_count_t>(Of(user).bytes.size()); }

  static sf_count_t Seek(sf_count_t offset, int whence, void* user) {
    MemoryFile& file = Of(user);
    const sf_count_t base = whence == SEEK_SET   ? 0
                            : whence == SEEK_CUR ? file.position
                                                 : Length(user);
    if (base + offset < 0) return -1;
    return file.position = base + offset;
  }

  static sf_count_t Read(void* target, sf_count_t count, void* user) {
    MemoryFile& file = Of(user);
    const sf_count_t here = std::min(Length(user) - file.position, count);
    if (here <= 0) return 0;
    std::memcpy(target, file.bytes.data() + file.position, here);
    file.position += here;
    return here;
  }

  static sf_count_t Write(const void* source, sf_count_t count, void* user) {
    MemoryFile& file = Of(user);
    const size_t end = static_cast<size_t>(file.position + count);
    if (end > file.bytes.size()) file.bytes.resize(end);
    std::memcpy(file.bytes.data() + file.position, source, count);
    file.position += count;
    return count;
  }

  static sf_count_t Tell(void* user) { return Of(user).position; }
};

int SndfileFormat(AudioFormat format) {
  switch (format) {
    case AudioFormat::kWav:
      return SF_FORMAT_WAV | SF_FORMAT_PCM_16;
    case AudioFormat::kFlac:
      return SF_FORMAT_FLAC | SF_FORMAT_PCM_16;
    case AudioFormat::kOggVorbis:
      return SF_FORMAT_OGG | SF_FORMAT_VORBIS;
    case AudioFormat::kMp3:
      return SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III;
  }
  return 0;
}

// How much the lossy formats keep. libsndfile takes an MP3's rate as a share of the way from the
// highest to the lowest that its version of MPEG (1 from 32 kHz on, 2 from 16 kHz on, 2.5) allows.
void SetQuality(AudioFormat format, int sample_rate, SNDFILE* file) {
  if (format == AudioFormat::kOggVorbis) {
    double quality = kVorbisQuality;
    sf_command(file, SFC_SET_VBR_ENCODING_QUALITY, &quality, sizeof(quality));
  } else if (format == AudioFormat::kMp3) {
    int mode = SF_BITRATE_MODE_CONSTANT;
    sf_command(file, SFC_SET_BITRATE_MODE, &mode, sizeof(mode));
    const double highest = sample_rate >= 32000 ? 320 : sample_rate >= 16000 ? 160 : 64;
    const double lowest = sample_rate >= 32000 ? 32 : 8;
    double level = (highest - kMp3Rate) / (highest - lowest);
    sf_command(file, SFC_SET_COMPRESSION_LEVEL, &level, sizeof(level));
  }
}

absl::Status Check(const Waveform& waveform) {
  if (waveform.samples.empty())
    return absl::InvalidArgumentError("cannot encode an empty waveform");
  for (size_t i = 0; i < waveform.samples.size(); ++i) {
    if (!std::isfinite(waveform.samples[i])) {
      return absl::InvalidArgumentError(
          absl::StrCat("cannot encode: sample ", i, " is not finite"));
    }
  }
  return absl::OkStatus();
}

absl::Status WriteSamples(SNDFILE* file, const std::vector<float>& samples) {
  std::array<float, kPiece> piece;
  for (size_t start = 0; start < samples.size(); start += kPiece) {
    const size_t count = std::min(kPiece, samples.size() - start);
    std::transform(samples.begin() + start, samples.begin() + start + count, piece.begin(),
                   [](float x) { return std::clamp(x, -1.0f, 1.0f); });
    if (sf_writef_float(file, piece.data(), count) != static_cast<sf_count_t>(count)) {
      return absl::InternalError(absl::StrCat("encoding failed: ", sf_strerror(file)));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> EncodeAudio(const Waveform& waveform, AudioFormat format) {
  RETURN_IF_ERROR(Check(waveform));
  SF_INFO info{};
  info.samplerate = waveform.sample_rate;
  info.channels = 1;
  info.format = SndfileFormat(format);
  MemoryFile memory;
  SF_VIRTUAL_IO io{MemoryFile::Length, MemoryFile::Seek, MemoryFile::Read, MemoryFile::Write,
                   MemoryFile::Tell};
  if (!sf_format_check(&info)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot encode at ", waveform.sample_rate, " Hz"));
  }
  {
    std::unique_ptr<SNDFILE, SndfileDeleter> file(sf_open_virtual(&io, SFM_WRITE, &info, &memory));
    if (file == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("this format cannot be encoded at ", waveform.sample_rate, " Hz"));
    }
    SetQuality(format, waveform.sample_rate, file.get());
    RETURN_IF_ERROR(WriteSamples(file.get(), waveform.samples));
  }
  return std::move(memory.bytes);
}

absl::Status WriteAudioFile(const Waveform& waveform, AudioFormat format, const std::string& path) {
  ASSIGN_OR_RETURN(auto bytes, EncodeAudio(waveform, format));
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot write '", path, "'"));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(path, ignored)) std::filesystem::remove(path, ignored);
    return absl::ResourceExhaustedError(
        absl::StrCat("writing '", path, "' failed: is the disk full?"));
  }
  return absl::OkStatus();
}

}  // namespace antiphon::audio
