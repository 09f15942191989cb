#include "core/exchange/export_names.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/audio/sound_format.h"
#include "core/hash/sha256.h"
#include "core/scores/read_score.h"

namespace antiphon::exchange {
namespace {

constexpr size_t kMaxStem = 120;  // leaves room for a hash and an ending
constexpr size_t kFewDigits = 16, kAllDigits = 64;

bool IsSafe(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
}

// Of Windows, whatever ending follows.
bool IsDevice(std::string_view stem) {
  const std::string name = absl::AsciiStrToLower(std::string(stem.substr(0, stem.find('.'))));
  constexpr std::array<std::string_view, 4> kDevices = {"con", "prn", "aux", "nul"};
  if (std::find(kDevices.begin(), kDevices.end(), name) != kDevices.end()) return true;
  return name.size() == 4 && (name.starts_with("com") || name.starts_with("lpt")) &&
         absl::ascii_isdigit(static_cast<unsigned char>(name[3]));
}

std::string StemOf(std::string_view id) {
  std::string stem(id.substr(0, kMaxStem));
  std::replace_if(
      stem.begin(), stem.end(), [](char c) { return !IsSafe(c); }, '_');
  // No hidden files, no options, no dots at an end, which Windows drops.
  if (stem.front() == '.' || stem.front() == '-') stem.front() = '_';
  if (stem.back() == '.') stem.back() = '_';
  return IsDevice(stem) ? absl::StrCat("_", stem) : stem;
}

}  // namespace

std::string SoundEnding(std::string_view content) {
  using audio::SoundFormat;
  const std::string_view head = content.substr(0, static_cast<size_t>(audio::kFormatHeadBytes));
  const std::string_view first_page = head.substr(0, 128);
  const auto begins_with = [&](std::string_view codec) {
    return first_page.find(codec) != std::string_view::npos;
  };
  switch (audio::SoundFormatOf(head)) {
    case SoundFormat::kWav:
      return ".wav";
    case SoundFormat::kAu:
      return ".au";
    case SoundFormat::kAiff:
      return ".aiff";
    case SoundFormat::kCaf:
      return ".caf";
    case SoundFormat::kW64:
      return ".w64";
    case SoundFormat::kFlac:
      return ".flac";
    case SoundFormat::kMp3:
      return ".mp3";
    case SoundFormat::kAac:
      return ".aac";
    case SoundFormat::kOgg:
      return begins_with("OpusHead") ? ".opus" : begins_with("Speex   ") ? ".spx" : ".ogg";
    case SoundFormat::kMp4:
      return ".m4a";
    case SoundFormat::kMatroska:
      return begins_with("webm") ? ".webm" : ".mka";
    case SoundFormat::kAsf:
      return ".wma";
    case SoundFormat::kAmr:
      return ".amr";
    case SoundFormat::kUnknown:
      break;
  }
  return ".bin";
}

std::string ScoreEnding(std::string_view content) {
  const auto format = notation::FormatOf(content);
  return std::string(notation::EndingOf(format.value_or(notation::ScoreFormat::kMidi), content));
}

bool ExportNames::Take(const std::string& name) {
  return taken_.insert(absl::AsciiStrToLower(name)).second;
}

std::string ExportNames::NameFor(std::string_view id, std::string_view type_ending) {
  const std::string ending(type_ending);
  const std::string stem = id.empty() ? "_" : StemOf(id);
  std::string name = absl::StrCat(stem, ending);
  if (stem == id && Take(name)) return name;
  const std::string digits = hash::HexSha256(id);
  for (const size_t count : {kFewDigits, kAllDigits}) {
    name = absl::StrCat(stem.substr(0, kMaxStem), "-", digits.substr(0, count), ending);
    if (Take(name)) return name;
  }
  // Only ids that were made to collide come here.
  for (int number = 2;; ++number) {
    name = absl::StrCat("_", number, "-", digits, ending);
    if (Take(name)) return name;
  }
}

}  // namespace antiphon::exchange
