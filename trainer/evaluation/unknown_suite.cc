#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/decoding/decoder.h"
#include "trainer/base/fingerprint.h"
#include "trainer/datasets/maps_dataset.h"
#include "trainer/datasets/noises.h"
#include "trainer/evaluation/asap_test_bed.h"
#include "trainer/evaluation/asked_collection.h"
#include "trainer/evaluation/suites.h"
#include "trainer/metrics/detection.h"

namespace antiphon::trainer::evaluation {
namespace {

const std::vector<double> kLengths = {5, 10, 30};  // seconds
constexpr double kFalseAccepts = 0.01;
constexpr int kNoisesOfEach = 10;
constexpr int kSizeExcerpts = 3;  // of each recording and length, in collections of many sizes

// The works left in the catalogue: a half of them, by the seed.
std::set<int> DrawHalf(int works, uint64_t seed) {
  std::vector<int> order(works);
  std::iota(order.begin(), order.end(), 0);
  std::mt19937_64 random(seed);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  return {order.begin(), order.begin() + works / 2};
}

std::vector<metrics::Detection> DetectionsAt(const std::vector<datasets::TestRecording>& recordings,
                                             std::span<const datasets::Outcome> outcomes,
                                             const std::set<int>& known, double wanted_s) {
  std::vector<metrics::Detection> detections;
  for (const datasets::Outcome& outcome : outcomes) {
    if (wanted_s > 0 && outcome.excerpt.wanted_s != wanted_s) continue;
    const auto& candidates = outcome.answer.candidates;
    detections.push_back({candidates.empty() ? 0.0 : candidates[0].confidence,
                          known.contains(recordings[outcome.excerpt.recording].work),
                          outcome.rank == 1});
  }
  return detections;
}

void AddDetection(const std::string& name, const std::vector<datasets::TestRecording>& recordings,
                  std::span<const datasets::Outcome> outcomes, const std::set<int>& known,
                  double shipped_threshold, metrics::ReportTable& table) {
  for (const double length_s : kLengths) {
    const std::vector<metrics::Detection> detections =
        DetectionsAt(recordings, outcomes, known, length_s);
    const double threshold = metrics::ThresholdFor(detections, kFalseAccepts);
    const auto known_count =
        std::count_if(detections.begin(), detections.end(), [](const auto& d) { return d.known; });
    table.rows.push_back({absl::StrCat(name, ", ", datasets::LengthName(length_s)),
                          {metrics::Auroc(detections), metrics::TrueAccepts(detections, threshold),
                           threshold, metrics::TrueAccepts(detections, shipped_threshold),
                           metrics::FalseAccepts(detections, shipped_threshold), 1.0 * known_count,
                           1.0 * (detections.size() - known_count)}});
  }
}

metrics::ReportTable ReliabilityTable(std::span<const metrics::Detection> detections) {
  metrics::ReportTable table{"confidence of the answers", {"answers", "mean", "right"}, {}};
  const auto bins = metrics::Reliability(detections);
  for (size_t i = 0; i < bins.size(); ++i) {
    table.rows.push_back({absl::StrFormat("%.1f to %.1f", i / 10.0, (i + 1) / 10.0),
                          {1.0 * bins[i].answers, bins[i].mean_confidence,
                           bins[i].answers ? 1.0 * bins[i].right / bins[i].answers : 0}});
  }
  table.rows.push_back(
      {"calibration error", {1.0 * detections.size(), 0, metrics::CalibrationError(detections)}});
  return table;
}

absl::StatusOr<metrics::ReportTable> AskNoises(const retrieval::Collection& collection,
                                               const matching::IdentifyOptions& identify,
                                               uint64_t seed, Progress& progress) {
  struct Tally {
    int asked = 0, refused = 0;
    double highest = 0;  // confidence
  };
  std::map<std::string, Tally> tallies;
  progress.Start("ask for noises",
                 std::ssize(datasets::NoiseNames()) * std::ssize(kLengths) * kNoisesOfEach);
  const auto ask = [&](const std::string& kind, double, const audio::Waveform& audio) {
    ASSIGN_OR_RETURN(const auto answer, collection.IdentifyAudio(audio, identify));
    Tally& tally = tallies[kind];
    ++tally.asked;
    tally.refused += answer.verdict != matching::Verdict::kMatch;
    if (!answer.candidates.empty())
      tally.highest = std::max(tally.highest, answer.candidates[0].confidence);
    progress.Advance();
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(datasets::ForEachNoise(absl::StrCat(seed), kLengths, kNoisesOfEach,
                                         collection.encoder_info().settings.sample_rate, ask));
  progress.Finish();
  metrics::ReportTable table{"sounds that are no music", {"no match", "highest", "of"}, {}};
  for (const std::string& kind : datasets::NoiseNames()) {
    const Tally& tally = tallies[kind];
    table.rows.push_back(
        {kind, {1.0 * tally.refused / tally.asked, tally.highest, 1.0 * tally.asked}});
  }
  return table;
}

// Scores that may fill a collection up without holding anything that is asked for: those of the
// folders that share no music with a score of ASAP.
absl::StatusOr<std::vector<datasets::CollectionEntry>> ReadFillers(
    const std::vector<std::string>& folders) {
  std::vector<datasets::CollectionEntry> fillers;
  for (const std::string& folder : folders) {
    ASSIGN_OR_RETURN(std::vector<datasets::CollectionEntry> entries, datasets::ReadEntries(folder));
    const std::string name = std::filesystem::path(folder).filename();
    for (datasets::CollectionEntry& entry : entries) {
      entry.id = absl::StrCat(name, "/", entry.id);
      fillers.push_back(std::move(entry));
    }
  }
  return fillers;
}

// All scores of ASAP and the fillers in one collection, of which parts are asked.
struct Pool {
  std::unique_ptr<const retrieval::Collection> collection;
  std::vector<std::vector<int>> scores_of;  // by work
  std::vector<int> fillers;                 // that share no music with those
};

absl::StatusOr<Pool> MakePool(const UnknownOptions& options, const AsapTestBed& bed,
                              Progress& progress) {
  std::vector<datasets::CollectionEntry> entries = bed.entries;
  ASSIGN_OR_RETURN(std::vector<datasets::CollectionEntry> fillers,
                   ReadFillers(options.distractors));
  std::move(fillers.begin(), fillers.end(), std::back_inserter(entries));
  Pool pool;
  ASSIGN_OR_RETURN(pool.collection, datasets::OpenReferenceCollection(
                                        entries,
                                        ReferenceCollectionFor(options.models, options.models.model,
                                                               options.reference_collections),
                                        progress));
  pool.scores_of.resize(bed.asap.works);
  std::set<int> shared;  // fillers with music of ASAP
  progress.Start("look for shared music", std::ssize(bed.asap.scores));
  for (int i = 0; i < std::ssize(bed.asap.scores); ++i) {
    pool.scores_of[bed.asap.scores[i].work].push_back(i);
    ASSIGN_OR_RETURN(const auto found, pool.collection->FindSameMusic(i));
    for (const matching::SharedMusic& one : found) shared.insert(one.other);
    progress.Advance();
  }
  progress.Finish();
  for (int i = static_cast<int>(bed.entries.size()); i < std::ssize(entries); ++i) {
    if (!shared.contains(i)) pool.fillers.push_back(i);
  }
  return pool;
}

// The ids of a collection of about `size` scores that holds the work, or does not.
std::vector<std::string> DrawScores(const Pool& pool, int work, bool known, int size,
                                    std::mt19937_64& random) {
  std::vector<int> others = pool.fillers;
  for (int other = 0; other < std::ssize(pool.scores_of); ++other) {
    if (other != work)
      others.insert(others.end(), pool.scores_of[other].begin(), pool.scores_of[other].end());
  }
  for (size_t i = others.size(); i > 1; --i) std::swap(others[i - 1], others[random() % i]);
  others.resize(std::min(others.size(), static_cast<size_t>(known ? size - 1 : size)));
  if (known) others.insert(others.end(), pool.scores_of[work].begin(), pool.scores_of[work].end());
  std::vector<std::string> ids;
  for (const int source : others) ids.push_back(pool.collection->pieces()[source].id);
  return ids;
}

struct Named {
  int known = 0, named = 0, misnamed = 0, unknown = 0, accepted = 0;
};

absl::Status AskInSizes(const UnknownOptions& options, const AsapTestBed& bed, const Pool& pool,
                        const datasets::TestRecording& recording, const audio::Waveform& audio,
                        const datasets::Excerpt& excerpt,
                        std::map<std::pair<int, double>, Named>& tallies) {
  audio::Waveform query{{}, audio.sample_rate};
  const auto at = [&](double s) {
    return audio.samples.begin() +
           std::min<int64_t>(std::llround(s * audio.sample_rate), std::ssize(audio.samples));
  };
  query.samples.assign(at(excerpt.start_s), at(excerpt.start_s + excerpt.length_s));
  matching::IdentifyOptions identify;
  for (const int size : options.sizes) {
    for (const bool known : {true, false}) {
      std::mt19937_64 random(HashOf(
          absl::StrCat(options.seed, "/", recording.name, "/", excerpt.start_s, "/", size, known)));
      identify.filter.sources.piece_ids = DrawScores(pool, recording.work, known, size, random);
      ASSIGN_OR_RETURN(const auto answer, pool.collection->IdentifyAudio(query, identify));
      const bool named = answer.verdict == matching::Verdict::kMatch;
      const auto& own = pool.scores_of[recording.work];
      const bool right =
          !answer.candidates.empty() &&
          std::find(own.begin(), own.end(), answer.candidates[0].source) != own.end();
      Named& tally = tallies[{size, excerpt.wanted_s}];
      (known ? tally.known : tally.unknown) += 1;
      tally.named += known && named && right;
      tally.misnamed += known && named && !right;
      tally.accepted += !known && named;
    }
  }
  return absl::OkStatus();
}

// One threshold in collections of every size: every excerpt is asked for once in a collection that
// holds its piece, and once in one that does not.
absl::StatusOr<metrics::ReportTable> SizeTable(const UnknownOptions& options,
                                               const AsapTestBed& bed, Progress& progress) {
  ASSIGN_OR_RETURN(const Pool pool, MakePool(options, bed, progress));
  std::map<std::pair<int, double>, Named> tallies;
  const datasets::ExcerptPlan plan = {kLengths, kSizeExcerpts, false, options.seed};
  audio::DecodeOptions decode;
  decode.sample_rate = pool.collection->encoder_info().settings.sample_rate;
  progress.Start("ask in collections of many sizes", std::ssize(bed.recordings));
  for (size_t i = 0; i < bed.recordings.size(); ++i) {
    const datasets::TestRecording& recording = bed.recordings[i];
    ASSIGN_OR_RETURN(const audio::Waveform audio, audio::DecodeFile(recording.path, decode));
    for (const datasets::Excerpt& excerpt :
         datasets::DrawExcerpts(plan, static_cast<int>(i), recording.name, audio.duration_s())) {
      RETURN_IF_ERROR(AskInSizes(options, bed, pool, recording, audio, excerpt, tallies));
    }
    progress.Advance();
  }
  progress.Finish();
  const size_t all = bed.entries.size() + pool.fillers.size();
  metrics::ReportTable table{absl::StrCat("in collections of so many, all are ", all),
                             {"named", "misnamed", "accepted", "known", "unknown"},
                             {}};
  for (const auto& [group, tally] : tallies) {
    const std::string size =
        group.first < static_cast<int>(all) ? absl::StrCat(group.first) : "all";
    table.rows.push_back(
        {absl::StrCat(size, ", ", datasets::LengthName(group.second)),
         {1.0 * tally.named / tally.known, 1.0 * tally.misnamed / tally.known,
          1.0 * tally.accepted / tally.unknown, 1.0 * tally.known, 1.0 * tally.unknown}});
  }
  return table;
}

// Recordings that no score is named after: what their notes say.
absl::Status NoteUnnamedRecordings(const UnknownOptions& options, metrics::Report& report) {
  ASSIGN_OR_RETURN(const datasets::MapsTestBed maps,
                   datasets::MakeMapsTestBed(options.recordings, options.midi_dir));
  for (const datasets::TestRecording& recording : maps.unknown) {
    ASSIGN_OR_RETURN(
        const auto text,
        ReadWholeFile(std::filesystem::path(recording.path).replace_extension(".tsv")));
    ASSIGN_OR_RETURN(const auto notes, datasets::ParseNoteList(text));
    ASSIGN_OR_RETURN(const datasets::NearestScore nearest,
                     datasets::FindNearestScore(notes, maps.entries));
    if (nearest.entry < 0) continue;
    report.settings[recording.name] =
        absl::StrFormat("onset F1 %.3f with %s, next %.3f with %s", nearest.likeness,
                        maps.entries[nearest.entry].title, nearest.next_likeness,
                        nearest.next < 0 ? "none" : maps.entries[nearest.next].title);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<metrics::Report> EvaluateUnknown(const UnknownOptions& options, Progress& progress) {
  RETURN_IF_ERROR(options.Check());
  const auto started = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const AsapTestBed bed, MakeAsapTestBed(options.asap, options.seed, progress));
  const std::set<int> known = DrawHalf(bed.asap.works, options.seed);
  std::vector<datasets::CollectionEntry> entries;
  std::vector<int> works;
  for (size_t i = 0; i < bed.entries.size(); ++i) {
    if (!known.contains(bed.asap.scores[i].work)) continue;
    entries.push_back(bed.entries[i]);
    works.push_back(bed.asap.scores[i].work);
  }
  metrics::Report report{"unknown", {}, {}};
  report.tables.push_back(
      {"known or not",
       {"AUROC", "TA@1%FA", "thresh", "TAshipped", "FAshipped", "known", "unknown"},
       {}});
  matching::IdentifyOptions identify;
  identify.top_k = datasets::kCandidates;
  identify.max_transposition = options.max_transposition;
  const datasets::ExcerptPlan plan = {kLengths, 1, false, options.seed};
  for (const auto& [name, model, measured] : ModelsOf(options.models)) {
    const std::vector<datasets::TestRecording> recordings = bed.AskedAbout(measured);
    ASSIGN_OR_RETURN(
        const auto collection,
        datasets::OpenReferenceCollection(
            entries, ReferenceCollectionFor(options.models, model, options.reference_collections),
            progress));
    ASSIGN_OR_RETURN(const auto outcomes,
                     datasets::AskExcerpts(
                         recordings, plan, *collection, identify,
                         [&works](int source) { return works[source]; }, {}, progress));
    AddDetection(name, recordings, outcomes, known, collection->confidence().threshold,
                 report.tables[0]);
    if (!measured) continue;
    report.settings["model"] = collection->manifest().model_id;
    report.tables.push_back(ReliabilityTable(DetectionsAt(recordings, outcomes, known, 0)));
    ASSIGN_OR_RETURN(metrics::ReportTable noises,
                     AskNoises(*collection, identify, options.seed, progress));
    report.tables.push_back(std::move(noises));
    ASSIGN_OR_RETURN(metrics::ReportTable sizes, SizeTable(options, bed, progress));
    report.tables.push_back(std::move(sizes));
  }
  if (!options.recordings.empty()) {
    RETURN_IF_ERROR(NoteUnnamedRecordings(options, report));
  }
  report.tables[0].rows.push_back({"random", {0.5, kFalseAccepts / bed.asap.works, 0, 0, 0, 0, 0}});
  report.settings["performances"] = absl::StrCat(bed.recordings.size());
  report.settings["scores in the catalogue"] =
      absl::StrCat(entries.size(), " of ", bed.entries.size());
  if (options.max_transposition > 0)
    report.settings["semitones tried"] = absl::StrCat(options.max_transposition);
  report.settings["seed"] = absl::StrCat(options.seed);
  report.settings["soundfont"] = options.asap.renditions.soundfont;
  metrics::NoteSeconds(started, report);
  return report;
}

}  // namespace antiphon::trainer::evaluation
