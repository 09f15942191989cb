#include "core/audio/sound_format.h"

#include <algorithm>
#include <optional>

namespace antiphon::audio {
namespace {

bool HasAt(std::string_view bytes, size_t offset, std::string_view what) {
  return bytes.size() >= offset + what.size() && bytes.substr(offset, what.size()) == what;
}

int ByteAt(std::string_view bytes, size_t i) { return static_cast<unsigned char>(bytes[i]); }

// A frame header of MPEG audio, layer II or III (ISO/IEC 11172-3 and 13818-3, 2.4.1.3). Layer I,
// long out of use, would let UTF-16 text pass.
struct MpegHeader {
  int version = 0;      // 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
  int layer = 0;        // as coded: 1 is III, 2 is II
  int sample_rate = 0;  // Hz
  int samples = 0;      // of each channel
  int64_t bytes = 0;    // of the frame; 0 where it does not say (free format)

  bool SameStream(const MpegHeader& other) const {
    return version == other.version && layer == other.layer && sample_rate == other.sample_rate;
  }
};

std::optional<MpegHeader> MpegHeaderAt(std::string_view bytes, size_t at) {
  if (at + 4 > bytes.size() || ByteAt(bytes, at) != 0xFF || ByteAt(bytes, at + 1) < 0xE0) return {};
  const int second = ByteAt(bytes, at + 1), third = ByteAt(bytes, at + 2);
  const int bit_rate_index = third >> 4, rate_index = third >> 2 & 3, padding = third >> 1 & 1;
  MpegHeader header{.version = second >> 3 & 3, .layer = second >> 1 & 3};
  if (header.version == 1 || header.layer == 0 || header.layer == 3 || bit_rate_index == 15 ||
      rate_index == 3) {
    return {};
  }
  constexpr int kRates[] = {44100, 48000, 32000};
  // kbit/s by index: MPEG 1 layer II, MPEG 1 layer III, MPEG 2 and 2.5.
  constexpr int kBitRates[3][15] = {
      {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
      {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
      {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}};
  header.sample_rate = kRates[rate_index] / (header.version == 3 ? 1 : header.version == 2 ? 2 : 4);
  const int row = header.version != 3 ? 2 : header.layer == 2 ? 0 : 1;
  const int64_t bit_rate = int64_t{1000} * kBitRates[row][bit_rate_index];
  header.samples = header.version != 3 && header.layer == 1 ? 576 : 1152;
  if (bit_rate > 0) header.bytes = header.samples / 8 * bit_rate / header.sample_rate + padding;
  return header;
}

// Whether an ADTS frame (ISO/IEC 13818-7, 6.2) begins at `at`, and another one where it ends.
bool AdtsAt(std::string_view bytes, size_t at, bool another) {
  if (at + 7 > bytes.size() || ByteAt(bytes, at) != 0xFF || (ByteAt(bytes, at + 1) & 0xF6) != 0xF0)
    return false;
  const int rate_index = ByteAt(bytes, at + 2) >> 2 & 15;
  const size_t length =
      (ByteAt(bytes, at + 3) & 3) << 11 | ByteAt(bytes, at + 4) << 3 | ByteAt(bytes, at + 5) >> 5;
  if (rate_index > 12 || length < 7) return false;
  return !another || at + length + 7 > bytes.size() || AdtsAt(bytes, at + length, false);
}

SoundFormat FormatByMark(std::string_view head) {
  const bool riff = HasAt(head, 0, "RIFF") || HasAt(head, 0, "RIFX") || HasAt(head, 0, "RF64");
  if (riff && HasAt(head, 8, "WAVE")) return SoundFormat::kWav;
  if (HasAt(head, 0, "FORM") && (HasAt(head, 8, "AIFF") || HasAt(head, 8, "AIFC")))
    return SoundFormat::kAiff;
  for (const char* atom : {"ftyp", "moov", "mdat", "wide", "free", "skip"}) {
    if (HasAt(head, 4, atom)) return SoundFormat::kMp4;
  }
  constexpr struct {
    std::string_view mark;
    SoundFormat format;
  } kMarks[] = {{"riff\x2E\x91\xCF\x11", SoundFormat::kW64},
                {".snd", SoundFormat::kAu},
                {"caff", SoundFormat::kCaf},
                {"fLaC", SoundFormat::kFlac},
                {"OggS", SoundFormat::kOgg},
                {"\x1A\x45\xDF\xA3", SoundFormat::kMatroska},
                {"\x30\x26\xB2\x75\x8E\x66\xCF\x11", SoundFormat::kAsf},
                {"#!AMR\n", SoundFormat::kAmr},
                {"#!AMR-WB\n", SoundFormat::kAmr}};
  for (const auto& [mark, format] : kMarks) {
    if (HasAt(head, 0, mark)) return format;
  }
  return SoundFormat::kUnknown;
}

}  // namespace

const char* NameOf(SoundFormat format) {
  switch (format) {
    case SoundFormat::kUnknown:
      return "";
    case SoundFormat::kWav:
      return "WAV";
    case SoundFormat::kAu:
      return "AU";
    case SoundFormat::kAiff:
      return "AIFF";
    case SoundFormat::kCaf:
      return "CAF";
    case SoundFormat::kW64:
      return "W64";
    case SoundFormat::kFlac:
      return "FLAC";
    case SoundFormat::kMp3:
      return "MP3";
    case SoundFormat::kAac:
      return "AAC";
    case SoundFormat::kOgg:
      return "Ogg";
    case SoundFormat::kMp4:
      return "MP4 or M4A";
    case SoundFormat::kMatroska:
      return "WebM or Matroska";
    case SoundFormat::kAsf:
      return "WMA";
    case SoundFormat::kAmr:
      return "AMR";
  }
  return "";
}

const char* KnownSoundFormats() {
  return "WAV, AIFF, AU, CAF, W64, FLAC, MP3, AAC, Ogg, M4A or MP4, WebM, WMA, AMR";
}

const std::vector<std::string>& SoundFileEndings() {
  static const auto& endings = *new std::vector<std::string>{
      ".3gp",  ".aac", ".aif", ".aifc", ".aiff", ".amr",  ".au",  ".caf",
      ".flac", ".m4a", ".mka", ".mov",  ".mp3",  ".mp4",  ".oga", ".ogg",
      ".opus", ".snd", ".spx", ".w64",  ".wav",  ".webm", ".wma"};
  return endings;
}

int64_t LeadingTagBytes(std::string_view head) {
  int64_t end = 0;
  // Some programs put a tag before a tag.
  for (int tags = 0; tags < 16; ++tags) {
    const auto at = static_cast<size_t>(end);
    if (at > head.size() || !HasAt(head, at, "ID3") || at + 10 > head.size()) break;
    int64_t size = 0;
    for (size_t i = at + 6; i < at + 10; ++i) size = size << 7 | (ByteAt(head, i) & 0x7F);
    const bool footer = (ByteAt(head, at + 5) & 0x10) != 0;
    end += 10 + size + (footer ? 10 : 0);
  }
  return end;
}

size_t FindMpegFrames(std::string_view bytes, int* sample_rate) {
  constexpr int kFrames = 3;  // as many in a row as noise does not have
  for (size_t begin = 0; begin + 4 <= bytes.size(); ++begin) {
    const std::optional<MpegHeader> first = MpegHeaderAt(bytes, begin);
    if (!first || first->bytes == 0) continue;
    size_t at = begin;
    int frames = 0;
    std::optional<MpegHeader> next = first;
    while (frames < kFrames && next && next->SameStream(*first) && next->bytes > 0) {
      ++frames;
      at += static_cast<size_t>(next->bytes);
      next = MpegHeaderAt(bytes, at);
    }
    if (frames < kFrames && !(frames == kFrames - 1 && at + 4 > bytes.size())) continue;
    if (sample_rate != nullptr) *sample_rate = first->sample_rate;
    return begin;
  }
  return std::string_view::npos;
}

MpegFrame MpegFrameAt(std::string_view bytes) {
  const std::optional<MpegHeader> header = MpegHeaderAt(bytes, 0);
  if (!header || header->bytes == 0) return {};
  return {header->bytes, static_cast<double>(header->samples) / header->sample_rate};
}

SoundFormat SoundFormatOf(std::string_view head) {
  const int64_t tags = LeadingTagBytes(head);
  if (tags >= static_cast<int64_t>(head.size()))
    return head.empty() ? SoundFormat::kUnknown : SoundFormat::kMp3;
  head.remove_prefix(static_cast<size_t>(tags));
  if (const SoundFormat format = FormatByMark(head); format != SoundFormat::kUnknown) return format;
  const size_t sound = head.find_first_not_of('\0');
  if (sound != std::string_view::npos) {
    if (AdtsAt(head, sound, true)) return SoundFormat::kAac;
    if (MpegHeaderAt(head, sound)) return SoundFormat::kMp3;
  }
  if (tags > 0 || FindMpegFrames(head) != std::string_view::npos) return SoundFormat::kMp3;
  return SoundFormat::kUnknown;
}

}  // namespace antiphon::audio
