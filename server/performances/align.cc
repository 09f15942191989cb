#include "server/performances/align.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/alignment/performance.h"
#include "core/alignment/played_score.h"
#include "core/base/status_macros.h"
#include "core/features/audible.h"
#include "core/music/midi_file.h"
#include "server/performances/alignment_response.h"
#include "server/performances/recording_listener.h"
#include "server/performances/request_sound.h"
#include "server/performances/score_reference.h"
#include "server/services/decode.h"
#include "server/services/request_options.h"
#include "server/services/sample_stream.h"
#include "server/services/warnings.h"
#include "server/wire/conversions.h"
#include "server/wire/field_checks.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

constexpr int kLeastOnsets = 2;  // of a score, for there to be anything between them
static_assert(Limits::kMaxAlignRange.high <= alignment::kMaxRecording_s,
              "what AlignLong may be sent can be aligned");

// What a call is to align with, and how, its fields checked.
struct Plan {
  std::string prefix;  // of the options' fields
  ScoreReference reference;
  matching::IdentifyOptions identify;  // where there is no reference
  bool as_written = false, without_notes = false, include_midi = false;
};

// A recording, or the part of it that is looked at.
struct Heard {
  features::FeatureSequence spectrogram;  // of alignment::PerformanceSettings
  double offset_s = 0;                    // of the part within the recording
  const char* field = "";                 // of the request
  std::string why_silent;                 // if there is nothing to compare, why
};

absl::StatusOr<Plan> ToPlan(Call& call, absl::string_view prefix, const v1::AlignOptions& options,
                            const Limits& limits) {
  Plan plan;
  plan.prefix = std::string(prefix);
  plan.as_written = options.as_written();
  plan.without_notes = options.without_notes();
  plan.include_midi = options.include_midi();
  ASSIGN_OR_RETURN(plan.identify.filter,
                   ToSearchFilter(prefix, options.filter(), options.mode(), std::nullopt, limits));
  plan.identify.max_windows = limits.max_query_windows;
  ASSIGN_OR_RETURN(plan.reference, ReadReference(call, prefix, options, limits));
  if (plan.reference.score != nullptr && options.has_filter()) {
    return FieldError(
        absl::StatusCode::kInvalidArgument, absl::StrCat(prefix, "filter"),
        absl::StrCat("set beside ", plan.reference.field, "; it is for recordings to identify"));
  }
  return plan;
}

// That a response can be received by those who could send the request.
absl::Status CheckSize(const Plan& plan, const v1::AlignResponse& response, const Limits& limits) {
  const auto bytes = static_cast<int64_t>(response.ByteSizeLong());
  if (bytes <= limits.max_message_bytes()) return absl::OkStatus();
  return FieldError(
      absl::StatusCode::kResourceExhausted,
      absl::StrCat(plan.prefix, response.notes().empty() ? "include_midi" : "without_notes"),
      absl::StrCat("the answer takes ", bytes, " bytes, most of them for ",
                   response.notes().empty() ? "the MIDI file" : "its notes"),
      absl::StrCat("up to ", limits.max_message_bytes(), " bytes"));
}

absl::Status Respond(const Heard& heard, const Plan& plan, const music::Score& score,
                     const alignment::Performance& performance, v1::AlignResponse* response) {
  FillAlignment(score, performance, heard.offset_s, !plan.without_notes, response);
  if (!plan.include_midi) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::string midi, music::WriteMidi(alignment::PlayedScore(score, performance)));
  response->set_midi(std::move(midi));
  return absl::OkStatus();
}

absl::Status CheckScore(const music::Score& score, absl::string_view field) {
  if (std::ssize(score.notes) <= alignment::kMaxScoreNotes &&
      score.duration_s <= alignment::kMaxScore_s)
    return absl::OkStatus();
  return FieldError(absl::StatusCode::kResourceExhausted, field,
                    absl::StrCat(score.notes.size(), " notes in ", score.duration_s, " s"),
                    absl::StrCat("up to ", alignment::kMaxScoreNotes, " notes and ",
                                 alignment::kMaxScore_s, " s"));
}

// From what was heard to the response, all but its info. `identify` returns a StatusOr<Identified>;
// it is asked where the plan names no score.
template <typename Identify>
absl::StatusOr<v1::Verdict> AlignHeard(Call& call, const Heard& heard, Plan plan,
                                       const Limits& limits, v1::AlignResponse* response,
                                       const Identify& identify) {
  if (!features::IsAudible(heard.spectrogram)) {
    WarnOfTooLittle(call, heard.field, heard.why_silent);
    return v1::VERDICT_INSUFFICIENT_INPUT;
  }
  if (plan.reference.score == nullptr) {
    ASSIGN_OR_RETURN(const Identified identified, AtField(identify(), heard.field));
    if (identified.verdict == v1::VERDICT_INSUFFICIENT_INPUT)
      WarnOfTooLittle(call, heard.field, heard.why_silent);
    response->set_confidence(identified.confidence);
    if (identified.verdict != v1::VERDICT_MATCH) return identified.verdict;
    ASSIGN_OR_RETURN(plan.reference, ReferenceToPiece(call, identified.piece));
    plan.reference.field = heard.field;
  }
  if (plan.reference.source) *response->mutable_source() = *plan.reference.source;
  const music::Score& score = *plan.reference.score;
  RETURN_IF_ERROR(CheckScore(score, plan.reference.field));
  if (std::ssize(music::DistinctOnsets(score.notes)) < kLeastOnsets) {
    WarnOfTooLittle(call, plan.reference.field, "fewer than two notes begin in the score");
    return v1::VERDICT_INSUFFICIENT_INPUT;
  }
  auto performance = call.InStage(v1::STAGE_ALIGN, [&] {
    return alignment::AlignPerformance(
        heard.spectrogram, alignment::PerformanceSettings(), score,
        {.jumps = !plan.as_written, .check = [&] { return call.KeepGoing(); }});
  });
  if (absl::IsFailedPrecondition(performance.status())) {
    WarnOfTooLittle(call, heard.field, "fewer than two notes begin in the sound");
    return v1::VERDICT_INSUFFICIENT_INPUT;
  }
  RETURN_IF_ERROR(AtField(performance.status(), heard.field));
  response->set_agreement(performance->agreement);
  if (performance->agreement < alignment::kBelongTogether) return v1::VERDICT_NO_MATCH;
  RETURN_IF_ERROR(call.InStage(
      v1::STAGE_RESPOND, [&] { return Respond(heard, plan, score, *performance, response); }));
  RETURN_IF_ERROR(CheckSize(plan, *response, limits));
  return v1::VERDICT_MATCH;
}

