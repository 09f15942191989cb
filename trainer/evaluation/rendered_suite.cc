#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/scores/read_score.h"
#include "trainer/data/renderer.h"
#include "trainer/datasets/distinct_music.h"
#include "trainer/datasets/excerpts.h"
#include "trainer/datasets/lines.h"
#include "trainer/evaluation/answer_tally.h"
#include "trainer/evaluation/asked_collection.h"
#include "trainer/evaluation/rendered_passages.h"
#include "trainer/evaluation/suites.h"

namespace antiphon::trainer::evaluation {
namespace {

const std::vector<double> kLengths = {5, 10, 30};  // seconds
constexpr TallyColumns kColumns = {.same_music = true};

struct TestBed {
  datasets::Catalogue scores;      // of the folders
  std::vector<int> works;          // that are played, by place in `scores`
  std::vector<int> listed;         // those of the catalogue, in its order
  std::vector<std::string> names;  // of the folders
};

absl::StatusOr<TestBed> MakeTestBed(const RenderedOptions& options, Progress& progress) {
  TestBed bed;
  ASSIGN_OR_RETURN(bed.scores, datasets::ReadDistinct(options.scores, progress));
  for (int folder = 0; folder < std::ssize(options.scores); ++folder) {
    bed.names.push_back(datasets::NameOfFolder(options.scores[folder]));
    std::vector<std::string> ids;
    std::vector<int> places;
    for (int i = 0; i < std::ssize(bed.scores.entries); ++i) {
      if (bed.scores.folders[i] != folder) continue;
      ids.push_back(bed.scores.entries[i].id);
      places.push_back(i);
    }
    const DrawnWorks drawn = DrawWorks(ids, options.works, options.listed, options.seed);
    if (drawn.played.empty()) {
      return absl::NotFoundError(
          absl::StrCat(options.scores[folder], " has no score of the part test"));
    }
    for (const int i : drawn.played) bed.works.push_back(places[i]);
    for (const int i : drawn.listed) bed.listed.push_back(places[i]);
  }
  return bed;
}

// What is asked, and which of its sources have the notes of each score.
struct Asked {
  std::shared_ptr<const retrieval::Collection> collection;
  std::multimap<uint64_t, int> sources;  // by fingerprint

  std::set<int> Of(uint64_t fingerprint) const {
    std::set<int> found;
    const auto [begin, end] = sources.equal_range(fingerprint);
    for (auto it = begin; it != end; ++it) found.insert(it->second);
    return found;
  }
};

absl::StatusOr<Asked> PrepareAsked(const RenderedOptions& options, const std::string& model,
                                   const TestBed& bed, Progress& progress,
                                   metrics::Report& report) {
  ASSIGN_OR_RETURN(const IndexedPieces indexed,
                   ReadIndexed(options.models, options.bundle, progress, report));
  std::vector<datasets::CollectionEntry> entries;
  std::vector<uint64_t> fingerprints = indexed.pieces.fingerprints;
  if (options.bundle.empty()) {
    for (const int place : bed.listed) {
      entries.push_back(bed.scores.entries[place]);
      fingerprints.push_back(bed.scores.fingerprints[place]);
    }
  }
  Asked asked;
  ASSIGN_OR_RETURN(
      asked.collection,
      OpenAsked(indexed, entries,
                ReferenceCollectionFor(options.models, model, options.reference_collections),
                progress));
  for (int source = 0; source < std::ssize(fingerprints); ++source)
    asked.sources.emplace(fingerprints[source], source);
  for (const int place : bed.works) {
    if (asked.Of(bed.scores.fingerprints[place]).empty()) {
      return absl::NotFoundError(absl::StrCat(options.bundle, " does not hold ",
                                              bed.scores.entries[place].id,
                                              ", which is to be played"));
    }
  }
  return asked;
}

class Asker {
 public:
  Asker(const RenderedOptions& options, const TestBed& bed, const Asked& asked)
      : options_(options),
        bed_(bed),
        asked_(asked),
        renderer_(asked.collection->encoder_info().settings.sample_rate) {
    identify_.top_k = datasets::kCandidates;
  }

