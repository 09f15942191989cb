#include "server/performances/transcribe.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/status_macros.h"
#include "core/base/steady_time.h"
#include "core/music/midi_file.h"
#include "core/transcription/transcription.h"
#include "server/performances/request_sound.h"
#include "server/services/request_options.h"
#include "server/services/warnings.h"
#include "server/wire/conversions.h"
#include "server/wire/field_checks.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

constexpr double kMinSimilarity = 0.5;  // of a stretch, unless the request says otherwise

absl::StatusOr<transcription::TranscriptionOptions> ToOptions(const v1::TranscribeRequest& request,
                                                              const Limits& limits) {
  transcription::TranscriptionOptions options;
  switch (request.method()) {
    case v1::TRANSCRIPTION_METHOD_UNSPECIFIED:
    case v1::TRANSCRIPTION_METHOD_MATCHED:
      break;
    default:  // an open enum: a newer client may send what is not known here
      return FieldError(absl::StatusCode::kInvalidArgument, "method", "unknown",
                        "TRANSCRIPTION_METHOD_MATCHED");
  }
  options.min_similarity = kMinSimilarity;
  if (request.has_min_similarity()) options.min_similarity = request.min_similarity();
  options.velocity = !request.without_velocity();
  RETURN_IF_ERROR(CheckFieldRange("min_similarity", options.min_similarity,
                                  matching::SearchFilter::kMinSimilarityRange));
  ASSIGN_OR_RETURN(options.filter,
                   ToSearchFilter("", request.filter(), request.mode(), std::nullopt, limits));
  return options;
}

// One track of one instrument: the notes are from scores of any number of parts.
absl::StatusOr<std::string> MidiOf(const std::vector<music::Note>& notes) {
  if (notes.empty()) return std::string();
  music::Score score;
  for (music::Note note : notes) {
    note.sounding_offset_s = note.offset_s;
    note.track = note.channel = 0;
    score.duration_s = std::max(score.duration_s, note.offset_s);
    score.notes.push_back(note);
  }
  return music::WriteMidi(score);
}

absl::Status FillStretches(const retrieval::Collection& collection,
                           const transcription::Transcription& transcription, double offset_s,
                           v1::TranscribeResponse* response) {
  for (const transcription::Stretch& stretch : transcription.stretches) {
    ASSIGN_OR_RETURN(const std::shared_ptr<const music::Score> score,
                     collection.ReadScore(stretch.piece));
    const auto position = [&score](double seconds) {
      return ToPosition(std::clamp(seconds, 0.0, score->duration_s), score.get());
    };
    v1::TranscribedStretch* added = response->add_stretches();
    added->set_start_seconds(offset_s + stretch.start_s);
    added->set_end_seconds(offset_s + stretch.end_s);
    *added->mutable_source() = SourceOf(collection.pieces().at(stretch.piece));
    *added->mutable_reference_start() = position(stretch.score_start_s);
    *added->mutable_reference_end() = position(stretch.score_end_s);
    added->set_transposition_semitones(stretch.transposition);
    added->set_similarity(stretch.similarity);
    added->set_confidence(stretch.confidence);
    added->set_aligned(stretch.aligned);
  }
  return absl::OkStatus();
}

absl::Status Fill(const retrieval::Collection& collection,
                  const transcription::Transcription& transcription, double offset_s,
                  v1::TranscribeResponse* response) {
  RETURN_IF_ERROR(FillStretches(collection, transcription, offset_s, response));
  for (const transcription::Gap& gap : transcription.gaps) {
    v1::TimeSpan* added = response->add_gaps();
    added->set_start_seconds(offset_s + gap.start_s);
    added->set_end_seconds(offset_s + gap.end_s);
  }
  for (size_t i = 0; i < transcription.notes.size(); ++i) {
    const music::Note& note = transcription.notes[i];
    v1::TranscribedNote* added = response->add_notes();
    added->set_onset_seconds(offset_s + note.onset_s);
    added->set_offset_seconds(offset_s + note.offset_s);
    added->set_pitch(note.pitch);
    added->set_velocity(note.velocity);
    added->set_stretch(transcription.stretch.at(i));
  }
  ASSIGN_OR_RETURN(std::string midi, MidiOf(transcription.notes));
  response->set_midi(std::move(midi));
  return absl::OkStatus();
}

// What of a call is accounted for.
double StageSecondsOf(const Call& call) {
  double seconds = 0;
  for (const auto& [stage, stage_s] : call.stages()) seconds += stage_s;
  return seconds;
}

// Silence is no gap: where there is neither a note nor a gap, there was nothing to compare.
v1::Verdict VerdictOf(const transcription::Transcription& transcription) {
  if (!transcription.notes.empty()) return v1::VERDICT_MATCH;
  return transcription.gaps.empty() ? v1::VERDICT_INSUFFICIENT_INPUT : v1::VERDICT_NO_MATCH;
}

}  // namespace

absl::Status Transcribe(const StreamContext& context, Call& call,
                        const v1::TranscribeRequest& request, v1::TranscribeResponse* response) {
  ASSIGN_OR_RETURN(const auto options, ToOptions(request, context.limits));
  ASSIGN_OR_RETURN(const auto excerpt, ToExcerpt("", request.excerpt()));
  const features::FeatureSettings& settings = call.collection().feature_settings();
  ASSIGN_OR_RETURN(audio::Waveform sound,
                   DecodeSound(call, request.has_audio(), request.audio(), settings.sample_rate,
                               excerpt, context.limits));
  const double duration_s = sound.duration_s();
  const std::string why_silent = WhyTooLittle(sound, excerpt, settings);
  CutTo(excerpt, sound);
  // The stages of the collection are timed by themselves; the rest of the time goes into the
  // scores.
  const SteadyTime start = SteadyNow();
  const double before_s = StageSecondsOf(call);
  const auto transcription = AtField(
      transcription::TranscribeMatched(call.collection(), sound, options, call.context()), "audio");
  const double others_s = StageSecondsOf(call) - before_s;
  call.RecordStage(v1::STAGE_ALIGN, std::max(0.0, SecondsSince(start) - others_s));
  RETURN_IF_ERROR(transcription.status());
  RETURN_IF_ERROR(call.InStage(v1::STAGE_RESPOND, [&] {
    return Fill(call.collection(), *transcription, excerpt.start_s, response);
  }));
  response->set_verdict(VerdictOf(*transcription));
  if (response->verdict() == v1::VERDICT_INSUFFICIENT_INPUT)
    WarnOfTooLittle(call, "audio", why_silent);
  context.metrics.RecordVerdict(call.method(), response->verdict());
  call.FillInfo(duration_s, response->mutable_info());
  return absl::OkStatus();
}

}  // namespace antiphon::server
