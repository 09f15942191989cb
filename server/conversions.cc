#include "server/conversions.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audio/decoder.h"
#include "core/music/midi_file.h"
#include "server/status_map.h"

namespace antiphon::server {
namespace {

static_assert(std::endian::native == std::endian::little, "PCM on the wire is little-endian and copied as it is");

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kTooMuch = absl::StatusCode::kResourceExhausted;

template <typename T>
absl::Status CheckRange(absl::string_view field, T value, T low, T high) {
  if (value >= low && value <= high) return absl::OkStatus();  // NaN fails both
  return FieldError(kInvalid, field, absl::StrCat(value, " is out of range"), absl::StrCat(low, " to ", high));
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
    return FieldError(kInvalid, "audio.pcm.encoding", "missing or unknown", "ENCODING_FLOAT32 or ENCODING_INT16");
  }
  for (const absl::Status& status :
       {CheckRange("audio.pcm.sample_rate", pcm.sample_rate(), options.min_source_rate, options.max_source_rate),
        CheckRange("audio.pcm.channels", pcm.channels(), 1, options.max_channels)}) {
    if (!status.ok()) return status;
  }
  const size_t sample_bytes = pcm.encoding() == v1::Pcm::ENCODING_INT16 ? sizeof(int16_t) : sizeof(float);
  const size_t frame_bytes = sample_bytes * pcm.channels();
  if (pcm.samples().empty()) return FieldError(kInvalid, "audio.pcm.samples", "empty", "at least one frame");
  if (pcm.samples().size() % frame_bytes != 0) {
    return FieldError(kInvalid, "audio.pcm.samples",
                      absl::StrCat(pcm.samples().size(), " bytes are no whole number of frames"),
                      absl::StrCat("multiples of ", frame_bytes, " bytes"));
  }
  const double duration_s = static_cast<double>(pcm.samples().size() / frame_bytes) / pcm.sample_rate();
  if (duration_s > options.max_duration_s) {
    return FieldError(kTooMuch, "audio.pcm.samples", absl::StrCat("lasts ", duration_s, " s"),
                      absl::StrCat("up to ", options.max_duration_s, " s"));
  }
  absl::StatusOr<audio::Waveform> waveform = audio::FromPcm(ToFloats(pcm), pcm.channels(), pcm.sample_rate(), options);
  if (!waveform.ok()) return AtField(waveform.status(), "audio.pcm.samples");
  return waveform;
}

}  // namespace

absl::StatusOr<audio::Waveform> DecodeAudio(bool present, const v1::Audio& audio, int sample_rate,
                                            const Limits& limits) {
  audio::DecodeOptions options;
  options.sample_rate = sample_rate;
  options.max_duration_s = limits.max_audio_s;
  options.max_channels = limits.max_audio_channels;
  options.min_source_rate = limits.min_audio_rate;
  options.max_source_rate = limits.max_audio_rate;
  if (!present) return FieldError(kInvalid, "audio", "missing");
  switch (audio.source_case()) {
    case v1::Audio::kFile: {
      if (audio.file().empty()) return FieldError(kInvalid, "audio.file", "empty");
      absl::StatusOr<audio::Waveform> waveform = audio::DecodeMemory(audio.file(), options);
      if (!waveform.ok()) return AtField(waveform.status(), "audio.file");
      return waveform;
    }
    case v1::Audio::kPcm:
      return DecodePcm(audio.pcm(), options);
    case v1::Audio::SOURCE_NOT_SET:
      break;
  }
  return FieldError(kInvalid, "audio", "neither file nor pcm is set");
}

absl::StatusOr<music::Score> DecodeScore(bool present, const v1::Score& score, const Limits& limits) {
  if (!present) return FieldError(kInvalid, "score", "missing");
  if (score.midi().empty()) return FieldError(kInvalid, "score.midi", "empty");
  absl::StatusOr<music::Score> read = music::ReadMidi(score.midi(), limits.midi);
  if (!read.ok()) return AtField(read.status(), "score.midi");
  return read;
}

absl::StatusOr<retrieval::SearchOptions> ToSearchOptions(const v1::SearchOptions& options, const Limits& limits) {
  retrieval::SearchOptions out;
  out.max_windows = limits.max_query_windows;
  if (options.has_top_k()) out.top_k = options.top_k();
  if (options.has_hop_seconds()) out.hop_s = options.hop_seconds();
  const int max_top_k = options.include_snippets() ? limits.max_snippets : limits.max_search_top_k;
  for (const absl::Status& status :
       {CheckRange("options.top_k", out.top_k, 1, max_top_k),
        CheckRange("options.hop_seconds", out.hop_s, limits.min_hop_s, limits.max_hop_s)}) {
    if (!status.ok()) return status;
  }
  return out;
}

absl::StatusOr<retrieval::IdentifyOptions> ToIdentifyOptions(const v1::IdentifyRequest& request, const Limits& limits) {
  retrieval::IdentifyOptions out;
  out.max_windows = limits.max_query_windows;
  if (request.has_top_k()) out.top_k = request.top_k();
  if (request.has_hop_seconds()) out.hop_s = request.hop_seconds();
  if (request.has_min_confidence()) out.min_confidence = request.min_confidence();
  for (const absl::Status& status : {CheckRange("top_k", out.top_k, 1, limits.max_identify_top_k),
                                     CheckRange("hop_seconds", out.hop_s, limits.min_hop_s, limits.max_hop_s),
                                     CheckRange("min_confidence", out.min_confidence.value_or(0.0), 0.0, 1.0)}) {
    if (!status.ok()) return status;
  }
  switch (request.method()) {
    case v1::VOTE_METHOD_UNSPECIFIED:
    case v1::VOTE_METHOD_IN_TIME:
      out.method = retrieval::VoteMethod::kInTime;
      return out;
    case v1::VOTE_METHOD_PLAIN:
      out.method = retrieval::VoteMethod::kPlain;
      return out;
    default:  // an open enum: a newer client may send what is not known here
      return FieldError(kInvalid, "method", "unknown", "VOTE_METHOD_IN_TIME or VOTE_METHOD_PLAIN");
  }
}

