#include "trainer/evaluation/transcription/whole_pieces.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/decoding/decoder.h"
#include "trainer/base/fingerprint.h"
#include "trainer/data/performance.h"
#include "trainer/data/renderer.h"

namespace antiphon::trainer::evaluation {
namespace {

constexpr double kChance_s = 10;

double MeanF1(std::span<const PieceFigures> pieces, metrics::MatchCounts PieceFigures::*counts) {
  double sum = 0;
  for (const PieceFigures& piece : pieces) sum += (piece.*counts).f1();
  return pieces.empty() ? 0 : sum / static_cast<double>(pieces.size());
}

// The ids of the sources that a piece may be transcribed with; empty: all.
absl::StatusOr<std::vector<std::string>> Allowed(const retrieval::Collection& collection,
                                                 const WholePiece& piece, Known known) {
  if (known == Known::kAll) return std::vector<std::string>();
  if (known == Known::kOwn) return std::vector<std::string>{piece.id};
  const std::optional<int> own = collection.FindPiece(piece.id);
  if (!own) return absl::InternalError(absl::StrCat(piece.id, " is not in the collection"));
  std::set<int> barred = {*own};
  ASSIGN_OR_RETURN(const auto shared, collection.FindSameMusic(*own));
  for (const matching::SharedMusic& same : shared) barred.insert(same.other);
  std::vector<std::string> ids;
  for (int i = 0; i < std::ssize(collection.pieces()); ++i) {
    if (barred.count(i) == 0) ids.push_back(collection.pieces()[i].id);
  }
  return ids;
}

}  // namespace

absl::StatusOr<std::vector<WholePiece>> MapsPieces(const datasets::MapsTestBed& bed) {
  std::vector<WholePiece> pieces;
  for (const datasets::TestRecording& recording : bed.recordings) {
    ASSIGN_OR_RETURN(
        const std::string text,
        ReadWholeFile(std::filesystem::path(recording.path).replace_extension(".tsv")));
    ASSIGN_OR_RETURN(const std::vector<music::Note> notes, datasets::ParseNoteList(text));
    pieces.push_back({recording.name, bed.entries[recording.work].id,
                      metrics::HeardNotes(notes, /*sustained=*/true),
                      [path = recording.path](int sample_rate) {
                        audio::DecodeOptions decode;
                        decode.sample_rate = sample_rate;
                        return audio::DecodeFile(path, decode);
                      }});
  }
  return pieces;
}

std::vector<WholePiece> PerformedPieces(const std::vector<datasets::PartPiece>& pieces,
                                        const std::string& soundfont, uint64_t seed) {
  data::VariationOptions options;
  options.expressive_share = 1;
  std::vector<WholePiece> performed;
  for (const datasets::PartPiece& piece : pieces) {
    const data::Variation variation = data::DrawVariation(
        options, {soundfont}, HashOf(absl::StrCat(seed, "/transcription/", piece.name)));
    data::Performance performance = data::Perform(piece.score, options, variation);
    std::vector<metrics::HeardNote> truth =
        metrics::HeardNotes(performance.notes, /*sustained=*/false);
    performed.push_back({piece.name, piece.name, std::move(truth),
                         [performance = std::move(performance), variation](int sample_rate) {
                           return data::Renderer(sample_rate).Render(performance, variation);
                         }});
  }
  return performed;
}

PieceFigures Judge(std::span<const metrics::HeardNote> truth,
                   std::span<const metrics::HeardNote> found) {
  return {.frames = metrics::MatchFrames(truth, found),
          .onsets = metrics::MatchNotes(truth, found, /*offsets=*/false),
          .offsets = metrics::MatchNotes(truth, found, /*offsets=*/true)};
}

absl::StatusOr<std::vector<PieceFigures>> TranscribeAll(
    const retrieval::Collection& collection, std::span<const WholePiece> pieces, Known known,
    const transcription::TranscriptionOptions& options, Progress& progress) {
  std::vector<PieceFigures> figures;
  progress.Start("transcribe", static_cast<int64_t>(pieces.size()));
  for (const WholePiece& piece : pieces) {
    transcription::TranscriptionOptions asked = options;
    ASSIGN_OR_RETURN(asked.filter.sources.piece_ids, Allowed(collection, piece, known));
    ASSIGN_OR_RETURN(const audio::Waveform sound,
                     piece.read(collection.feature_settings().sample_rate));
    const auto started = std::chrono::steady_clock::now();
    ASSIGN_OR_RETURN(const transcription::Transcription found,
                     transcription::TranscribeMatched(collection, sound, asked));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    PieceFigures judged = Judge(piece.truth, metrics::HeardNotes(found.notes, /*sustained=*/false));
    judged.sound_s = sound.duration_s();
    judged.seconds = took.count();
    for (const transcription::Gap& gap : found.gaps) judged.gaps_s += gap.end_s - gap.start_s;
    figures.push_back(judged);
    progress.Advance();
  }
  progress.Finish();
  return figures;
}

absl::StatusOr<std::vector<PieceFigures>> TranscribeByChance(
    const retrieval::Collection& collection, std::span<const WholePiece> pieces, uint64_t seed,
    Progress& progress) {
  std::mt19937_64 random(seed);
  std::vector<PieceFigures> figures;
  progress.Start("draw lots", static_cast<int64_t>(pieces.size()));
  for (const WholePiece& piece : pieces) {
    const std::optional<int> own = collection.FindPiece(piece.id);
    double end_s = 0;
    for (const metrics::HeardNote& note : piece.truth) end_s = std::max(end_s, note.end_s);
    std::vector<metrics::HeardNote> found;
    for (double start_s = 0; start_s < end_s; start_s += kChance_s) {
      auto other = static_cast<int>(random() % collection.pieces().size());
      if (other == own) other = (other + 1) % static_cast<int>(collection.pieces().size());
      ASSIGN_OR_RETURN(const auto score, collection.ReadScore(other));
      const auto tenths = static_cast<uint64_t>(std::max(0.0, score->duration_s - kChance_s) * 10);
      const double from_s = static_cast<double>(random() % (tenths + 1)) / 10;
      for (const music::Note& note : score->notes) {
        if (note.onset_s < from_s || note.onset_s >= from_s + kChance_s) continue;
        found.push_back({note.onset_s - from_s + start_s, note.offset_s - from_s + start_s,
                         note.pitch, note.velocity});
      }
    }
    figures.push_back(Judge(piece.truth, found));
    figures.back().sound_s = end_s;
    progress.Advance();
  }
  progress.Finish();
  return figures;
}

std::vector<std::string> FigureNames() {
  return {"TM", "onset F1", "+offset F1", "frame F1", "in gaps", "pieces"};
}

metrics::ReportRow FigureRow(std::string name, std::span<const PieceFigures> pieces) {
  metrics::MatchCounts frames;
  double sound_s = 0, gaps_s = 0;
  for (const PieceFigures& piece : pieces) {
    frames.Add(piece.frames);
    sound_s += piece.sound_s;
    gaps_s += piece.gaps_s;
  }
  return {std::move(name),
          {frames.hits_per_error(), MeanF1(pieces, &PieceFigures::onsets),
           MeanF1(pieces, &PieceFigures::offsets), MeanF1(pieces, &PieceFigures::frames),
           sound_s > 0 ? gaps_s / sound_s : 0, static_cast<double>(pieces.size())}};
}

}  // namespace antiphon::trainer::evaluation
