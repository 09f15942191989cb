#include "client/input/query.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/input/pcm.h"
#include "client/input/sound.h"
#include "client/output/format.h"
#include "core/audio/encoder.h"
#include "core/audio/plain_decoder.h"
#include "core/base/status_macros.h"
#include "core/music/midi_file.h"
#include "core/scores/read_score.h"

namespace antiphon::client {
namespace {

constexpr double kMaxDecodedSeconds = 24 * 3600.0;  // of an input of which all or a part is sent

// For MapError: the failure as one of the input.
auto BadInput(const std::string& name) {
  return [&name](const absl::Status& failure) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", failure.message()));
  };
}

absl::Status TooLarge(const Input& input, int64_t max_bytes) {
  return absl::InvalidArgumentError(
      absl::StrCat(input.name, " is too large to send (the server takes ", FormatBytes(max_bytes),
                   "): name a part with --start and --length"));
}

v1::Audio ToPcm(const audio::Waveform& waveform) {
  v1::Audio audio;
  v1::Pcm& pcm = *audio.mutable_pcm();
  pcm.set_encoding(v1::Pcm::ENCODING_INT16);
  pcm.set_sample_rate(waveform.sample_rate);
  pcm.set_channels(1);
  pcm.set_samples(ToInt16(waveform.samples));
  return audio;
}

absl::StatusOr<audio::Waveform> Decode(const Input& input, double start_s, double length_s,
                                       std::vector<std::string>& warnings) {
  audio::DecodeOptions decode;
  decode.sample_rate = kStreamRate;
  decode.max_duration_s = kMaxDecodedSeconds;
  decode.start_s = start_s;
  decode.length_s = length_s;
  audio::DecodeReport report;
  auto waveform = input.path.empty() ? audio::plain::DecodeMemory(input.bytes, decode, &report)
                                     : audio::plain::DecodeFile(input.path, decode, &report);
  if (!waveform.ok()) return NotDecoded(input, waveform.status());
  warnings = WarningsOf(report);
  return waveform;
}

// Whether the server cuts a part out of this better than libsndfile does here.
bool IsBetterSentWhole(audio::SoundFormat format) {
  return !audio::plain::Reads(format) || format == audio::SoundFormat::kMp3 ||
         format == audio::SoundFormat::kOgg;
}

v1::Excerpt ToExcerpt(const QueryOptions& options) {
  v1::Excerpt excerpt;
  if (options.start_s) excerpt.set_start_seconds(*options.start_s);
  if (options.length_s) excerpt.set_end_seconds(options.start_s.value_or(0) + *options.length_s);
  return excerpt;
}

// As the file of the first of the formats, from exact to small, that fits.
absl::StatusOr<std::string> EncodeToFit(const Input& input, const audio::Waveform& waveform,
                                        int64_t max_bytes) {
  for (const audio::AudioFormat format :
       {audio::AudioFormat::kFlac, audio::AudioFormat::kOggVorbis}) {
    ASSIGN_OR_RETURN(std::string file,
                     MapError(audio::EncodeAudio(waveform, format), BadInput(input.name)));
    if (static_cast<int64_t>(file.size()) <= max_bytes - kMessageOverheadBytes) return file;
  }
  return TooLarge(input, max_bytes);
}

absl::StatusOr<v1::Audio> MakeAudio(const Input& input, const QueryOptions& options, Query& query) {
  const int64_t room = options.max_bytes - kMessageOverheadBytes;
  const bool whole = !options.start_s && !options.length_s;
  const bool excerpt =
      !whole && options.takes_excerpt && IsBetterSentWhole(audio::SoundFormatOf(input.bytes));
  if ((whole || excerpt) && input.size <= room) {
    ASSIGN_OR_RETURN(std::string bytes, ReadAll(input));
    v1::Audio audio;
    audio.set_file(std::move(bytes));
    query.offset_s = 0;
    if (excerpt) query.excerpt = ToExcerpt(options);
    return audio;
  }
  ASSIGN_OR_RETURN(
      const audio::Waveform waveform,
      Decode(input, options.start_s.value_or(0), options.length_s.value_or(0), query.warnings));
  if (static_cast<int64_t>(waveform.samples.size() * sizeof(int16_t)) <= room)
    return ToPcm(waveform);
  ASSIGN_OR_RETURN(std::string file, EncodeToFit(input, waveform, options.max_bytes));
  v1::Audio audio;
  audio.set_file(std::move(file));
  return audio;
}

absl::StatusOr<v1::Score> MakeScore(const Input& input, const QueryOptions& options,
                                    std::vector<std::string>& warnings) {
  if (input.size > options.max_bytes - kMessageOverheadBytes)
    return TooLarge(input, options.max_bytes);
  ASSIGN_OR_RETURN(std::string bytes, ReadAll(input));
  if (!options.start_s && !options.length_s) return ToScore(std::move(bytes));
  ASSIGN_OR_RETURN(const music::Score score,
                   MapError(notation::ReadScore(bytes), BadInput(input.name)));
  warnings = score.warnings;  // the part that is sent no longer shows them
  const double start_s = options.start_s.value_or(0);
  if (start_s >= score.duration_s) {
    return absl::InvalidArgumentError(
        absl::StrCat(input.name, ": --start is beyond its end at ", FormatTime(score.duration_s)));
  }
  const double end_s =
      options.length_s ? start_s + *options.length_s : std::numeric_limits<double>::infinity();
  ASSIGN_OR_RETURN(
      std::string midi,
      MapError(music::WriteMidi(music::Excerpt(score, start_s, end_s)), BadInput(input.name)));
  return ToScore(std::move(midi));
}

}  // namespace

