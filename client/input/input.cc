#include "client/input/input.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <istream>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "client/output/format.h"
#include "core/files/file_kind.h"

namespace antiphon::client {
namespace {

namespace fs = std::filesystem;

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
  input.bytes.resize(files::kFileHeadBytes);
  stream.read(input.bytes.data(), static_cast<std::streamsize>(input.bytes.size()));
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
  switch (files::TypeOf(bytes).kind) {
    case files::FileKind::kAudio:
      return Kind::kAudio;
    case files::FileKind::kMidi:
    case files::FileKind::kNotation:
      return Kind::kScore;
    case files::FileKind::kUnreadScore:
    case files::FileKind::kOther:
    case files::FileKind::kUnknown:
      break;
  }
  return Kind::kUnknown;
}

absl::Status NotWanted(const Input& input, Kind wanted) {
  const files::FileType type = files::TypeOf(input.bytes);
  const std::string name(type.name);
  const auto refuse = [&](const auto&... words) {
    return absl::InvalidArgumentError(absl::StrCat(input.name, " is ", words...));
  };
  switch (type.kind) {
    case files::FileKind::kUnreadScore:
      return refuse(name, ", which is not read: export it as MusicXML or MIDI");
    case files::FileKind::kOther:
      return refuse(name, ", which is neither audio nor a score");
    case files::FileKind::kMidi:
      return refuse("a MIDI file, and no audio");
    case files::FileKind::kNotation:
      return refuse("a score (", name, "), and no audio");
    case files::FileKind::kAudio:
      return refuse("no score, but audio (", name, ")");
    case files::FileKind::kUnknown:
      break;
  }
  constexpr char kConvert[] = "convert it, for instance with `ffmpeg -i FILE FILE.flac`";
  if (wanted == Kind::kScore)
    return refuse("no score of a known kind (MIDI, MusicXML, Humdrum, ABC)");
  if (wanted == Kind::kAudio) return refuse("not audio of a known kind: ", kConvert);
  return refuse("neither a score nor audio of a known kind: ", kConvert,
                ", or say what it is with --as audio or --as score");
}

std::string BaseName(const std::string& path) { return fs::path(path).filename().string(); }

}  // namespace antiphon::client