absl::StatusOr<Identified> IdentifyWhole(Call& call, const audio::Waveform& sound,
                                         const matching::IdentifyOptions& options) {
  ASSIGN_OR_RETURN(const auto answer,
                   call.collection().IdentifyAudio(sound, options, call.context()));
  Identified identified{.verdict = ToWire(answer.verdict)};
  if (answer.candidates.empty()) return identified;
  identified.confidence = answer.candidates.front().confidence;
  identified.piece = answer.candidates.front().source;
  return identified;
}

absl::Status Finish(const StreamContext& context, Call& call,
                    const absl::StatusOr<v1::Verdict>& verdict, double duration_s,
                    v1::AlignResponse* response) {
  RETURN_IF_ERROR(verdict.status());
  response->set_verdict(*verdict);
  context.metrics.RecordVerdict(call.method(), *verdict);
  call.FillInfo(duration_s, response->mutable_info());
  return absl::OkStatus();
}

}  // namespace

absl::Status Align(const StreamContext& context, Call& call, const v1::AlignRequest& request,
                   v1::AlignResponse* response) {
  ASSIGN_OR_RETURN(const auto excerpt, ToExcerpt("", request.excerpt()));
  ASSIGN_OR_RETURN(Plan plan, ToPlan(call, "options.", request.options(), context.limits));
  const features::FeatureSettings settings = alignment::PerformanceSettings();
  const auto decode = [&](int sample_rate) {
    return DecodeSound(call, request.has_audio(), request.audio(), sample_rate, excerpt,
                       context.limits);
  };
  ASSIGN_OR_RETURN(audio::Waveform sound, decode(settings.sample_rate));
  const double duration_s = sound.duration_s();
  Heard heard{.offset_s = excerpt.start_s, .field = "audio"};
  heard.why_silent = WhyTooLittle(sound, excerpt, settings);
  CutTo(excerpt, sound);
  ASSIGN_OR_RETURN(heard.spectrogram, SpectrogramOf(call, sound, settings));
  const matching::IdentifyOptions identify_options = plan.identify;
  const auto identify = [&]() -> absl::StatusOr<Identified> {
    const int rate = call.collection().feature_settings().sample_rate;
    if (sound.sample_rate != rate) {
      ASSIGN_OR_RETURN(sound, decode(rate));
      CutTo(excerpt, sound);
    }
    return IdentifyWhole(call, sound, identify_options);
  };
  return Finish(context, call,
                AlignHeard(call, heard, std::move(plan), context.limits, response, identify),
                duration_s, response);
}

absl::Status AlignLong(const StreamContext& context, Call& call,
                       MessageReader<v1::AlignStreamRequest>& stream, v1::AlignResponse* response) {
  v1::AlignStreamRequest request;
  RETURN_IF_ERROR(ReadOptions(stream, &request));
  ASSIGN_OR_RETURN(const auto format, ToPcmFormat(request.options(), context.limits));
  ASSIGN_OR_RETURN(Plan plan,
                   ToPlan(call, "options.align.", request.options().align(), context.limits));
  ASSIGN_OR_RETURN(
      const auto listener,
      RecordingListener::Create(
          format, plan.reference.score == nullptr ? std::optional(plan.identify) : std::nullopt));
  RETURN_IF_ERROR(ReadSamples(stream, [&](std::string_view bytes) -> absl::Status {
    call.Pin(context.store.Current());
    RETURN_IF_ERROR(listener->Push(call, bytes));
    if (listener->received_s() <= context.limits.max_align_s) return absl::OkStatus();
    return FieldError(absl::StatusCode::kResourceExhausted, "samples", "the recording is too long",
                      absl::StrCat("up to ", context.limits.max_align_s, " s"));
  }));
  call.Pin(context.store.Current());
  Heard heard{.field = "samples", .why_silent = "silent, or there are no notes in the sound"};
  ASSIGN_OR_RETURN(heard.spectrogram, listener->Finish(call));
  const auto identify = [&]() -> absl::StatusOr<Identified> {
    return listener->Identify(call.collection());
  };
  return Finish(context, call,
                AlignHeard(call, heard, std::move(plan), context.limits, response, identify),
                listener->received_s(), response);
}

}  // namespace antiphon::server