v1::Score ToScore(std::string file) {
  v1::Score score;
  const auto format = notation::FormatOf(file);
  const bool midi = format.value_or(notation::ScoreFormat::kMidi) == notation::ScoreFormat::kMidi;
  midi ? score.set_midi(std::move(file)) : score.set_file(std::move(file));
  return score;
}

absl::StatusOr<Query> MakeQuery(const Input& input, const QueryOptions& options) {
  RETURN_IF_ERROR(CheckLength(options.length_s));
  const Kind kind = options.as == Kind::kUnknown ? Sniff(input.bytes) : options.as;
  Query query;
  query.name = input.name;
  query.offset_s = options.start_s.value_or(0);
  switch (kind) {
    case Kind::kAudio: {
      ASSIGN_OR_RETURN(v1::Audio audio, MakeAudio(input, options, query));
      query.content = std::move(audio);
      return query;
    }
    case Kind::kScore: {
      ASSIGN_OR_RETURN(v1::Score score, MakeScore(input, options, query.warnings));
      query.content = std::move(score);
      return query;
    }
    case Kind::kUnknown:
      break;
  }
  return NotWanted(input, Kind::kUnknown);
}

absl::StatusOr<std::string> MakeAudioFile(const Input& input, int64_t max_bytes,
                                          std::vector<std::string>* warnings) {
  if (Sniff(input.bytes) != Kind::kAudio) return NotWanted(input, Kind::kAudio);
  if (input.size <= max_bytes - kMessageOverheadBytes) return ReadAll(input);
  std::vector<std::string> decoded_warnings;
  ASSIGN_OR_RETURN(const audio::Waveform waveform, Decode(input, 0, 0, decoded_warnings));
  if (warnings != nullptr) *warnings = decoded_warnings;
  return EncodeToFit(input, waveform, max_bytes);
}

absl::StatusOr<std::string> MakeScoreFile(const Input& input, int64_t max_bytes) {
  if (Sniff(input.bytes) != Kind::kScore) return NotWanted(input, Kind::kScore);
  if (input.size > max_bytes - kMessageOverheadBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        input.name, " is too large to send (the server takes ", FormatBytes(max_bytes), ")"));
  }
  return ReadAll(input);
}

absl::Status CheckOneTune(const Input& input, std::string_view file) {
  const size_t tunes = notation::TunesOf(file).size();
  if (tunes == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      input.name, " has ", tunes,
      " tunes, and the score of a piece is one of them: put it into a file of its own"));
}

}  // namespace antiphon::client
