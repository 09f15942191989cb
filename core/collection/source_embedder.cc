#include "core/collection/source_embedder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/error_reason.h"
#include "core/base/status_macros.h"
#include "core/decoding/decoder.h"
#include "core/features/audible.h"
#include "core/matching/stage_timer.h"
#include "core/scores/read_score.h"

namespace antiphon::collection {
namespace {

using catalog::Side;

// What the score says of the piece.
void Describe(const music::Score& score, catalog::Piece& piece) {
  double end_s = 0;
  for (const music::Note& note : score.notes) end_s = std::max(end_s, note.offset_s);
  piece.duration_s = score.duration_s;
  piece.beats = score.tempo_map.BeatsAt(score.duration_s);
  // A note that ends on a bar line does not begin the next bar, however it is rounded.
  const double last_beat = std::max(0.0, score.tempo_map.BeatsAt(end_s) - 0.01);
  piece.bars = PositionAt(score, score.tempo_map.SecondsAt(last_beat)).bar.bar;
  // Of notation all that are printed, whatever is played last.
  for (const music::PlayedBar& bar : score.bars) piece.bars = std::max(piece.bars, bar.number);
  piece.notes = static_cast<int>(score.notes.size());
}

// The parts that are embedded by themselves: all that have notes. One alone is the whole.
absl::StatusOr<std::vector<int>> PartsToEmbed(const music::Score& score) {
  std::vector<int> parts = music::SoundingParts(score);
  if (parts.size() > catalog::kMostParts) {
    return absl::InvalidArgumentError(absl::StrCat("the score has ", parts.size(),
                                                   " parts, and at most ", catalog::kMostParts,
                                                   " are indexed one by one: index it whole"));
  }
  if (parts.size() == 1) parts.clear();
  return parts;
}

// Why there is nothing to embed.
absl::Status NoNotes(const music::Score& score) {
  if (score.drum_notes == 0) return absl::InvalidArgumentError("the score has no notes");
  return absl::InvalidArgumentError(
      absl::StrCat("all notes of the score (", score.drum_notes,
                   ") are on a drum channel, such as channel 10, and drums are not compared: "
                   "move them to another channel"));
}

void Append(const matching::EmbeddingSequence& sequence, int part, catalog::SourceRecord& record) {
  const auto first = static_cast<int64_t>(record.vectors.size()) / sequence.dimension;
  const std::vector<catalog::SnippetRun> runs = RunsOf(sequence, 0, first, part);
  record.runs.insert(record.runs.end(), runs.begin(), runs.end());
  record.vectors.insert(record.vectors.end(), sequence.embeddings.begin(),
                        sequence.embeddings.end());
}

absl::StatusOr<catalog::SourceRecord> Checked(catalog::SourceRecord record, int dimension) {
  RETURN_IF_ERROR(CheckRecord(record, dimension));
  return record;
}

// Adds the windows of the score, which is the whole or a part, at every tempo.
absl::Status AppendScore(const encoder::WindowEncoder& score_encoder, const SourcePlan& plan,
                         const music::Score& score, int part,
                         const matching::RequestContext& context, matching::StageTimer& timer,
                         catalog::SourceRecord& record) {
  for (const double tempo_ratio : plan.tempo_ratios) {
    ASSIGN_OR_RETURN(const auto features, timer.Run(matching::Stage::kFeatures, [&] {
      return ScoreFeatures(score_encoder.info().settings, score, tempo_ratio);
    }));
    ASSIGN_OR_RETURN(const auto sequence, timer.Run(matching::Stage::kEncode, [&] {
      return EmbedFeatures(score_encoder, features, tempo_ratio, {.hop_s = plan.score_hop_s},
                           context.keep_going);
    }));
    Append(sequence, part, record);
  }
  return absl::OkStatus();
}

absl::StatusOr<catalog::SourceRecord> EmbedNotes(const encoder::WindowEncoder& score_encoder,
                                                 const SourcePlan& plan, catalog::Piece piece,
                                                 const music::Score& score, std::string file,
                                                 const matching::RequestContext& context,
                                                 matching::StageTimer& timer) {
  if (score.notes.empty()) return NoNotes(score);
  Describe(score, piece);
  catalog::SourceRecord record;
  record.side = Side::kScores;
  record.piece = std::move(piece);
  record.content = std::move(file);
  const auto append = [&](const music::Score& read, int part) {
    return AppendScore(score_encoder, plan, read, part, context, timer, record);
  };
  RETURN_IF_ERROR(append(score, catalog::kWhole));
  if (record.runs.empty())
    return absl::InvalidArgumentError("the score has no notes that the model reads");
  if (record.piece.with_parts) {
    ASSIGN_OR_RETURN(const std::vector<int> parts, PartsToEmbed(score));
    for (const int part : parts) RETURN_IF_ERROR(append(music::OnlyPart(score, part), part));
  }
  return Checked(std::move(record), score_encoder.info().dimension);
}

absl::Status CheckDamage(const audio::DecodeReport& report, audio::DamagedAudio damaged) {
  if (damaged == audio::DamagedAudio::kAccept || report.DecodedShare() >= audio::kLeastDecodedShare)
    return absl::OkStatus();
  return WithReason(absl::FailedPreconditionError(absl::StrCat(
                        "less than half can be decoded: ", absl::StrJoin(report.Warnings(), "; "))),
                    ErrorReason::kAudioDamaged);
}

}  // namespace

SourcePlan PlanOf(const bundle::Manifest& manifest) {
  return {manifest.tempo_ratios, manifest.score_hop_s, manifest.recording_hop_s};
}

absl::StatusOr<catalog::SourceRecord> EmbedPiece(const encoder::WindowEncoder& score_encoder,
                                                 const SourcePlan& plan, catalog::Piece piece,
                                                 std::string file,
                                                 const matching::RequestContext& context) {
  matching::StageTimer timer(context);
  RETURN_IF_ERROR(timer.KeepGoing());
  ASSIGN_OR_RETURN(const music::Score score, notation::ReadScore(file));
  return EmbedNotes(score_encoder, plan, std::move(piece), score, std::move(file), context, timer);
}

absl::StatusOr<catalog::SourceRecord> EmbedPiece(const encoder::WindowEncoder& score_encoder,
                                                 const SourcePlan& plan, catalog::Piece piece,
                                                 const music::Score& score, std::string file,
                                                 const matching::RequestContext& context) {
  matching::StageTimer timer(context);
  RETURN_IF_ERROR(timer.KeepGoing());
  return EmbedNotes(score_encoder, plan, std::move(piece), score, std::move(file), context, timer);
}

absl::StatusOr<catalog::SourceRecord> EmbedRecording(const encoder::WindowEncoder& audio_encoder,
                                                     const features::AudioFrontEnd& front_end,
                                                     const SourcePlan& plan,
                                                     catalog::Recording recording,
                                                     std::string audio, audio::DamagedAudio damaged,
                                                     audio::DecodeReport* report,
                                                     const matching::RequestContext& context) {
  matching::StageTimer timer(context);
  RETURN_IF_ERROR(timer.KeepGoing());
  audio::DecodeReport decoded;
  ASSIGN_OR_RETURN(
      const audio::Waveform waveform,
      audio::DecodeMemory(audio, {.sample_rate = front_end.settings().sample_rate}, &decoded));
  if (report != nullptr) *report = decoded;
  RETURN_IF_ERROR(CheckDamage(decoded, damaged));
  if (features::PeakOf(waveform.samples) < features::kSilentPeak)
    return absl::InvalidArgumentError("the recording is silent");
  recording.duration_s = waveform.duration_s();
  catalog::SourceRecord record;
  record.side = Side::kRecordings;
  record.recording = std::move(recording);
  record.content = std::move(audio);
  ASSIGN_OR_RETURN(const auto features, timer.Run(matching::Stage::kFeatures, [&] {
    return AudioFeatures(front_end, waveform);
  }));
  ASSIGN_OR_RETURN(const auto sequence, timer.Run(matching::Stage::kEncode, [&] {
    return EmbedFeatures(audio_encoder, features, 1.0, {.hop_s = plan.recording_hop_s},
                         context.keep_going);
  }));
  Append(sequence, catalog::kWhole, record);
  if (record.runs.empty()) return absl::InvalidArgumentError("the recording is silent");
  return Checked(std::move(record), audio_encoder.info().dimension);
}

}  // namespace antiphon::collection
