#include "core/audio/wav_layout.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "absl/status/status.h"

namespace antiphon::audio {
namespace {

constexpr int kMaxChunks = 10'000;
constexpr int64_t kMaxFormatBytes = 512;
// What programs write that do not know the size yet: 0, -1, or something just below 2 or 4 GiB.
constexpr uint64_t kLeastPlaceholder = 0x7FFF0000;
constexpr uint64_t kMaxRiff = 0xFFFF0000;  // sizes beyond need RF64

// Integers of a RIFF (little-endian) or RIFX file.
struct Integers {
  bool big_endian = false;

  uint64_t Read(std::string_view bytes, size_t at, size_t count) const {
    uint64_t value = 0;
    for (size_t i = 0; i < count; ++i) {
      const size_t byte = big_endian ? i : count - 1 - i;
      value = value << 8 | static_cast<unsigned char>(bytes[at + byte]);
    }
    return value;
  }
  std::string Write(uint64_t value, size_t count) const {
    std::string bytes(count, '\0');
    for (size_t i = 0; i < count; ++i)
      bytes[big_endian ? count - 1 - i : i] = static_cast<char>(value >> 8 * i);
    return bytes;
  }
};

// What the walk found.
struct Chunks {
  std::string id;  // "RIFF", …
  Integers integers;
  uint64_t riff_size = 0;
  std::string format, fact;
  std::optional<uint64_t> data_size_64;  // of RF64's ds64
  std::optional<int64_t> data_begin;
  uint64_t data_size = 0;
};

bool IsChunkName(std::string_view name) {
  return name.size() == 4 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

// Up to the format and the samples, whichever comes last.
Chunks WalkChunks(ByteSource& source) {
  Chunks chunks;
  const std::string head = source.Bytes(0, 12);
  chunks.id = head.substr(0, 4);
  chunks.integers.big_endian = chunks.id == "RIFX";
  if (head.size() == 12) chunks.riff_size = chunks.integers.Read(head, 4, 4);
  int64_t at = 12;
  for (int i = 0; i < kMaxChunks && (!chunks.data_begin || chunks.format.empty()); ++i) {
    const std::string chunk = source.Bytes(at, 8);
    if (chunk.size() < 8) break;
    const std::string_view name = std::string_view(chunk).substr(0, 4);
    const uint64_t size = chunks.integers.Read(chunk, 4, 4);
    const int64_t body = at + 8;
    if (name == "fmt ") {
      chunks.format = source.Bytes(body, std::min<int64_t>(size, kMaxFormatBytes));
    } else if (name == "fact") {
      chunks.fact = source.Bytes(body, 4);
    } else if (name == "ds64") {
      const std::string sizes = source.Bytes(body, 16);
      if (sizes.size() == 16) chunks.data_size_64 = chunks.integers.Read(sizes, 8, 8);
    } else if (name == "data" && !chunks.data_begin) {
      chunks.data_begin = body;
      chunks.data_size = size;
      if (size == 0xFFFFFFFF && chunks.data_size_64) chunks.data_size = *chunks.data_size_64;
    }
    at = body + static_cast<int64_t>(size + size % 2);
  }
  return chunks;
}

// Where the samples end, and how many bytes of them the file lacks.
void PlaceData(const Chunks& chunks, ByteSource& source, WavLayout& layout) {
  const int64_t there = source.size() - layout.data_begin;
  const uint64_t says = chunks.data_size;
  layout.data_end = source.size();
  const bool closed = chunks.riff_size == static_cast<uint64_t>(source.size() - 8);
  const bool open = (says == 0 && !closed) || says >= kLeastPlaceholder;
  if (says > static_cast<uint64_t>(there)) {
    const bool known = !open || says == chunks.data_size_64;
    if (known)
      layout.missing_bytes = static_cast<int64_t>(std::min<uint64_t>(says, 1ull << 62)) - there;
    return;
  }
  if (open && says == 0) return;
  const int64_t end = layout.data_begin + static_cast<int64_t>(says);
  // A size that is too small shows by what follows: no chunk, and too much for a tag.
  const int64_t next = end + static_cast<int64_t>(says % 2);
  const bool wrong = !IsChunkName(source.Bytes(next, 4)) && !IsChunkName(source.Bytes(end, 4)) &&
                     source.size() - end > layout.bytes_per_second;
  if (!wrong) layout.data_end = end;
}

// Requires a format of at least 16 bytes.
bool IsPlain(const std::string& format, const Integers& integers) {
  uint64_t tag = integers.Read(format, 0, 2);
  const bool extensible = tag == 0xFFFE && format.size() >= 26;
  if (extensible) tag = integers.Read(format, 24, 2);
  switch (tag) {
    case 0x01:  // PCM
    case 0x03:  // float
    case 0x06:  // A-law
    case 0x07:  // µ-law
      return true;
    case 0x02:  // Microsoft's ADPCM
    case 0x11:  // IMA ADPCM
    case 0x31:  // GSM 6.10
      return !extensible;
    default:
      return false;
  }
}

std::string MakeHeader(const Chunks& chunks, uint64_t data_size) {
  const Integers& integers = chunks.integers;
  const auto chunk = [&](std::string_view name, const std::string& body) {
    std::string bytes = std::string(name) + integers.Write(body.size(), 4) + body;
    return bytes.append(body.size() % 2, '\0');
  };
  std::string rest = chunk("fmt ", chunks.format);
  if (chunks.fact.size() == 4) rest += chunk("fact", chunks.fact);
  const bool large = data_size > kMaxRiff;
  const std::string size = integers.Write(large ? 0xFFFFFFFF : data_size, 4);
  if (!large) {
    return (integers.big_endian ? "RIFX" : "RIFF") +
           integers.Write(4 + rest.size() + 8 + data_size + data_size % 2, 4) + "WAVE" + rest +
           "data" + size;
  }
  const std::string sizes = integers.Write(4 + 36 + rest.size() + 8 + data_size, 8) +
                            integers.Write(data_size, 8) + integers.Write(0, 8) +
                            integers.Write(0, 4);
  return "RF64" + integers.Write(0xFFFFFFFF, 4) + "WAVE" + chunk("ds64", sizes) + rest + "data" +
         size;
}

}  // namespace

absl::StatusOr<WavLayout> ReadWavLayout(ByteSource& source) {
  const Chunks chunks = WalkChunks(source);
  if (chunks.format.size() < 16) return absl::InvalidArgumentError("damaged WAV audio: no format");
  if (!chunks.data_begin) return absl::InvalidArgumentError("damaged WAV audio: no samples");
  WavLayout layout;
  layout.data_begin = *chunks.data_begin;
  layout.bytes_per_second =
      std::max<int64_t>(1000, static_cast<int64_t>(chunks.integers.Read(chunks.format, 8, 4)));
  layout.plain = IsPlain(chunks.format, chunks.integers);
  PlaceData(chunks, source, layout);
  layout.header = MakeHeader(chunks, static_cast<uint64_t>(layout.data_end - layout.data_begin));
  return layout;
}

}  // namespace antiphon::audio