  absl::Status Ask(int place, AnswerTally& tally) {
    const datasets::CollectionEntry& entry = bed_.scores.entries[place];
    ASSIGN_OR_RETURN(const music::Score score, notation::ReadScore(entry.midi));
    const std::set<int> right = asked_.Of(bed_.scores.fingerprints[place]);
    for (const Passage& passage :
         DrawPassages(score, options_.excerpts, absl::StrCat(options_.seed, "/", entry.id))) {
      data::Variation variation = data::PlainVariation(options_.soundfont);
      variation.own_instruments = true;
      const music::Score played = music::AtTempoRatio(
          music::Excerpt(score, passage.start_s, passage.end_s), passage.tempo_ratio);
      ASSIGN_OR_RETURN(audio::Waveform sound,
                       renderer_.Render(played, data::VariationOptions(), variation));
      for (const double length_s : kLengths) {
        const matching::Span within = MiddleOf(sound.duration_s(), length_s);
        matching::IdentifyOptions identify = identify_;
        identify.excerpt = {within.start_s, within.end_s};
        ASSIGN_OR_RETURN(const matching::Identification answer,
                         asked_.collection->IdentifyAudio(sound, identify));
        JudgedAnswer judged = Judge(answer, right);
        if (judged.rank != 1 && !answer.candidates.empty()) {
          ASSIGN_OR_RETURN(judged.same_music,
                           IsSame(music::Excerpt(played, within.start_s, within.end_s),
                                  answer.candidates.front()));
        }
        tally.Add(bed_.names[bed_.scores.folders[place]], length_s, judged);
      }
    }
    return absl::OkStatus();
  }

 private:
  // Whether the candidate has these notes where it is said to be heard.
  absl::StatusOr<bool> IsSame(const music::Score& played, const matching::Candidate& candidate) {
    const matching::Span& at = candidate.match.reference;
    ASSIGN_OR_RETURN(const auto score, asked_.collection->ReadScore(candidate.source));
    const double from_s = std::max(0.0, at.start_s - at.length_s());
    const music::Score near = music::Excerpt(*score, from_s, at.end_s + at.length_s() + 1);
    return !datasets::FindLine(played.notes, near.notes, 1).empty();
  }

  const RenderedOptions& options_;
  const TestBed& bed_;
  const Asked& asked_;
  data::Renderer renderer_;
  matching::IdentifyOptions identify_;
};

}  // namespace

absl::StatusOr<metrics::Report> EvaluateRendered(const RenderedOptions& options,
                                                 Progress& progress) {
  RETURN_IF_ERROR(options.Check());
  const auto started = std::chrono::steady_clock::now();
  metrics::Report report{"rendered", {}, {}};
  ASSIGN_OR_RETURN(const TestBed bed, MakeTestBed(options, progress));
  metrics::ReportTable table;
  size_t pieces = 0;
  for (const auto& [name, model, measured] : ModelsOf(options.models)) {
    ASSIGN_OR_RETURN(const Asked asked, PrepareAsked(options, model, bed, progress, report));
    pieces = asked.collection->pieces().size();
    Asker asker(options, bed, asked);
    AnswerTally tally(kColumns);
    progress.Start("ask", std::ssize(bed.works));
    for (const int place : bed.works) {
      RETURN_IF_ERROR(asker.Ask(place, tally));
      progress.Advance();
    }
    progress.Finish();
    if (measured) {
      table = tally.EmptyTable(absl::StrCat("work, of ", pieces));
      report.settings["model"] = asked.collection->manifest().model_id;
    }
    tally.AddRows(name, table);
  }
  table.rows.push_back(AnswerTally(kColumns).RandomRow(pieces));
  report.tables.push_back(std::move(table));
  report.settings["scores"] = datasets::ToText(bed.scores.count);
  report.settings["works played"] = absl::StrCat(bed.works.size());
  report.settings["passages"] = absl::StrCat(options.excerpts, " of each work, at even distances");
  report.settings["seed"] = absl::StrCat(options.seed);
  report.settings["soundfont"] = options.soundfont;
  metrics::NoteSeconds(started, report);
  return report;
}

}  // namespace antiphon::trainer::evaluation
