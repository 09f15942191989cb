// Transcription of whole pieces against the notes that were played: the recordings and renditions,
// what is asked, and the figures. Asking is blocking and for one thread; the rest are plain values.
#ifndef ANTIPHON_TRAINER_EVALUATION_TRANSCRIPTION_WHOLE_PIECES_H_
#define ANTIPHON_TRAINER_EVALUATION_TRANSCRIPTION_WHOLE_PIECES_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"
#include "core/retrieval/collection.h"
#include "core/transcription/transcription.h"
#include "trainer/base/progress.h"
#include "trainer/datasets/maps_dataset.h"
#include "trainer/datasets/test_set.h"
#include "trainer/metrics/note_match.h"
#include "trainer/metrics/report.h"
#include "trainer/metrics/transcription_metrics.h"

namespace antiphon::trainer::evaluation {

// A piece to transcribe.
struct WholePiece {
  std::string name;
  std::string id;                         // of its score in the collections
  std::vector<metrics::HeardNote> truth;  // until the key is released
  std::function<absl::StatusOr<audio::Waveform>(int sample_rate)> read;
};

// The recordings of a test bed, with their note lists.
[[nodiscard]] absl::StatusOr<std::vector<WholePiece>> MapsPieces(const datasets::MapsTestBed& bed);

// The pieces of a test set, each performed in one of the trainer's ways, with rubato, slips and
// pedal, and rendered on one piano. Equal seeds give equal performances.
std::vector<WholePiece> PerformedPieces(const std::vector<datasets::PartPiece>& pieces,
                                        const std::string& soundfont, uint64_t seed);

// Which scores of the collection a piece is transcribed with.
enum class Known {
  kAll,    // all of them
  kOwn,    // its own alone: which piece it is has been told
  kOthers  // all but its own and those that share 8 s of music with it
};

// How far one transcription is right.
struct PieceFigures {
  metrics::MatchCounts frames, onsets, offsets;
  double sound_s = 0, gaps_s = 0, seconds = 0;
};

[[nodiscard]] absl::StatusOr<std::vector<PieceFigures>> TranscribeAll(
    const retrieval::Collection& collection, std::span<const WholePiece> pieces, Known known,
    const transcription::TranscriptionOptions& options, Progress& progress);

// Notes of random other scores, ten seconds of each, at their written tempo. Requires two sources.
[[nodiscard]] absl::StatusOr<std::vector<PieceFigures>> TranscribeByChance(
    const retrieval::Collection& collection, std::span<const WholePiece> pieces, uint64_t seed,
    Progress& progress);

// TM over all frames, mean F1 of onsets, of onsets and offsets, and of frames, share of the sound
// in gaps, and how many pieces.
std::vector<std::string> FigureNames();
metrics::ReportRow FigureRow(std::string name, std::span<const PieceFigures> pieces);

PieceFigures Judge(std::span<const metrics::HeardNote> truth,
                   std::span<const metrics::HeardNote> found);

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_TRANSCRIPTION_WHOLE_PIECES_H_
