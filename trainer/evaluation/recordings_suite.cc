#include <chrono>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "trainer/base/fingerprint.h"
#include "trainer/datasets/degradation.h"
#include "trainer/datasets/maps_dataset.h"
#include "trainer/evaluation/asked_collection.h"
#include "trainer/evaluation/errors.h"
#include "trainer/evaluation/suites.h"

namespace antiphon::trainer::evaluation {
namespace {

using matching::VoteMethod;

constexpr int kUntrainedPerLength = 2;  // of each recording and length

std::vector<double> AllLengths() { return {2, 5, 10, 20, 30, 0}; }  // seconds; 0 is the whole
std::vector<double> DegradedLengths() { return {5, 10, 30}; }  // ten degradations take their time

metrics::ReportTable EmptyTable(std::string title, const std::vector<double>& lengths_s) {
  metrics::ReportTable table{std::move(title), {}, {}};
  for (const double length_s : lengths_s) table.columns.push_back(datasets::LengthName(length_s));
  for (const double length_s : lengths_s)
    table.columns.push_back(absl::StrCat("5|", datasets::LengthName(length_s)));
  return table;
}

metrics::ReportRow Row(std::string name, std::span<const datasets::Outcome> outcomes,
                       const std::vector<double>& lengths_s) {
  metrics::ReportRow row{std::move(name), {}};
  for (const double length_s : lengths_s)
    row.figures.push_back(datasets::AccuracyAt(outcomes, length_s).at_1());
  for (const double length_s : lengths_s)
    row.figures.push_back(datasets::AccuracyAt(outcomes, length_s).at_5());
  return row;
}

metrics::ReportRow RandomRow(const std::vector<double>& lengths_s, size_t pieces) {
  metrics::ReportRow row{"random",
                         std::vector<double>(lengths_s.size(), 1.0 / static_cast<double>(pieces))};
  row.figures.resize(2 * lengths_s.size(), 5.0 / static_cast<double>(pieces));
  return row;
}

// One row of the suite.
absl::StatusOr<metrics::ReportRow> Ask(const RecordingsOptions& options,
                                       const datasets::MapsTestBed& bed, std::string name,
                                       const retrieval::Collection& collection, VoteMethod method,
                                       const std::vector<double>& lengths_s, int per_length,
                                       const datasets::Treatment& treatment, Progress& progress,
                                       std::vector<datasets::Outcome>* kept = nullptr) {
  matching::IdentifyOptions identify;
  identify.top_k = datasets::kCandidates;
  identify.method = method;
  identify.max_transposition = options.max_transposition;
  datasets::ExcerptPlan plan = {lengths_s, per_length, false, options.seed};
  plan.whole = std::erase(plan.lengths_s, 0.0) > 0;
  ASSIGN_OR_RETURN(const auto outcomes,
                   datasets::AskExcerpts(
                       bed.recordings, plan, collection, identify,
                       [](int source) { return source; }, treatment, progress));
  if (kept != nullptr) *kept = outcomes;
  return Row(std::move(name), outcomes, lengths_s);
}

// The notes of a recording lie beside it.
absl::StatusOr<QueryTruth> TruthOf(const datasets::MapsTestBed& bed,
                                   const datasets::Outcome& outcome) {
  const datasets::TestRecording& recording = bed.recordings[outcome.excerpt.recording];
  ASSIGN_OR_RETURN(const std::string text,
                   ReadWholeFile(std::filesystem::path(recording.path).replace_extension(".tsv")));
  ASSIGN_OR_RETURN(const std::vector<music::Note> notes, datasets::ParseNoteList(text));
  QueryTruth truth;
  truth.source = recording.work;
  truth.played = NotesWithin(notes, outcome.excerpt.start_s, outcome.excerpt.length_s);
  return truth;
}

absl::Status AddErrors(const RecordingsOptions& options, const datasets::MapsTestBed& bed,
                       const retrieval::Collection& collection,
                       const std::vector<datasets::Outcome>& outcomes, Progress& progress,
                       metrics::Report& report) {
  ErrorsRequest request;
  request.suite = "recordings";
  request.folder = options.errors;
  request.soundfont = options.soundfont;
  request.try_plain = true;
  request.collection = &collection;
  request.entries = &bed.entries;
  request.recordings = &bed.recordings;
  request.outcomes = &outcomes;
  request.work_of = [](int source) { return source; };
  request.identify.top_k = datasets::kCandidates;
  request.identify.max_transposition = options.max_transposition;
  request.truth_of = [&bed](const datasets::Outcome& outcome) { return TruthOf(bed, outcome); };
  return WriteErrors(request, progress, report);
}

absl::Status AddDegraded(const RecordingsOptions& options, const datasets::MapsTestBed& bed,
                         const retrieval::Collection& collection, Progress& progress,
                         metrics::Report& report) {
  metrics::ReportTable table = EmptyTable("piece first, degraded", DegradedLengths());
  for (const std::string& name : options.degradations) {
    const datasets::Treatment treatment = [&name](const audio::Waveform& audio, uint64_t seed) {
      return datasets::Degrade(audio, name, seed);
    };
    ASSIGN_OR_RETURN(metrics::ReportRow row,
                     Ask(options, bed, name, collection, VoteMethod::kInTime, DegradedLengths(),
                         options.excerpts, treatment, progress));
    table.rows.push_back(std::move(row));
  }
  if (table.rows.empty()) return absl::OkStatus();
  table.rows.push_back(RandomRow(DegradedLengths(), bed.entries.size()));
  report.tables.push_back(std::move(table));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<metrics::Report> EvaluateRecordings(const RecordingsOptions& options,
                                                   Progress& progress) {
  RETURN_IF_ERROR(options.Check());
  const auto started = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const datasets::MapsTestBed bed,
                   datasets::MakeMapsTestBed(options.recordings, options.midi_dir));
  metrics::Report report{"recordings", {}, {}};
  report.tables.push_back(
      EmptyTable(absl::StrCat("piece first, of ", bed.entries.size()), AllLengths()));
  for (const auto& [name, model, measured] : ModelsOf(options.models)) {
    ASSIGN_OR_RETURN(
        const auto collection,
        datasets::OpenReferenceCollection(
            bed.entries,
            ReferenceCollectionFor(options.models, model, options.reference_collections),
            progress));
    std::vector<datasets::Outcome> outcomes;
    for (const auto& [method, label] : {std::pair(VoteMethod::kInTime, ", vote in time"),
                                        std::pair(VoteMethod::kPlain, ", plain vote")}) {
      ASSIGN_OR_RETURN(metrics::ReportRow row,
                       Ask(options, bed, name + label, *collection, method, AllLengths(),
                           measured ? options.excerpts : kUntrainedPerLength, {}, progress,
                           measured && method == VoteMethod::kInTime ? &outcomes : nullptr));
      report.tables[0].rows.push_back(std::move(row));
    }
    if (!measured) continue;
    report.settings["model"] = collection->manifest().model_id;
    RETURN_IF_ERROR(AddDegraded(options, bed, *collection, progress, report));
    if (options.errors.empty()) continue;
    RETURN_IF_ERROR(AddErrors(options, bed, *collection, outcomes, progress, report));
  }
  report.tables[0].rows.push_back(RandomRow(AllLengths(), bed.entries.size()));
  report.settings["recordings"] = absl::StrCat(bed.recordings.size());
  report.settings["excerpts"] =
      absl::StrCat(options.excerpts, " per recording and length (untrained: ", kUntrainedPerLength,
                   "); 5| is among the first 5");
  if (options.max_transposition > 0)
    report.settings["semitones tried"] = absl::StrCat(options.max_transposition);
  report.settings["seed"] = absl::StrCat(options.seed);
  metrics::NoteSeconds(started, report);
  return report;
}

}  // namespace antiphon::trainer::evaluation
