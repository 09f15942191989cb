#include "server/services/decode.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audio/from_pcm.h"
#include "core/base/status_macros.h"
#include "core/decoding/decoder.h"
#include "core/music/midi_file.h"
#include "core/scores/read_score.h"
#include "server/wire/field_checks.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

static_assert(std::endian::native == std::endian::little,
              "PCM on the wire is little-endian and copied as it is");

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kTooMuch = absl::StatusCode::kResourceExhausted;

audio::DecodeOptions OptionsFor(int sample_rate, const Limits& limits) {
  audio::DecodeOptions options;
  options.sample_rate = sample_rate;
  options.max_duration_s = limits.max_audio_s;
  options.max_channels = limits.max_audio_channels;
  options.min_source_rate = limits.min_audio_rate;
  options.max_source_rate = limits.max_audio_rate;
  return options;
}

// Requires a known encoding.
std::vector<float> ToFloats(const v1::Pcm& pcm) {
  const std::string& bytes = pcm.samples();
  if (pcm.encoding() == v1::Pcm::ENCODING_FLOAT32) {
    std::vector<float> samples(bytes.size() / sizeof(float));
    std::memcpy(samples.data(), bytes.data(), samples.size() * sizeof(float));
    return samples;
  }
  std::vector<float> samples(bytes.size() / sizeof(int16_t));
  for (size_t i = 0; i < samples.size(); ++i) {
    int16_t sample = 0;
    std::memcpy(&sample, bytes.data() + i * sizeof(int16_t), sizeof(int16_t));
    samples[i] = static_cast<float>(sample) / 32768.0f;
  }
  return samples;
}

absl::StatusOr<audio::Waveform> DecodePcm(const v1::Pcm& pcm, const audio::DecodeOptions& options) {
  // Everything that decides about sizes is checked before anything is allocated.
  if (pcm.encoding() != v1::Pcm::ENCODING_FLOAT32 && pcm.encoding() != v1::Pcm::ENCODING_INT16) {
    return FieldError(kInvalid, "audio.pcm.encoding", "missing or unknown",
                      "ENCODING_FLOAT32 or ENCODING_INT16");
  }
  RETURN_IF_ERROR(
      FirstFailure({CheckFieldRange("audio.pcm.sample_rate", pcm.sample_rate(),
                                    Range<int>{options.min_source_rate, options.max_source_rate}),
                    CheckFieldRange("audio.pcm.channels", pcm.channels(),
                                    Range<int>{1, options.max_channels})}));
  const size_t sample_bytes =
      pcm.encoding() == v1::Pcm::ENCODING_INT16 ? sizeof(int16_t) : sizeof(float);
  const size_t frame_bytes = sample_bytes * pcm.channels();
  if (pcm.samples().empty())
    return FieldError(kInvalid, "audio.pcm.samples", "empty", "at least one frame");
  if (pcm.samples().size() % frame_bytes != 0) {
    return FieldError(kInvalid, "audio.pcm.samples",
                      absl::StrCat(pcm.samples().size(), " bytes are no whole number of frames"),
                      absl::StrCat("multiples of ", frame_bytes, " bytes"));
  }
  const double duration_s =
      static_cast<double>(pcm.samples().size() / frame_bytes) / pcm.sample_rate();
  if (duration_s > options.max_duration_s) {
    return FieldError(kTooMuch, "audio.pcm.samples", absl::StrCat("lasts ", duration_s, " s"),
                      absl::StrCat("up to ", options.max_duration_s, " s"));
  }
  return AtField(audio::FromPcm(ToFloats(pcm), pcm.channels(), pcm.sample_rate(), options),
                 "audio.pcm.samples");
}

}  // namespace

absl::StatusOr<audio::Waveform> DecodeAudio(bool present, const v1::Audio& audio, int sample_rate,
                                            const Limits& limits, audio::DecodeReport& report) {
  const audio::DecodeOptions options = OptionsFor(sample_rate, limits);
  if (!present) return FieldError(kInvalid, "audio", "missing");
  switch (audio.source_case()) {
    case v1::Audio::kFile:
      if (audio.file().empty()) return FieldError(kInvalid, "audio.file", "empty");
      return AtField(audio::DecodeMemory(audio.file(), options, &report), "audio.file");
    case v1::Audio::kPcm:
      return DecodePcm(audio.pcm(), options);
    case v1::Audio::SOURCE_NOT_SET:
      break;
  }
  return FieldError(kInvalid, "audio", "neither file nor pcm is set");
}

std::string ScoreFieldOf(absl::string_view prefix, const v1::Score& score) {
  return absl::StrCat(prefix, score.file().empty() ? "score.midi" : "score.file");
}

const std::string& ScoreBytesOf(const v1::Score& score) {
  return score.file().empty() ? score.midi() : score.file();
}

absl::StatusOr<music::Score> DecodeScore(absl::string_view prefix, bool present,
                                         const v1::Score& score, const Limits& limits) {
  if (!present) return FieldError(kInvalid, absl::StrCat(prefix, "score"), "missing");
  const std::string field = ScoreFieldOf(prefix, score);
  if (!score.midi().empty() && !score.file().empty())
    return FieldError(kInvalid, field, "set beside midi; a score is one of them");
  if (!score.file().empty())
    return AtField(notation::ReadScore(score.file(), {limits.midi, limits.notation}), field);
  if (score.midi().empty()) return FieldError(kInvalid, field, "empty, and so is file");
  return AtField(music::ReadMidi(score.midi(), limits.midi), field);
}

absl::Status CheckAudioFile(absl::string_view field, const std::string& bytes,
                            const Limits& limits) {
  if (bytes.empty()) return FieldError(kInvalid, field, "empty");
  audio::DecodeOptions options = OptionsFor(audio::DecodeOptions().sample_rate, limits);
  options.length_s = 1;
  return AtField(audio::DecodeMemory(bytes, options).status(), field);
}

}  // namespace antiphon::server
