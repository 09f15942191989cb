#include <chrono>
#include <iterator>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "trainer/base/fingerprint.h"
#include "trainer/datasets/asap.h"
#include "trainer/datasets/distinct_music.h"
#include "trainer/datasets/excerpts.h"
#include "trainer/datasets/violin_recordings.h"
#include "trainer/evaluation/answer_tally.h"
#include "trainer/evaluation/asked_collection.h"
#include "trainer/evaluation/suites.h"

namespace antiphon::trainer::evaluation {
namespace {

const std::vector<double> kLengths = {5, 10, 30};  // seconds

struct TestBed {
  IndexedPieces indexed;
  std::vector<datasets::CollectionEntry> entries;  // all that is asked in, the violin's first
  std::vector<datasets::TestRecording> recordings;
  std::vector<std::set<int>> right;  // sources, by recording
};

// Other scores: those of the folders, each music once, and those of ASAP.
absl::Status AddOthers(const ViolinOptions& options, Progress& progress, TestBed& bed,
                       metrics::Report& report) {
  if (!options.distractors.empty()) {
    ASSIGN_OR_RETURN(datasets::Catalogue others,
                     datasets::ReadDistinct(options.distractors, progress));
    report.settings["distractors"] = datasets::ToText(others.count);
    std::move(others.entries.begin(), others.entries.end(), std::back_inserter(bed.entries));
  }
  if (options.asap.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const datasets::Asap asap, datasets::ReadAsap(options.asap));
  for (const datasets::AsapScore& score : asap.scores) {
    ASSIGN_OR_RETURN(std::string midi, ReadWholeFile(score.midi_path));
    bed.entries.push_back(
        {absl::StrCat("asap/", score.id), score.title, score.composer, std::move(midi)});
  }
  report.settings["scores of ASAP"] = absl::StrCat(asap.scores.size());
  return absl::OkStatus();
}

// Those that the recordings may be of.
absl::Status AddScores(const ViolinOptions& options, Progress& progress, TestBed& bed,
                       metrics::Report& report) {
  if (options.bundle.empty()) {
    ASSIGN_OR_RETURN(bed.entries, datasets::ReadEntries(options.midi_dir));
    report.settings["scores for violin"] = absl::StrCat(bed.entries.size());
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(bed.indexed, ReadIndexed(options.models, options.bundle, progress, report));
  bed.entries = std::move(bed.indexed.pieces.entries);
  return absl::OkStatus();
}

// Of its file, whichever folders the bundle was made of.
std::string_view NameOf(const datasets::CollectionEntry& entry) {
  constexpr std::string_view kFolder = "__";  // in ids, as music::IdOfPath writes a '/'
  const std::string_view id = entry.id;
  const size_t last = id.rfind(kFolder);
  return last == std::string_view::npos ? id : id.substr(last + kFolder.size());
}

absl::StatusOr<TestBed> MakeTestBed(const ViolinOptions& options, Progress& progress,
                                    metrics::Report& report) {
  TestBed bed;
  ASSIGN_OR_RETURN(const auto recordings, datasets::ReadViolinRecordings(options.recordings));
  RETURN_IF_ERROR(AddScores(options, progress, bed, report));
  for (const datasets::ViolinRecording& recording : recordings) {
    std::set<int> right;
    for (int source = 0; source < std::ssize(bed.entries); ++source) {
      if (datasets::HoldsMovement(NameOf(bed.entries[source]), recording.movement))
        right.insert(source);
    }
    if (right.empty()) {
      return absl::NotFoundError(absl::StrCat(
          options.bundle.empty() ? options.midi_dir : options.bundle, " has no score of ",
          recording.movement, ", which ", recording.path, " plays"));
    }
    bed.recordings.push_back({recording.name, recording.path, *right.begin()});
    bed.right.push_back(std::move(right));
  }
  if (options.bundle.empty()) RETURN_IF_ERROR(AddOthers(options, progress, bed, report));
  return bed;
}

}  // namespace

absl::StatusOr<metrics::Report> EvaluateViolin(const ViolinOptions& options, Progress& progress) {
  RETURN_IF_ERROR(options.Check());
  const auto started = std::chrono::steady_clock::now();
  metrics::Report report{"violin", {}, {}};
  ASSIGN_OR_RETURN(const TestBed bed, MakeTestBed(options, progress, report));
  metrics::ReportTable table =
      AnswerTally({}).EmptyTable(absl::StrCat("movement, of ", bed.entries.size()));
  const datasets::ExcerptPlan plan = {kLengths, options.excerpts, true, options.seed, true};
  matching::IdentifyOptions identify;
  identify.top_k = datasets::kCandidates;
  for (const auto& [name, model, measured] : ModelsOf(options.models)) {
    ASSIGN_OR_RETURN(
        const auto collection,
        OpenAsked(bed.indexed, bed.entries,
                  ReferenceCollectionFor(options.models, model, options.reference_collections),
                  progress));
    ASSIGN_OR_RETURN(const auto outcomes, datasets::AskExcerpts(
                                              bed.recordings, plan, *collection, identify,
                                              [](int source) { return source; }, {}, progress));
    AnswerTally all({}), by_recording({});
    for (const datasets::Outcome& outcome : outcomes) {
      const int recording = outcome.excerpt.recording;
      const JudgedAnswer judged = Judge(outcome.answer, bed.right[recording]);
      all.Add("all", outcome.excerpt.wanted_s, judged);
      by_recording.Add(bed.recordings[recording].name, outcome.excerpt.wanted_s, judged);
    }
    all.AddRows(name, table);
    by_recording.AddRows(name, table);
    if (measured) report.settings["model"] = collection->manifest().model_id;
  }
  table.rows.push_back(AnswerTally({}).RandomRow(bed.entries.size()));
  report.tables.push_back(std::move(table));
  report.settings["recordings"] = absl::StrCat(bed.recordings.size());
  report.settings["excerpts"] = absl::StrCat("at even distances, at most ", options.excerpts,
                                             " per recording and length, side by side");
  report.settings["seed"] = absl::StrCat(options.seed);
  metrics::NoteSeconds(started, report);
  return report;
}

}  // namespace antiphon::trainer::evaluation
