#include "server/performances/align.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/alignment/performance.h"
#include "core/alignment/played_score.h"
#include "core/audio/pcm_stream.h"
#include "core/base/status_macros.h"
#include "core/collection/embedder.h"
#include "core/features/audible.h"
#include "core/features/audio_front_end.h"
#include "core/music/midi_file.h"
#include "server/performances/alignment_response.h"
#include "server/performances/score_reference.h"
#include "server/performances/request_sound.h"
#include "server/services/decode.h"
#include "server/services/request_options.h"
#include "server/services/sample_stream.h"
#include "server/services/warnings.h"
#include "server/wire/conversions.h"
#include "server/wire/field_checks.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

constexpr int kLeastOnsets = 2;     // of a score, for there to be anything between them
constexpr int kLeastBandsPerOctave = 12;  // of a spectrogram: a band for each semitone

// What a call is to align with, and how, its fields checked.
struct Plan {
  std::string prefix;  // of the options' fields
  ScoreReference reference;
  matching::IdentifyOptions identify;  // where there is no reference
  bool as_written = false, without_notes = false, include_midi = false;
};

// A recording, or the part of it that is looked at.
struct Heard {
  features::FeatureSequence spectrogram;
  features::FeatureSettings settings;
  double duration_s = 0;
  double offset_s = 0;     // of the part within the recording
  const char* field = "";  // of the request
};

absl::StatusOr<Plan> ToPlan(Call& call, absl::string_view prefix, const v1::AlignOptions& options,
                            const Limits& limits) {
  const features::FeatureSettings& settings = call.collection().feature_settings();
  if (settings.front_end != features::FrontEndKind::kConstantQ ||
      settings.bands_per_octave < kLeastBandsPerOctave) {
    return CallerError(absl::StatusCode::kFailedPrecondition,
                       "the spectrograms of this model cannot be aligned: they are not constant-Q "
                       "transforms with a band for each semitone");
  }
  Plan plan;
  plan.prefix = std::string(prefix);
  plan.as_written = options.as_written();
  plan.without_notes = options.without_notes();
  plan.include_midi = options.include_midi();
  ASSIGN_OR_RETURN(plan.identify.filter,
                   ToSearchFilter(prefix, options.filter(), v1::SEARCH_MODE_UNSPECIFIED,
                                  std::nullopt, limits));
  plan.identify.max_windows = limits.max_query_windows;
  ASSIGN_OR_RETURN(plan.reference, ReadReference(call, prefix, options, limits));
  if (plan.reference.score != nullptr && options.has_filter()) {
    return FieldError(absl::StatusCode::kInvalidArgument, absl::StrCat(prefix, "filter"),
                      absl::StrCat("set beside ", plan.reference.field,
                                   "; it is for recordings to identify"));
  }
  return plan;
}

// The piece of the collection that was played, into the plan and the response. The verdict is not a
// match where there is none.
absl::StatusOr<v1::Verdict> IdentifyPiece(Call& call, const Heard& heard, Plan& plan,
                                          v1::AlignResponse* response) {
  const retrieval::Collection& collection = call.collection();
  if (!(collection.feature_settings() == heard.settings)) {
    return CallerError(absl::StatusCode::kAborted,
                       "the model was replaced while the recording came in; send it again");
  }
  ASSIGN_OR_RETURN(matching::EmbeddingSequence windows, call.InStage(v1::STAGE_ENCODE, [&] {
    return collection::EmbedFeatures(
        collection.audio_encoder(), heard.spectrogram, 1.0,
        {.hop_s = plan.identify.hop_s, .max_windows = plan.identify.max_windows},
        [&] { return call.KeepGoing(); });
  }));
  ASSIGN_OR_RETURN(const auto identification,
                   AtField(collection.IdentifyEmbedded(std::move(windows), heard.duration_s,
                                                       plan.identify, call.context()),
                           heard.field));
  if (!identification.candidates.empty())
    response->set_confidence(identification.candidates[0].confidence);
  if (identification.verdict != matching::Verdict::kMatch) return ToWire(identification.verdict);
  ASSIGN_OR_RETURN(plan.reference, ReferenceToPiece(call, identification.candidates[0].source));
  return v1::VERDICT_MATCH;
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
  alignment::Performance shifted = performance;
  for (alignment::PlayedPassage& passage : shifted.passages) {
    passage.start_s += heard.offset_s;
    passage.end_s += heard.offset_s;
  }
  for (alignment::PlayedBeat& beat : shifted.beats) beat.at_s += heard.offset_s;
  for (alignment::PlayedNote& note : shifted.notes) {
    note.onset_s += heard.offset_s;
    note.offset_s += heard.offset_s;
  }
  ASSIGN_OR_RETURN(std::string midi,
                   music::WriteMidi(alignment::PlayedScore(score, shifted)));
  response->set_midi(std::move(midi));
  return absl::OkStatus();
}

