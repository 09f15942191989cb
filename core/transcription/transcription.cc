#include "core/transcription/transcription.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "core/alignment/alignment.h"
#include "core/alignment/performance.h"
#include "core/base/check_range.h"
#include "core/base/status_macros.h"
#include "core/transcription/nearest_stretches.h"
#include "core/transcription/note_laying.h"
#include "core/transcription/recognised_stretches.h"
#include "core/transcription/sound_levels.h"

namespace antiphon::transcription {
namespace {

constexpr int kPlainVelocity = 64;
// Of the sound on either side of where a piece was recognised: the first and the last seconds of
// music are often not heard as the piece.
constexpr double kBesidePiece_s = 8;
// Of the score likewise, or as much as was heard, where that is more: with repeats, the places that
// were heard are not always those that were played.
constexpr double kBesideInScore_s = 30;
constexpr double kLeastNear_s = 2;     // of sound that no piece explains, to look for what is near
constexpr double kLeastSilence_s = 1;  // what is shorter is a rest within the music
constexpr double kLeastGap_s = 0.5;
constexpr double kShortestNote_s = 0.03;

using Score = std::shared_ptr<const music::Score>;

// What one request works on.
class Transcriber {
 public:
  Transcriber(const retrieval::Collection& collection, const audio::Waveform& sound,
              const TranscriptionOptions& options, const matching::RequestContext& context,
              const SoundLevels& levels)
      : collection_(collection),
        sound_(sound),
        options_(options),
        context_(context),
        levels_(levels),
        whole_({0, sound.duration_s()}) {}

  absl::StatusOr<Transcription> Run() {
    if (options_.recognise) RETURN_IF_ERROR(AddRecognised());
    for (const matching::Span& left : NotYetCovered()) RETURN_IF_ERROR(AddNearest(left));
    return Finish();
  }

 private:
  struct Laid {
    Stretch stretch;
    std::vector<music::Note> notes;
  };

  absl::Status KeepGoing() const {
    return context_.keep_going ? context_.keep_going() : absl::OkStatus();
  }

  absl::Status AddRecognised() {
    ASSIGN_OR_RETURN(const std::vector<RecognisedStretch> recognised,
                     RecognisePieces(collection_, sound_, options_.filter, context_));
    for (size_t i = 0; i < recognised.size(); ++i) {
      RETURN_IF_ERROR(KeepGoing());
      const matching::Span& heard = recognised[i].match.query;
      matching::Span room = {heard.start_s - kBesidePiece_s, heard.end_s + kBesidePiece_s};
      room.start_s =
          std::max(room.start_s, i > 0 ? recognised[i - 1].match.query.end_s : whole_.start_s);
      // What lies between two pieces may have been given to the first.
      if (!laid_.empty()) room.start_s = std::max(room.start_s, laid_.back().stretch.end_s);
      room.end_s =
          std::min(room.end_s, i + 1 < recognised.size() ? recognised[i + 1].match.query.start_s
                                                         : whole_.end_s);
      if (room.length_s() > 0) RETURN_IF_ERROR(Align(recognised[i], room));
    }
    return absl::OkStatus();
  }

  absl::Status Align(const RecognisedStretch& recognised, const matching::Span& room) {
    ASSIGN_OR_RETURN(const Score written, collection_.ReadScore(recognised.piece));
    const music::Score score = recognised.transposition == 0
                                   ? *written
                                   : music::Transposed(*written, recognised.transposition);
    double start_s = 0;
    const features::FeatureSequence spectrogram = levels_.Cut(room, start_s);
    alignment::PerformanceOptions options;
    const double beside_s =
        std::max(kBesideInScore_s, recognised.match.query.length_s() * recognised.match.slope);
    options.score_start_s = std::max(0.0, recognised.match.reference.start_s - beside_s);
    options.score_end_s = recognised.match.reference.end_s + beside_s;
    options.check = context_.keep_going;
    const absl::StatusOr<alignment::Performance> performance =
        alignment::AlignPerformance(spectrogram, levels_.settings(), score, options);
    // Too little sound or too few notes to align, or too many, or a front end that alignment can't
    // read: the stretch is left to its nearest windows.
    if (absl::IsFailedPrecondition(performance.status()) ||
        absl::IsInvalidArgument(performance.status()) ||
        absl::IsResourceExhausted(performance.status()))
      return absl::OkStatus();
    RETURN_IF_ERROR(performance.status());
    std::vector<Laid> passages;
    for (const alignment::PlayedPassage& passage : performance->passages) {
      passages.push_back({{.start_s = std::max(room.start_s, start_s + passage.start_s),
                           .end_s = std::min(room.end_s, start_s + passage.end_s),
                           .piece = recognised.piece,
                           .score_start_s = passage.score_start_s,
                           .score_end_s = passage.score_end_s,
                           .transposition = recognised.transposition,
                           .similarity = recognised.similarity,
                           .confidence = recognised.confidence,
                           .aligned = true},
                          {}});
    }
    for (const alignment::PlayedNote& played : performance->notes) {
      music::Note note = score.notes[played.note];
      const double sustained_s = note.sounding_offset_s - note.offset_s;
      note.onset_s = std::max(0.0, start_s + played.onset_s);
      note.offset_s = std::max(start_s + played.offset_s, note.onset_s + kShortestNote_s);
      note.sounding_offset_s = note.offset_s + sustained_s;
      passages[played.passage].notes.push_back(note);
    }
    for (Laid& passage : passages) {
      if (passage.stretch.end_s > passage.stretch.start_s) laid_.push_back(std::move(passage));
    }
    return absl::OkStatus();
  }