absl::StatusOr<catalog::Side> ToSide(v1::Side side) {
  switch (side) {
    case v1::SIDE_UNSPECIFIED:
    case v1::SIDE_SCORES:
      return catalog::Side::kScores;
    case v1::SIDE_RECORDINGS:
      return catalog::Side::kRecordings;
    default:
      return FieldError(kInvalid, "against", "unknown", "SIDE_SCORES or SIDE_RECORDINGS");
  }
}

absl::StatusOr<EmbedPlan> ToEmbedPlan(const v1::EmbedRequest& request, const Limits& limits) {
  EmbedPlan plan;
  if (request.has_hop_seconds()) plan.windows.hop_s = request.hop_seconds();
  if (request.has_tempo_ratio()) {
    if (request.query_case() == v1::EmbedRequest::kAudio) {
      return FieldError(kInvalid, "tempo_ratio", "only for a score");
    }
    plan.tempo_ratio = request.tempo_ratio();
  }
  for (const absl::Status& status :
       {CheckRange("hop_seconds", plan.windows.hop_s, limits.min_hop_s, limits.max_hop_s),
        CheckRange("tempo_ratio", plan.tempo_ratio, limits.min_tempo_ratio, limits.max_tempo_ratio)}) {
    if (!status.ok()) return status;
  }
  return plan;
}

absl::Status CheckEmbedWindows(double duration_s, const EmbedPlan& plan, const Limits& limits) {
  const double windows = std::ceil(duration_s / plan.tempo_ratio / plan.windows.hop_s);
  if (windows <= limits.max_embed_windows) return absl::OkStatus();
  return FieldError(kTooMuch, "hop_seconds", absl::StrCat("gives ", windows, " windows"),
                    absl::StrCat("up to ", limits.max_embed_windows, " windows"));
}

v1::Verdict ToWire(retrieval::Verdict verdict) {
  switch (verdict) {
    case retrieval::Verdict::kMatch:
      return v1::VERDICT_MATCH;
    case retrieval::Verdict::kNoMatch:
      return v1::VERDICT_NO_MATCH;
    case retrieval::Verdict::kInsufficientInput:
      return v1::VERDICT_INSUFFICIENT_INPUT;
  }
  return v1::VERDICT_UNSPECIFIED;
}

v1::Piece ToWire(const catalog::Piece& piece) {
  v1::Piece out;
  out.set_id(piece.id);
  out.set_title(piece.title);
  out.set_composer(piece.composer);
  out.set_duration_seconds(piece.duration_s);
  out.set_beats(piece.beats);
  out.set_bars(piece.bars);
  out.set_notes(piece.notes);
  return out;
}

v1::Recording ToWire(const catalog::Recording& recording) {
  v1::Recording out;
  out.set_id(recording.id);
  out.set_title(recording.title);
  out.set_composer(recording.composer);
  out.set_piece_id(recording.piece_id);
  out.set_duration_seconds(recording.duration_s);
  return out;
}

v1::Limits ToWire(const Limits& limits, int queue_capacity) {
  v1::Limits out;
  out.set_max_message_bytes(limits.max_message_bytes);
  out.set_max_audio_seconds(limits.max_audio_s);
  out.set_max_audio_channels(limits.max_audio_channels);
  out.set_min_audio_rate(limits.min_audio_rate);
  out.set_max_audio_rate(limits.max_audio_rate);
  out.set_max_midi_bytes(limits.midi.max_bytes);
  out.set_max_midi_notes(limits.midi.max_notes);
  out.set_max_midi_seconds(limits.midi.max_duration_s);
  out.set_max_search_top_k(limits.max_search_top_k);
  out.set_max_identify_top_k(limits.max_identify_top_k);
  out.set_max_snippets(limits.max_snippets);
  out.set_max_query_windows(limits.max_query_windows);
  out.set_max_embed_windows(limits.max_embed_windows);
  out.set_max_snippet_seconds(limits.max_snippet_s);
  out.set_max_page_size(limits.max_page_size);
  out.set_queue_capacity(queue_capacity);
  return out;
}

v1::Source SourceOf(const catalog::Piece& piece) {
  v1::Source out;
  out.set_id(piece.id);
  out.set_title(piece.title);
  out.set_composer(piece.composer);
  out.set_piece_id(piece.id);
  return out;
}

v1::Source SourceOf(const catalog::Recording& recording) {
  v1::Source out;
  out.set_id(recording.id);
  out.set_title(recording.title);
  out.set_composer(recording.composer);
  out.set_piece_id(recording.piece_id);
  return out;
}

v1::Position ToPosition(double seconds, const music::TempoMap* map) {
  v1::Position out;
  out.set_seconds(seconds);
  if (map == nullptr) return out;
  const double beats = map->BeatsAt(seconds);
  const music::BarPosition bar = map->BarAt(beats);
  out.set_beats(beats);
  out.set_bar(bar.bar);
  out.set_beat_in_bar(bar.beat);
  return out;
}

}  // namespace antiphon::server
