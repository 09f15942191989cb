#include "core/files/file_kind.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "core/abc/abc.h"
#include "core/humdrum/humdrum.h"
#include "core/musicxml/musicxml.h"

namespace antiphon::files {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kWhiteSpace = " \t\r\n\v\f";

bool HasAt(std::string_view bytes, size_t offset, std::string_view mark) {
  return bytes.size() >= offset + mark.size() && bytes.substr(offset, mark.size()) == mark;
}

bool Contains(std::string_view text, std::string_view mark) {
  return text.find(mark) != std::string_view::npos;
}

std::string_view WithoutMark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

std::string_view WithoutWhiteSpace(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kWhiteSpace), text.size()));
  return text;
}

bool IsMidi(std::string_view head) {
  constexpr size_t kMacBinaryHeader = 128;  // starts with 0 and the length of the file's name
  if (WithoutWhiteSpace(WithoutMark(head)).starts_with("MThd")) return true;
  if (HasAt(head, 0, "RIFF") && HasAt(head, 8, "RMID")) return true;
  return HasAt(head, kMacBinaryHeader, "MThd") && head[0] == 0 && head[1] > 0 && head[1] < 64;
}

struct Magic {
  size_t offset;
  std::string_view mark;
  FileType type;
};

// Marks at a fixed place; the first that fits.
constexpr Magic kMagic[] = {
    {0, "fLaC", {FileKind::kAudio, "FLAC"}},
    {0, "OggS", {FileKind::kAudio, "Ogg"}},
    {0, "ID3", {FileKind::kAudio, "MP3"}},
    {0, ".snd", {FileKind::kAudio, "AU"}},
    {0, "caff", {FileKind::kAudio, "CAF"}},
    {0, "riff\x2E\x91\xCF\x11", {FileKind::kAudio, "W64"}},
    {0, "\x1A\x45\xDF\xA3", {FileKind::kAudio, "WebM or Matroska"}},
    {0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11", {FileKind::kAudio, "WMA"}},
    {0, "#!AMR", {FileKind::kAudio, "AMR"}},
    {0, "ADIF", {FileKind::kAudio, "AAC"}},
    {0, "wvpk", {FileKind::kAudio, "WavPack"}},
    {0, "MAC ", {FileKind::kAudio, "Monkey's Audio"}},
    {0, "TTA1", {FileKind::kAudio, "True Audio"}},
    {0, "MPCK", {FileKind::kAudio, "Musepack"}},
    {0, "MP+", {FileKind::kAudio, "Musepack"}},
    {0, "DSD ", {FileKind::kAudio, "DSF"}},
    {0, "%PDF", {FileKind::kOther, "PDF"}},
    {0, "\x89PNG", {FileKind::kOther, "a picture"}},
    {0, "\xFF\xD8\xFF", {FileKind::kOther, "a picture"}},
    {0, "\x00\x05\x16\x07"sv, {FileKind::kOther, "a resource fork"}},
    {0, "\x00\x05\x16\x00"sv, {FileKind::kOther, "a resource fork"}},
    {0, "\x0FSIBELIUS", {FileKind::kUnreadScore, "a Sibelius score"}},
    {0, "ENIGMA BINARY FILE", {FileKind::kUnreadScore, "a Finale score"}},
    {1, "FICHIER GUITAR PRO", {FileKind::kUnreadScore, "a Guitar Pro score"}},
};

FileType TypeOfContainer(std::string_view head) {
  for (const char* riff : {"RIFF", "RIFX", "RF64", "BW64"}) {
    if (HasAt(head, 0, riff) && HasAt(head, 8, "WAVE")) return {FileKind::kAudio, "WAV"};
  }
  if (HasAt(head, 0, "FORM") && (HasAt(head, 8, "AIFF") || HasAt(head, 8, "AIFC")))
    return {FileKind::kAudio, "AIFF"};
  if (!HasAt(head, 4, "ftyp")) return {};
  // The brands of pictures; all others may hold sound.
  for (const char* brand : {"heic", "heix", "mif1", "avif"}) {
    if (HasAt(head, 8, brand)) return {FileKind::kOther, "a picture"};
  }
  return {FileKind::kAudio, "MPEG-4"};
}

FileType TypeOfArchive(std::string_view head) {
  if (!HasAt(head, 0, "PK\x03\x04")) return {};
  const auto holds = [head](std::string_view name) { return Contains(head, name); };
  if (holds(".mscx")) return {FileKind::kUnreadScore, "a MuseScore score"};
  if (notation::LooksLikeMusicXml(head) || holds("recordare") || holds("META-INF/container.xml"))
    return {FileKind::kNotation, "compressed MusicXML"};
  if (holds("score.gpif")) return {FileKind::kUnreadScore, "a Guitar Pro score"};
  return {FileKind::kOther, "a ZIP archive"};
}

bool HasLine(std::string_view text, std::string_view start) {
  return text.starts_with(start) || Contains(text, std::string("\n").append(start)) ||
         Contains(text, std::string("\r").append(start));
}

FileType TypeOfText(std::string_view head) {
  std::string text(WithoutMark(head));
  // UTF-16, as some programs export: the marks below are ASCII.
  if (HasAt(head, 0, "\xFF\xFE") || HasAt(head, 0, "\xFE\xFF")) {
    text.erase(0, 2);
    text.erase(std::remove(text.begin(), text.end(), '\0'), text.end());
  }
  const std::string_view body = WithoutWhiteSpace(text);
  const auto holds = [body](std::string_view mark) { return Contains(body, mark); };
  if (body.starts_with('<')) {
    if (notation::LooksLikeMusicXml(head)) return {FileKind::kNotation, "MusicXML"};
    if (holds("<mei") || holds("music-encoding.org")) return {FileKind::kUnreadScore, "MEI"};
    if (holds("<museScore")) return {FileKind::kUnreadScore, "a MuseScore score"};
    return {};
  }
  if (notation::LooksLikeHumdrum(head)) return {FileKind::kNotation, "Humdrum **kern"};
  if (notation::LooksLikeAbc(head)) return {FileKind::kNotation, "ABC"};
  if (HasLine(body, "\\version \"") || HasLine(body, "\\score") || HasLine(body, "\\relative"))
    return {FileKind::kUnreadScore, "LilyPond"};
  return {};
}

// An MPEG audio frame header: 11 bits of sync, layer II or III, and a bit rate and sample rate that
// exist. (Layer I, which nobody has, would look like text in UTF-16.)
bool StartsMpegFrame(std::string_view bytes) {
  if (bytes.size() < 3) return false;
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  return byte(0) == 0xFF && (byte(1) & 0xE0) == 0xE0 && (byte(1) & 0x18) != 0x08 &&
         (byte(1) & 0x06) != 0 && (byte(1) & 0x06) != 0x06 && (byte(2) & 0xF0) != 0xF0 &&
         (byte(2) & 0x0C) != 0x0C;
}

// Bytes of the frame that starts here (ISO/IEC 11172-3, 2.4.2.3, and 13818-3); 0 where its header
// does not say, or is none.
size_t MpegFrameBytes(std::string_view bytes) {
  if (!StartsMpegFrame(bytes)) return 0;
  constexpr std::array<std::array<int, 15>, 3> kKilobits = {{
      {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},  // MPEG-1, layer II
      {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},   // MPEG-1, layer III
      {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},       // MPEG-2
  }};
  constexpr std::array<int, 3> kRates = {44100, 48000, 32000};
  const auto second = static_cast<uint8_t>(bytes[1]), third = static_cast<uint8_t>(bytes[2]);
  const int version = second >> 3 & 3;  // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
  const bool layer_3 = (second >> 1 & 3) == 1;
  const int kilobits = kKilobits[version != 3 ? 2 : layer_3 ? 1 : 0][third >> 4];
  const int rate = kRates[third >> 2 & 3] / (version == 3 ? 1 : version == 2 ? 2 : 4);
  if (kilobits == 0) return 0;
  const int samples_in_bytes = layer_3 && version != 3 ? 72 : 144;
  return static_cast<size_t>(samples_in_bytes * kilobits * 1000 / rate + (third >> 1 & 1));
}

// Three frames in a row, of one version, layer and sample rate: no accident.
bool StartsMpegFrames(std::string_view bytes) {
  const std::string_view first = bytes;
  for (int frames = 0; frames < 3; ++frames) {
    const size_t length = MpegFrameBytes(bytes);
    const bool alike = length > 0 && bytes[1] == first[1] && ((bytes[2] ^ first[2]) & 0x0C) == 0;
    if (!alike) return false;
    if (length > bytes.size()) return frames == 2;
    bytes.remove_prefix(length);
  }
  return true;
}

// A header at the start, or, in a file that was cut or has other bytes in front, frames further on.
bool IsMpegAudio(std::string_view head) {
  if (StartsMpegFrame(head)) return true;
  for (size_t i = head.find('\xFF'); i != std::string_view::npos; i = head.find('\xFF', i + 1)) {
    if (StartsMpegFrames(head.substr(i))) return true;
  }
  return false;
}

// AAC in ADTS (ISO/IEC 13818-7, 6.2): 12 bits of sync, layer 0, a sample rate that exists.
bool StartsAdtsFrame(std::string_view bytes) {
  return bytes.size() >= 3 && bytes[0] == '\xFF' &&
         (static_cast<uint8_t>(bytes[1]) & 0xF6) == 0xF0 &&
         (static_cast<uint8_t>(bytes[2]) >> 2 & 0xF) < 13;
}

}  // namespace

FileType TypeOf(std::string_view head) {
  head = head.substr(0, kFileHeadBytes);
  if (IsMidi(head)) return {FileKind::kMidi, "MIDI"};
  for (const Magic& magic : kMagic) {
    if (HasAt(head, magic.offset, magic.mark)) return magic.type;
  }
  for (const auto& type_of : {TypeOfContainer, TypeOfArchive, TypeOfText}) {
    if (const FileType type = type_of(head); type.kind != FileKind::kUnknown) return type;
  }
  if (StartsAdtsFrame(head)) return {FileKind::kAudio, "AAC"};
  if (IsMpegAudio(head)) return {FileKind::kAudio, "MPEG audio"};
  return {};
}

}  // namespace antiphon::files
