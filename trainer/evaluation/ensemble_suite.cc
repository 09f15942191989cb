#include <algorithm>
#include <chrono>
#include <iterator>
#include <limits>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/scores/read_score.h"
#include "trainer/datasets/bach10.h"
#include "trainer/datasets/distinct_music.h"
#include "trainer/datasets/lines.h"
#include "trainer/datasets/maps_dataset.h"
#include "trainer/evaluation/answer_tally.h"
#include "trainer/evaluation/asked_collection.h"
#include "trainer/evaluation/suites.h"

namespace antiphon::trainer::evaluation {
namespace {

const std::vector<double> kLengths = {5, 10, 30};  // seconds
constexpr TallyColumns kColumns = {.same_music = true, .unique = true};
constexpr double kLeastLikeness = 0.8;  // of the notes played to those of the score

// A score in the catalogue, as notes.
struct Setting {
  uint64_t fingerprint = 0;
  std::vector<music::Note> notes;
  std::vector<std::vector<music::Note>> parts;
};

struct TestBed {
  IndexedPieces indexed;
  std::vector<datasets::CollectionEntry> entries;  // all that is asked in
  std::vector<Setting> settings;                   // by source
  std::vector<datasets::Bach10Piece> pieces;
  std::vector<std::set<int>> right;  // sources, by piece
  // Of all pieces, and for each of them the piece and its recording.
  std::vector<datasets::TestRecording> recordings;
  std::vector<std::pair<int, int>> origin;
};

// Which scores hold the notes of a piece: the nearest one, and its copies.
absl::StatusOr<std::set<int>> FindRight(const EnsembleOptions& options,
                                        const datasets::Bach10Piece& piece, const TestBed& bed,
                                        metrics::Report& report) {
  const std::vector<music::Note> written =
      datasets::WrittenWithin(piece.notes, 0, 0, std::numeric_limits<double>::infinity());
  int best = -1;
  double likeness = 0, next = 0;
  for (int source = 0; source < std::ssize(bed.settings); ++source) {
    const double other = datasets::NoteLikeness(written, bed.settings[source].notes);
    const bool copy =
        best >= 0 && bed.settings[source].fingerprint == bed.settings[best].fingerprint;
    if (other > likeness) {
      if (!copy) next = likeness;
      best = source;
      likeness = other;
    } else if (!copy) {
      next = std::max(next, other);
    }
  }
  if (likeness < kLeastLikeness) {
    return absl::NotFoundError(absl::StrFormat(
        "no score in %s has the notes of %s; the nearest, %s, has an onset F1 of %.3f",
        options.bundle.empty() ? options.midi_dir : options.bundle, piece.name,
        best < 0 ? "none" : bed.entries[best].title, likeness));
  }
  report.settings[piece.name] =
      absl::StrFormat("onset F1 %.3f with %s, next %.3f", likeness, bed.entries[best].title, next);
  std::set<int> right;
  for (int source = 0; source < std::ssize(bed.settings); ++source) {
    if (bed.settings[source].fingerprint == bed.settings[best].fingerprint) right.insert(source);
  }
  return right;
}

absl::StatusOr<TestBed> MakeTestBed(const EnsembleOptions& options, Progress& progress,
                                    metrics::Report& report) {
  TestBed bed;
  ASSIGN_OR_RETURN(bed.pieces, datasets::ReadBach10(options.recordings));
  ASSIGN_OR_RETURN(bed.indexed, ReadIndexed(options.models, options.bundle, progress, report));
  bed.entries = std::move(bed.indexed.pieces.entries);
  if (options.bundle.empty()) {
    ASSIGN_OR_RETURN(bed.entries, datasets::ReadEntries(options.midi_dir));
  }
  for (const datasets::CollectionEntry& entry : bed.entries) {
    const auto name_it = [&entry](const absl::Status& status) {
      return absl::Status(status.code(), absl::StrCat(entry.title, ": ", status.message()));
    };
    ASSIGN_OR_RETURN(const music::Score score, MapError(notation::ReadScore(entry.midi), name_it));
    bed.settings.push_back(
        {datasets::NotesFingerprint(score), score.notes, datasets::NotesOfParts(score)});
  }
  for (int piece = 0; piece < std::ssize(bed.pieces); ++piece) {
    const datasets::Bach10Piece& of = bed.pieces[piece];
    ASSIGN_OR_RETURN(std::set<int> right, FindRight(options, of, bed, report));
    for (int i = 0; i < std::ssize(of.recordings); ++i) {
      const datasets::Bach10Recording& recording = of.recordings[i];
      bed.recordings.push_back(
          {absl::StrCat(of.name, "-", recording.instrument), recording.path, *right.begin()});
      bed.origin.emplace_back(piece, i);
    }
    bed.right.push_back(std::move(right));
  }
  return bed;
}

// One instrument plays the line of one part, all together play the score. At most so many of a
// part.
std::vector<matching::Span> PlacesIn(const Setting& setting, std::span<const music::Note> line,
                                     bool one_part, size_t most) {
  if (!one_part) return datasets::FindLine(line, setting.notes, most);
  std::vector<matching::Span> places;
  for (const std::vector<music::Note>& part : setting.parts) {
    const auto found = datasets::FindLine(line, part, most);
    places.insert(places.end(), found.begin(), found.end());
  }
  return places;
}

// Whether one of the places is where the answer is.
bool IsAt(const std::vector<matching::Span>& places, const matching::Span& answer) {
  return std::any_of(places.begin(), places.end(), [&answer](const matching::Span& place) {
    const double both_s =
        std::min(place.end_s, answer.end_s) - std::max(place.start_s, answer.start_s);
    return both_s >= std::min(place.length_s(), answer.length_s()) / 2;
  });
}

JudgedAnswer JudgeOutcome(const TestBed& bed, const datasets::Outcome& outcome) {
  const auto [piece, index] = bed.origin[outcome.excerpt.recording];
  const std::set<int>& right = bed.right[piece];
  const int voice = bed.pieces[piece].recordings[index].voice;
  JudgedAnswer judged = Judge(outcome.answer, right);
  const std::vector<music::Note> line = datasets::WrittenWithin(
      bed.pieces[piece].notes, voice, outcome.excerpt.start_s, outcome.excerpt.length_s);
  judged.unique = line.size() > 1;
  for (int source = 0; source < std::ssize(bed.settings) && *judged.unique; ++source) {
    if (right.contains(source)) continue;
    judged.unique = PlacesIn(bed.settings[source], line, voice != 0, 1).empty();
  }
  if (judged.rank != 1 && !outcome.answer.candidates.empty()) {
    const matching::Candidate& first = outcome.answer.candidates.front();
    judged.same_music = IsAt(
        PlacesIn(bed.settings[first.source], line, voice != 0, std::numeric_limits<size_t>::max()),
        first.match.reference);
  }
  return judged;
}

}  // namespace

absl::StatusOr<metrics::Report> EvaluateEnsemble(const EnsembleOptions& options,
                                                 Progress& progress) {
  RETURN_IF_ERROR(options.Check());
  const auto started = std::chrono::steady_clock::now();
  metrics::Report report{"ensemble", {}, {}};
  ASSIGN_OR_RETURN(const TestBed bed, MakeTestBed(options, progress, report));
  metrics::ReportTable table =
      AnswerTally(kColumns).EmptyTable(absl::StrCat("piece, of ", bed.entries.size()));
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
    AnswerTally tally(kColumns), instruments(kColumns);
    for (const std::string& instrument : datasets::Bach10Instruments()) {
      for (const datasets::Outcome& outcome : outcomes) {
        const auto [piece, index] = bed.origin[outcome.excerpt.recording];
        if (bed.pieces[piece].recordings[index].instrument != instrument) continue;
        const JudgedAnswer judged = JudgeOutcome(bed, outcome);
        tally.Add(instrument, outcome.excerpt.wanted_s, judged);
        if (index > 0) instruments.Add("one instrument", outcome.excerpt.wanted_s, judged);
      }
    }
    tally.AddRows(name, table);
    instruments.AddRows(name, table);
    if (measured) report.settings["model"] = collection->manifest().model_id;
  }
  table.rows.push_back(AnswerTally(kColumns).RandomRow(bed.entries.size()));
  report.tables.push_back(std::move(table));
  report.settings["recordings"] = absl::StrCat(bed.recordings.size());
  report.settings["excerpts"] = absl::StrCat("at even distances, at most ", options.excerpts,
                                             " per recording and length, side by side");
  report.settings["seed"] = absl::StrCat(options.seed);
  metrics::NoteSeconds(started, report);
  return report;
}

}  // namespace antiphon::trainer::evaluation
