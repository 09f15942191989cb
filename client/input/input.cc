#include "client/input/input.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <istream>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/output/format.h"
#include "core/music/midi_file.h"

namespace antiphon::client {
namespace {

namespace fs = std::filesystem;

constexpr size_t kHeadBytes = 2048;  // what music::LooksLikeMidi asks for

absl::Status CannotRead(const std::string& name, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat("cannot read ", name, ": ", why));
}

absl::Status TooLarge(const std::string& name) {
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is larger than ", FormatBytes(kMaxInputBytes),
                   ": cut it, or name a part of a file with ", "--start and --length"));
}

// Up to `limit` bytes and one more, so that the caller sees what is too long.
std::string ReadStream(std::istream& stream, int64_t limit) {
  std::string bytes;
  char chunk[1 << 16];
  while (static_cast<int64_t>(bytes.size()) <= limit && stream) {
    stream.read(chunk, sizeof(chunk));
    bytes.append(chunk, static_cast<size_t>(stream.gcount()));
  }
  return bytes;
}

absl::StatusOr<Input> FromStream(const std::string& name, std::istream& stream) {
  Input input;
  input.name = name;
  input.bytes = ReadStream(stream, kMaxInputBytes);
  input.size = static_cast<int64_t>(input.bytes.size());
  if (stream.bad()) return CannotRead(name, "it broke off");
  if (input.size > kMaxInputBytes) return TooLarge(name);
  if (input.size == 0) return CannotRead(name, "it is empty");
  return input;
}

bool HasAt(std::string_view bytes, size_t offset, std::string_view mark) {
  return bytes.size() >= offset + mark.size() && bytes.substr(offset, mark.size()) == mark;
}

// An MPEG audio frame header: 11 bits of sync, layer II or III, and a bit rate and sample rate that
// exist. (Layer I, which nobody has, would look like text in UTF-16.)
bool StartsMpegFrame(std::string_view bytes) {
  if (bytes.size() < 3) return false;
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  return byte(0) == 0xFF && (byte(1) & 0xE0) == 0xE0 && (byte(1) & 0x06) != 0 &&
         (byte(1) & 0x06) != 0x06 && (byte(2) & 0xF0) != 0xF0 && (byte(2) & 0x0C) != 0x0C;
}

}  // namespace

absl::StatusOr<Input> OpenInput(const std::string& file, std::istream& standard_input) {
  if (file == "-") return FromStream("standard input", standard_input);
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (!fs::exists(status)) return CannotRead(file, "no such file");
  if (fs::is_directory(status)) return CannotRead(file, "it is a directory; name the files in it");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return CannotRead(file, std::strerror(errno));
  if (!fs::is_regular_file(status)) return FromStream(file, stream);

  Input input;
  input.name = file;
  input.path = file;
  input.size = static_cast<int64_t>(fs::file_size(file, error));
  if (error) return CannotRead(file, error.message());
  if (input.size == 0) return CannotRead(file, "it is empty");
  input.bytes.resize(kHeadBytes);
  stream.read(input.bytes.data(), kHeadBytes);
  input.bytes.resize(static_cast<size_t>(stream.gcount()));
  return input;
}

absl::Status CheckLength(std::optional<double> length_s) {
  if (!length_s || *length_s > 0) return absl::OkStatus();
  return absl::InvalidArgumentError("--length must be more than 0 seconds");
}

absl::StatusOr<std::string> ReadAll(const Input& input) {
  if (input.path.empty()) return input.bytes;
  if (input.size > kMaxInputBytes) return TooLarge(input.name);
  std::ifstream stream(input.path, std::ios::binary);
  if (!stream) return CannotRead(input.name, std::strerror(errno));
  std::string bytes = ReadStream(stream, kMaxInputBytes);
  if (stream.bad()) return CannotRead(input.name, "it broke off");
  if (static_cast<int64_t>(bytes.size()) > kMaxInputBytes) return TooLarge(input.name);
  return bytes;
}

Kind Sniff(std::string_view bytes) {
  for (const char* riff : {"RIFF", "RIFX", "RF64"}) {
    if (HasAt(bytes, 0, riff) && HasAt(bytes, 8, "WAVE")) return Kind::kAudio;
  }
  if (HasAt(bytes, 0, "FORM") && (HasAt(bytes, 8, "AIFF") || HasAt(bytes, 8, "AIFC")))
    return Kind::kAudio;
  for (const char* mark : {"fLaC", "OggS", "ID3", ".snd", "caff", "riff\x2E\x91\xCF\x11"}) {
    if (HasAt(bytes, 0, mark)) return Kind::kAudio;
  }
  if (music::LooksLikeMidi(bytes)) return Kind::kMidi;
  return StartsMpegFrame(bytes) ? Kind::kAudio : Kind::kUnknown;
}

std::string BaseName(const std::string& path) { return fs::path(path).filename().string(); }

}  // namespace antiphon::client