  std::vector<matching::Span> NotYetCovered() const {
    std::vector<matching::Span> taken = levels_.Silences(whole_, kLeastSilence_s);
    for (const Laid& laid : laid_) taken.push_back({laid.stretch.start_s, laid.stretch.end_s});
    std::sort(taken.begin(), taken.end(), [](const matching::Span& a, const matching::Span& b) {
      return a.start_s < b.start_s;
    });
    return Uncovered(whole_, taken);
  }

  absl::Status AddNearest(const matching::Span& left) {
    if (left.length_s() < kLeastNear_s) return absl::OkStatus();
    PathOptions options;
    options.min_similarity = options_.min_similarity;
    ASSIGN_OR_RETURN(const std::vector<NearestStretch> nearest,
                     FindNearest(collection_, sound_, left, options_.filter, options, context_));
    for (const NearestStretch& near : nearest) {
      if (near.similarity < options_.min_similarity) continue;
      RETURN_IF_ERROR(KeepGoing());
      ASSIGN_OR_RETURN(const Score score, collection_.ReadScore(near.piece));
      const std::vector<music::Note> notes =
          near.part == catalog::kWhole ? score->notes : music::OnlyPart(*score, near.part).notes;
      const music::TimeMap map = Refined(near, notes);
      std::vector<music::Note> laid = LaidNotes(notes, map, near.sound);
      // Those that are not heard are kept: measured on performances, leaving them out takes more
      // right notes than wrong ones.
      const auto heard = std::count_if(laid.begin(), laid.end(), [&](const music::Note& note) {
        return IsHeard(levels_, note);
      });
      const double confidence =
          laid.empty() ? 0 : static_cast<double>(heard) / static_cast<double>(laid.size());
      laid_.push_back({{.start_s = near.sound.start_s,
                        .end_s = near.sound.end_s,
                        .piece = near.piece,
                        .score_start_s = map.To(near.sound.start_s),
                        .score_end_s = map.To(near.sound.end_s),
                        .similarity = near.similarity,
                        .confidence = confidence},
                       std::move(laid)});
    }
    return absl::OkStatus();
  }

  // The stretch's map, moved to where the sound has the onsets, as far as it has them.
  music::TimeMap Refined(const NearestStretch& near, const std::vector<music::Note>& notes) const {
    if (!options_.refine) return near.map;
    constexpr double kMargin_s = 0.5;
    constexpr double kMostMoved_s = 0.5;
    double start_s = 0;
    const features::FeatureSequence spectrogram = levels_.Cut(near.sound, start_s);
    alignment::AlignmentOptions options;
    options.score_start_s = near.map.To(near.sound.start_s);
    options.score_end_s = near.map.To(near.sound.end_s);
    options.margin_s = kMargin_s;
    const absl::StatusOr<music::TimeMap> fine =
        alignment::AlignToScore(spectrogram, levels_.settings(), notes, options);
    if (!fine.ok()) return near.map;
    std::vector<music::TimePoint> points;
    for (music::TimePoint point : fine->points()) {
      point.from_s += start_s;
      if (std::abs(near.map.From(point.to_s) - point.from_s) > kMostMoved_s) return near.map;
      points.push_back(point);
    }
    const absl::StatusOr<music::TimeMap> moved = music::TimeMap::Create(std::move(points));
    return moved.ok() ? *moved : near.map;
  }

  Transcription Finish() {
    std::sort(laid_.begin(), laid_.end(),
              [](const Laid& a, const Laid& b) { return a.stretch.start_s < b.stretch.start_s; });
    Transcription result;
    struct Placed {
      music::Note note;
      int stretch;
    };
    std::vector<Placed> placed;
    for (const Laid& laid : laid_) {
      for (const music::Note& note : laid.notes)
        placed.push_back({note, static_cast<int>(result.stretches.size())});
      result.stretches.push_back(laid.stretch);
    }
    std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
      return std::tie(a.note.onset_s, a.note.pitch) < std::tie(b.note.onset_s, b.note.pitch);
    });
    for (const Placed& one : placed) {
      result.notes.push_back(one.note);
      result.stretch.push_back(one.stretch);
    }
    for (music::Note& note : result.notes) note.velocity = kPlainVelocity;
    if (options_.velocity) SetVelocities(levels_, result.notes);
    for (const matching::Span& gap : NotYetCovered()) {
      if (gap.length_s() >= kLeastGap_s) result.gaps.push_back({gap.start_s, gap.end_s});
    }
    return result;
  }

  const retrieval::Collection& collection_;
  const audio::Waveform& sound_;
  const TranscriptionOptions& options_;
  const matching::RequestContext& context_;
  const SoundLevels& levels_;
  const matching::Span whole_;
  std::vector<Laid> laid_;
};

}  // namespace

absl::StatusOr<Transcription> TranscribeMatched(const retrieval::Collection& collection,
                                                const audio::Waveform& sound,
                                                const TranscriptionOptions& options,
                                                const matching::RequestContext& context) {
  RETURN_IF_ERROR(CheckRange("min_similarity", options.min_similarity,
                             matching::SearchFilter::kMinSimilarityRange));
  features::FeatureSettings settings = alignment::PerformanceSettings();
  if (settings.sample_rate != sound.sample_rate) settings = collection.feature_settings();
  ASSIGN_OR_RETURN(const SoundLevels levels, SoundLevels::Of(sound, settings));
  return Transcriber(collection, sound, options, context, levels).Run();
}

}  // namespace antiphon::transcription