// From what was heard to the response, all but its info. `why_silent` says why there is nothing to
// compare, if there is not.
absl::StatusOr<v1::Verdict> AlignHeard(Call& call, const Heard& heard, Plan plan,
                                       const std::string& why_silent, const Limits& limits,
                                       v1::AlignResponse* response) {
  if (!features::IsAudible(heard.spectrogram)) {
    WarnOfTooLittle(call, heard.field, why_silent);
    return v1::VERDICT_INSUFFICIENT_INPUT;
  }
  if (plan.reference.score == nullptr) {
    ASSIGN_OR_RETURN(const v1::Verdict verdict, IdentifyPiece(call, heard, plan, response));
    if (verdict == v1::VERDICT_INSUFFICIENT_INPUT)
      WarnOfTooLittle(call, heard.field, why_silent);
    if (verdict != v1::VERDICT_MATCH) return verdict;
  }
  if (plan.reference.source) *response->mutable_source() = *plan.reference.source;
  const music::Score& score = *plan.reference.score;
  if (std::ssize(music::DistinctOnsets(score.notes)) < kLeastOnsets) {
    WarnOfTooLittle(call, plan.reference.field, "fewer than two notes begin in the score");
    return v1::VERDICT_INSUFFICIENT_INPUT;
  }
  auto performance = call.InStage(v1::STAGE_ALIGN, [&] {
    return alignment::AlignPerformance(
        heard.spectrogram, heard.settings, score,
        {.jumps = !plan.as_written, .check = [&] { return call.KeepGoing(); }});
  });
  if (absl::IsFailedPrecondition(performance.status())) {
    WarnOfTooLittle(call, heard.field, "fewer than two notes begin in the sound");
    return v1::VERDICT_INSUFFICIENT_INPUT;
  }
  RETURN_IF_ERROR(AtField(performance.status(), heard.field));
  response->set_agreement(performance->agreement);
  if (performance->agreement < alignment::kBelongTogether) return v1::VERDICT_NO_MATCH;
  RETURN_IF_ERROR(call.InStage(v1::STAGE_RESPOND, [&] {
    return Respond(heard, plan, score, *performance, response);
  }));
  RETURN_IF_ERROR(CheckSize(plan, *response, limits));
  return v1::VERDICT_MATCH;
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

// The spectrogram of a recording that comes in chunks.
class Listener {
 public:
  Listener(const StreamContext& context, Call& call, std::unique_ptr<audio::PcmStream> pcm,
           std::unique_ptr<const features::AudioFrontEnd> front_end)
      : context_(context),
        call_(call),
        pcm_(std::move(pcm)),
        front_end_(std::move(front_end)),
        stream_(*front_end_) {
    heard_.settings = front_end_->settings();
    heard_.field = "samples";
  }

  absl::Status Hear(std::string_view bytes) {
    call_.Pin(context_.store.Current());
    samples_.clear();
    RETURN_IF_ERROR(AtField(
        call_.InStage(v1::STAGE_DECODE, [&] { return pcm_->Push(bytes, samples_); }), "samples"));
    return Take();
  }

  absl::StatusOr<Heard> Finish() {
    call_.Pin(context_.store.Current());
    samples_.clear();
    RETURN_IF_ERROR(AtField(pcm_->Finish(samples_), "samples"));
    RETURN_IF_ERROR(Take());
    stream_.Finish(heard_.spectrogram);
    heard_.duration_s = received_s();
    Raise();
    return std::move(heard_);
  }

 private:
  double received_s() const {
    return static_cast<double>(received_) / front_end_->settings().sample_rate;
  }

  absl::Status Take() {
    received_ += static_cast<int64_t>(samples_.size());
    if (received_s() > context_.limits.max_align_s) {
      return FieldError(absl::StatusCode::kResourceExhausted, "samples",
                        "the recording is too long",
                        absl::StrCat("up to ", context_.limits.max_align_s, " s"));
    }
    peak_ = std::max(peak_, features::PeakOf(samples_));
    return call_.InStage(v1::STAGE_FEATURES, [&] {
      stream_.Push(samples_, heard_.spectrogram);
      return absl::OkStatus();
    });
  }

  // A recording that is far too quiet, as its levels would be had it been raised before: those that
  // were too low to be seen stay so.
  void Raise() {
    const float gain = features::GainFor(peak_);
    if (gain == 1) return;
    const int steps = static_cast<int>(std::lround(2 * 20 * std::log10(gain)));
    for (uint8_t& cell : heard_.spectrogram.cells) {
      if (cell > 0) cell = static_cast<uint8_t>(std::min(255, cell + steps));
    }
  }

  const StreamContext& context_;
  Call& call_;
  const std::unique_ptr<audio::PcmStream> pcm_;
  const std::unique_ptr<const features::AudioFrontEnd> front_end_;
  features::SpectrogramStream stream_;
  Heard heard_;
  std::vector<float> samples_;  // of one chunk, at the front end's rate
  int64_t received_ = 0;
  float peak_ = 0;
};

}  // namespace

