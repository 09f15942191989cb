#include <chrono>
#include <optional>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/scores/read_score.h"
#include "trainer/datasets/asap.h"
#include "trainer/evaluation/asap_test_bed.h"
#include "trainer/evaluation/asked_collection.h"
#include "trainer/evaluation/errors.h"
#include "trainer/evaluation/suites.h"

namespace antiphon::trainer::evaluation {
namespace {

const std::vector<double> kLengths = {2, 5, 10, 20, 30, 0};  // seconds; 0 is the whole

// Of the answers at one length with the right title first, and where the beats say what is right:
// how many name the right place in the performance's own score, how many that or a repeat of the
// same notes, and how many of them would be right if one place were drawn of those with the same
// notes.
struct Positions {
  int right = 0, right_or_repeat = 0, known = 0;
  double allowed = 0;
  double share(double of_known) const { return known ? of_known / known : 0; }
};

absl::StatusOr<Positions> PositionsAt(const AsapTestBed& bed,
                                      std::span<const datasets::Outcome> outcomes,
                                      double wanted_s) {
  Positions positions;
  for (const datasets::Outcome& outcome : outcomes) {
    if (outcome.excerpt.wanted_s != wanted_s || outcome.rank != 1) continue;
    ASSIGN_OR_RETURN(const std::optional<PlaceVerdict> verdict, JudgePlace(bed, outcome));
    if (!verdict) continue;
    ++positions.known;
    positions.right += verdict->right();
    positions.right_or_repeat += verdict->right() || verdict->at_repeat;
    positions.allowed += 1.0 / (1 + verdict->repeats);
  }
  return positions;
}

absl::Status AddRows(const AsapTestBed& bed, const std::string& name,
                     std::span<const datasets::Outcome> outcomes, metrics::ReportTable& table) {
  for (const double length_s : kLengths) {
    const datasets::Accuracy accuracy = datasets::AccuracyAt(outcomes, length_s);
    ASSIGN_OR_RETURN(const Positions positions, PositionsAt(bed, outcomes, length_s));
    table.rows.push_back(
        {absl::StrCat(name, ", ", datasets::LengthName(length_s)),
         {accuracy.at_1(), accuracy.at_5(), positions.share(positions.right),
          positions.share(positions.allowed), positions.share(positions.right_or_repeat),
          1.0 * positions.known, 1.0 * accuracy.queries}});
  }
  return absl::OkStatus();
}

// What was played, what its score has there, and at which tempo.
absl::StatusOr<QueryTruth> TruthOf(const AsapTestBed& bed, const datasets::Outcome& outcome) {
  const datasets::Excerpt& excerpt = outcome.excerpt;
  const datasets::AsapPerformance& performance =
      bed.asap.performances[bed.sample[excerpt.recording]];
  ASSIGN_OR_RETURN(const music::Score played, notation::ReadScoreFile(performance.midi_path));
  QueryTruth truth;
  truth.source = performance.score;
  truth.played = NotesWithin(played.notes, excerpt.start_s, excerpt.length_s);
  const std::optional<datasets::BeatMap>& beats = bed.beats[excerpt.recording];
  if (!beats) return truth;
  ASSIGN_OR_RETURN(const music::Score score,
                   notation::ReadScore(bed.entries[performance.score].midi));
  const auto from_s = beats->ScoreAt(excerpt.start_s),
             to_s = beats->ScoreAt(excerpt.start_s + excerpt.length_s);
  if (!from_s || !to_s) return truth;
  truth.tempo_ratio = (*to_s - *from_s) / excerpt.length_s;
  truth.written.emplace();
  for (const music::Note& note : score.notes) {
    if (note.onset_s < *from_s || note.onset_s >= *to_s) continue;
    truth.written->push_back(
        {beats->PerformanceAt(note.onset_s).value_or(0) - excerpt.start_s, note.pitch});
  }
  return truth;
}

absl::Status AddErrors(const PerformancesOptions& options, const AsapTestBed& bed,
                       const retrieval::Collection& collection,
                       const std::vector<datasets::Outcome>& outcomes,
                       const matching::IdentifyOptions& identify, Progress& progress,
                       metrics::Report& report) {
  ErrorsRequest request;
  request.suite = "performances";
  request.folder = options.errors;
  request.collection = &collection;
  request.entries = &bed.entries;
  request.recordings = &bed.recordings;
  request.outcomes = &outcomes;
  request.work_of = bed.work_of();
  request.identify = identify;
  request.truth_of = [&bed](const datasets::Outcome& outcome) { return TruthOf(bed, outcome); };
  return WriteErrors(request, progress, report);
}

}  // namespace

absl::StatusOr<metrics::Report> EvaluatePerformances(const PerformancesOptions& options,
                                                     Progress& progress) {
  RETURN_IF_ERROR(options.Check());
  const auto started = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const AsapTestBed bed, MakeAsapTestBed(options.asap, options.seed, progress));
  metrics::Report report{"performances", {}, {}};
  metrics::ReportTable table{absl::StrCat("title, of ", bed.asap.works),
                             {"first", "in 5", "within1s", "allowed", "orrepeat", "of", "queries"},
                             {}};
  const datasets::ExcerptPlan plan = {{2, 5, 10, 20, 30}, 1, true, options.seed};
  matching::IdentifyOptions identify;
  identify.top_k = datasets::kCandidates;
  for (const auto& [name, model, measured] : ModelsOf(options.models)) {
    ASSIGN_OR_RETURN(
        const auto collection,
        datasets::OpenReferenceCollection(
            bed.entries,
            ReferenceCollectionFor(options.models, model, options.reference_collections),
            progress));
    ASSIGN_OR_RETURN(const auto outcomes,
                     datasets::AskExcerpts(bed.AskedAbout(measured), plan, *collection, identify,
                                           bed.work_of(), {}, progress));
    RETURN_IF_ERROR(AddRows(bed, name, outcomes, table));
    if (!measured) continue;
    report.settings["model"] = collection->manifest().model_id;
    if (options.errors.empty()) continue;
    RETURN_IF_ERROR(AddErrors(options, bed, *collection, outcomes, identify, progress, report));
  }
  const double works = bed.asap.works;
  table.rows.push_back({"random", {1 / works, 5 / works, 0, 0, 0, 0, 0}});
  report.tables.insert(report.tables.begin(), std::move(table));
  report.settings["performances"] = absl::StrCat(bed.recordings.size());
  report.settings["scores"] = absl::StrCat(bed.entries.size());
  report.settings["seed"] = absl::StrCat(options.seed);
  report.settings["soundfont"] = options.asap.renditions.soundfont;
  metrics::NoteSeconds(started, report);
  return report;
}

}  // namespace antiphon::trainer::evaluation
