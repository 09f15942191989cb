#include "client/query.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/format.h"
#include "core/audio/decoder.h"
#include "core/audio/encoder.h"
#include "core/music/midi_file.h"

namespace antiphon::client {
namespace {

static_assert(std::endian::native == std::endian::little, "PCM on the wire is little-endian and copied as it is");

constexpr int kSampleRate = 22050;                   // Hz; what the encoders hear
constexpr int64_t kMessageOverheadBytes = 64 << 10;  // the rest of a request, generously
constexpr double kMaxDecodedSeconds = 24 * 3600.0;   // of an input of which all or a part is sent

absl::Status BadInput(const std::string& name, const absl::Status& status) {
  return absl::InvalidArgumentError(absl::StrCat(name, ": ", status.message()));
}

absl::Status TooLarge(const Input& input, int64_t max_bytes) {
  return absl::InvalidArgumentError(absl::StrCat(input.name, " is too large to send (the server takes ",
                                                 FormatBytes(max_bytes), "): name a part with --start and --length"));
}

v1::Audio ToPcm(const audio::Waveform& waveform) {
  std::vector<int16_t> samples;
  samples.reserve(waveform.samples.size());
  for (const float sample : waveform.samples) {
    samples.push_back(static_cast<int16_t>(std::lround(std::clamp(sample, -1.0f, 1.0f) * 32767)));
  }
  v1::Audio audio;
  v1::Pcm& pcm = *audio.mutable_pcm();
  pcm.set_encoding(v1::Pcm::ENCODING_INT16);
  pcm.set_sample_rate(waveform.sample_rate);
  pcm.set_channels(1);
  pcm.set_samples(samples.data(), samples.size() * sizeof(int16_t));
  return audio;
}

// The first of the forms, from exact to small, that fits.
absl::StatusOr<v1::Audio> Pack(const Input& input, const audio::Waveform& waveform, int64_t room, int64_t max_bytes) {
  if (static_cast<int64_t>(waveform.samples.size() * sizeof(int16_t)) <= room) return ToPcm(waveform);
  for (const audio::AudioFormat format : {audio::AudioFormat::kFlac, audio::AudioFormat::kOggVorbis}) {
    absl::StatusOr<std::string> file = audio::EncodeAudio(waveform, format);
    if (!file.ok()) return BadInput(input.name, file.status());
    if (static_cast<int64_t>(file->size()) > room) continue;
    v1::Audio audio;
    audio.set_file(*std::move(file));
    return audio;
  }
  return TooLarge(input, max_bytes);
}

absl::StatusOr<v1::Audio> MakeAudio(const Input& input, const QueryOptions& options) {
  const int64_t room = options.max_bytes - kMessageOverheadBytes;
  if (!options.start_s && !options.length_s && input.size <= room) {
    absl::StatusOr<std::string> bytes = ReadAll(input);
    if (!bytes.ok()) return bytes.status();
    v1::Audio audio;
    audio.set_file(*std::move(bytes));
    return audio;
  }
  audio::DecodeOptions decode;
  decode.sample_rate = kSampleRate;
  decode.max_duration_s = kMaxDecodedSeconds;
  decode.start_s = options.start_s.value_or(0);
  decode.length_s = options.length_s.value_or(0);
  const bool in_memory = input.path.empty();
  const absl::StatusOr<audio::Waveform> waveform =
      in_memory ? audio::DecodeMemory(input.bytes, decode) : audio::DecodeFile(input.path, decode);
  if (!waveform.ok()) {
    return in_memory ? BadInput(input.name, waveform.status())
                     : absl::InvalidArgumentError(waveform.status().message());  // which names the file
  }
  return Pack(input, *waveform, room, options.max_bytes);
}

absl::StatusOr<v1::Score> MakeScore(const Input& input, const QueryOptions& options) {
  if (input.size > options.max_bytes - kMessageOverheadBytes) return TooLarge(input, options.max_bytes);
  absl::StatusOr<std::string> bytes = ReadAll(input);
  if (!bytes.ok()) return bytes.status();
  v1::Score message;
  if (!options.start_s && !options.length_s) {
    message.set_midi(*std::move(bytes));
    return message;
  }
  const absl::StatusOr<music::Score> score = music::ReadMidi(*bytes);
  if (!score.ok()) return BadInput(input.name, score.status());
  const double start_s = options.start_s.value_or(0);
  if (start_s >= score->duration_s) {
    return absl::InvalidArgumentError(
        absl::StrCat(input.name, ": --start is beyond its end at ", FormatTime(score->duration_s)));
  }
  const double end_s = options.length_s ? start_s + *options.length_s : std::numeric_limits<double>::infinity();
  absl::StatusOr<std::string> midi = music::WriteMidi(music::Excerpt(*score, start_s, end_s));
  if (!midi.ok()) return BadInput(input.name, midi.status());
  message.set_midi(*std::move(midi));
  return message;
}

}  // namespace

absl::StatusOr<Query> MakeQuery(const Input& input, const QueryOptions& options) {
  if (options.length_s && !(*options.length_s > 0)) {
    return absl::InvalidArgumentError("--length must be more than 0 seconds");
  }
  const Kind kind = options.as == Kind::kUnknown ? Sniff(input.bytes) : options.as;
  Query query;
  query.name = input.name;
  query.offset_s = options.start_s.value_or(0);
  switch (kind) {
    case Kind::kAudio: {
      absl::StatusOr<v1::Audio> audio = MakeAudio(input, options);
      if (!audio.ok()) return audio.status();
      query.content = *std::move(audio);
      return query;
    }
    case Kind::kMidi: {
      absl::StatusOr<v1::Score> score = MakeScore(input, options);
      if (!score.ok()) return score.status();
      query.content = *std::move(score);
      return query;
    }
    case Kind::kUnknown:
      break;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(input.name, " is neither a MIDI file nor audio of a known kind (WAV, AIFF, FLAC, Ogg, Opus, MP3): ",
                   "convert it, or say what it is with --as audio or --as midi"));
}

}  // namespace antiphon::client