absl::Status Align(const StreamContext& context, Call& call, const v1::AlignRequest& request,
                   v1::AlignResponse* response) {
  ASSIGN_OR_RETURN(const auto excerpt, ToExcerpt("", request.excerpt()));
  ASSIGN_OR_RETURN(Plan plan, ToPlan(call, "options.", request.options(), context.limits));
  Heard heard;
  heard.settings = call.collection().feature_settings();
  heard.field = "audio";
  heard.offset_s = excerpt.start_s;
  ASSIGN_OR_RETURN(audio::Waveform sound,
                   DecodeSound(call, request.has_audio(), request.audio(), excerpt, context.limits));
  const double duration_s = sound.duration_s();
  std::string why_silent = WhyTooLittle(sound, excerpt, heard.settings);
  CutTo(excerpt, sound);
  heard.duration_s = sound.duration_s();
  ASSIGN_OR_RETURN(heard.spectrogram, call.InStage(v1::STAGE_FEATURES, [&] {
    return SpectrogramOf(sound, heard.settings);
  }));
  return Finish(
      context, call,
      AlignHeard(call, heard, std::move(plan), why_silent, context.limits, response), duration_s,
      response);
}

absl::Status AlignLong(const StreamContext& context, Call& call,
                       MessageReader<v1::AlignStreamRequest>& stream,
                       v1::AlignResponse* response) {
  v1::AlignStreamRequest request;
  RETURN_IF_ERROR(ReadOptions(stream, &request));
  ASSIGN_OR_RETURN(const auto format, ToPcmFormat(request.options(), context.limits));
  ASSIGN_OR_RETURN(Plan plan, ToPlan(call, "options.align.", request.options().align(),
                                     context.limits));
  const features::FeatureSettings settings = call.collection().feature_settings();
  ASSIGN_OR_RETURN(auto pcm,
                   AtField(audio::PcmStream::Create(format, settings.sample_rate), "options"));
  ASSIGN_OR_RETURN(auto front_end, features::AudioFrontEnd::Create(settings));
  Listener listener(context, call, std::move(pcm), std::move(front_end));
  RETURN_IF_ERROR(
      ReadSamples(stream, [&](std::string_view bytes) { return listener.Hear(bytes); }));
  ASSIGN_OR_RETURN(const Heard heard, listener.Finish());
  return Finish(context, call,
                AlignHeard(call, heard, std::move(plan),
                           "silent, or there are no notes in the sound", context.limits, response),
                heard.duration_s, response);
}

}  // namespace antiphon::server
