// The suites that say how good a model is. Blocking functions for one thread; they use several
// themselves.
//
// Every table has a row for drawing lots and one for an untrained network of the same features, so
// that a broken pipeline shows itself. InvalidArgument when an option is out of its range.
#ifndef ANTIPHON_TRAINER_EVALUATION_SUITES_H_
#define ANTIPHON_TRAINER_EVALUATION_SUITES_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "trainer/base/progress.h"
#include "trainer/evaluation/suite_options.h"
#include "trainer/metrics/report.h"

namespace antiphon::trainer::evaluation {

// Suite `snippets`: for windows centred on onsets, find the counterpart of the other kind (the task
// of Dorfer et al. 2018).
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateSnippets(const SnippetsOptions& options,
                                                               Progress& progress);

// Suite `pieces`: a whole recording against the scores, and a whole score against the recordings,
// through the same retrieval that the server uses.
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluatePieces(const PiecesOptions& options,
                                                             Progress& progress);

// Suite `performances`: human performances (ASAP) against the scores of all its titles.
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluatePerformances(
    const PerformancesOptions& options, Progress& progress);

// Suite `recordings`: recordings of a real grand piano (MAPS) against the scores in
// `test_set.midi_dir`, all of them.
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateRecordings(const RecordingsOptions& options,
                                                                 Progress& progress);

// Suite `same-recording`: excerpts of recordings among those recordings, as they are and degraded,
// and excerpts of other performances of the same music. Which recording is it from, and is it?
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateSameRecording(
    const SameRecordingOptions& options, Progress& progress);

// Suite `unknown`: as `performances`, with a random half of the titles taken out of the catalogue.
// Is the query in it at all? In collections of other sizes, too. And sounds that are no music.
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateUnknown(const UnknownOptions& options,
                                                              Progress& progress);

// Suite `editions`: pieces with a second edition of the same music in the collection, and the same
// queries without it. Does a duplicate hide a piece? And is what is the same music called so?
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateEditions(const EditionsOptions& options,
                                                               Progress& progress);

// Suite `tracks`: whole recordings. Where in the score does each lie, how fast, from when to when?
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateTracks(const TracksOptions& options,
                                                             Progress& progress);

// Suite `ensemble`: chorales by four instruments (Bach10), all together and each alone, against all
// scores in `midi_dir` or a bundle. Right is the score with the notes that were played; other
// settings that have the line at the place named are counted beside it.
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateEnsemble(const EnsembleOptions& options,
                                                               Progress& progress);

// Suite `violin`: recordings of a violin alone against all scores in `midi_dir` and further ones,
// or a bundle. A movement with and without its repeats, and the work that it is of, are the same
// music.
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateViolin(const ViolinOptions& options,
                                                             Progress& progress);

// Suite `rendered`: passages of scores, rendered with their own instruments at other tempi than
// those written, against the scores of the same folders, or a bundle.
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateRendered(const RenderedOptions& options,
                                                               Progress& progress);

// Suite `catalogue-size`: recordings and performances (a sample of 60 unless `performances` says),
// cut to 10 s, against collections that grow: first the queried pieces, then all others of the
// corpora, each music once, then made ones. Or those of a bundle that was indexed before; all of it
// is asked then, too, where any edition of the work is right.
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateCatalogSize(const CatalogSizeOptions& options,
                                                                  Progress& progress);

// Suite `transcription`: how close to the true notes are those of the nearest snippet, the true one
// taken out? And of whole pieces, performed or recorded, those that TranscribeMatched finds, with
// the piece in the collection and without it?
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateTranscription(
    const TranscriptionOptions& options, Progress& progress);

// Suite `alignment`: where in its score each beat or note of a recording is, and back, by
// alignment::AlignPerformance: performances (ASAP), recordings of a real piano (MAPS) and of four
// players (Bach10), as they are and with repeats left out, repeats added and cuts; whether sound
// and score belong together. No model takes part; a straight line from the first note to the last
// is the baseline.
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateAlignment(const AlignmentOptions& options,
                                                                Progress& progress);

// Suite `following`: performances of ASAP, MAPS and Bach10, heard as they are played, and cut at
// bar lines so that they jump. How far is what following::ScoreFollower says from where the music
// is? No model takes part; alignment that hears all first is the ceiling, a constant tempo the
// floor.
[[nodiscard]] absl::StatusOr<metrics::Report> EvaluateFollowing(const FollowingOptions& options,
                                                                Progress& progress);

// Renders the performances that the suites on ASAP need, in the order of their sample, and does
// nothing else: hours of music, which one may want to have done before.
[[nodiscard]] absl::Status RenderAsap(const AsapOptions& options, uint64_t seed,
                                      Progress& progress);

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_SUITES_H_
