#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <set>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/collection/collection_view.h"
#include "core/scores/read_score.h"
#include "trainer/data/overlap.h"
#include "trainer/datasets/distinct_music.h"
#include "trainer/datasets/distractors.h"
#include "trainer/datasets/maps_dataset.h"
#include "trainer/evaluation/asap_test_bed.h"
#include "trainer/evaluation/asked_collection.h"
#include "trainer/evaluation/suites.h"

namespace antiphon::trainer::evaluation {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kLength = 10;      // seconds of a query
constexpr int kPerRecording = 10;   // queries of each recording …
constexpr int kPerPerformance = 4;  // … and of each performance
constexpr int kDefaultSample = 60;  // performances, unless the options say

// Queried pieces first, then the others in an order that the seed decides, each music once, then
// made ones.
struct Pool {
  std::vector<datasets::CollectionEntry> entries;
  std::vector<uint64_t> fingerprints;                             // of the queried pieces
  std::vector<int> works;                                         // … and their works
  std::vector<datasets::TestRecording> recordings, performances;  // `work` is one of `works`
  size_t queried = 0, real = 0;
  int left_out = 0;  // editions of queried pieces
  datasets::CatalogueCount others;
  // The work of each queried piece and of each edition that is left out, by fingerprint: of an
  // edition of several, the first.
  std::map<uint64_t, int> editions;
  std::vector<uint64_t> indexed;  // fingerprints of the bundle's pieces, by source; if there is one

  int work_of(int place) const {
    return static_cast<size_t>(place) < queried ? works[place] : -2 - place;
  }
};

// A collection that holds the pool, and where.
struct Catalogue {
  std::unique_ptr<const retrieval::BundleCollection> collection;
  std::vector<int> place_of;     // by source; -1: not in the pool
  std::vector<std::string> ids;  // by place in the pool; empty: pieces are filed by size
};

// Of the queried pieces, which must be readable.
absl::StatusOr<std::vector<std::set<uint64_t>>> Melodies(Pool& pool) {
  std::vector<std::set<uint64_t>> melodies;
  for (const datasets::CollectionEntry& entry : pool.entries) {
    const auto name_it = [&entry](const absl::Status& status) {
      return absl::Status(status.code(), absl::StrCat(entry.id, ": ", status.message()));
    };
    ASSIGN_OR_RETURN(const music::Score score, MapError(notation::ReadScore(entry.midi), name_it));
    melodies.push_back(data::MelodyShingles(score));
    pool.fingerprints.push_back(datasets::NotesFingerprint(score));
  }
  return melodies;
}

// Moves the entries at `wanted` to the pool and points the recordings at their new places.
void TakeQueried(std::vector<datasets::CollectionEntry>& entries,
                 std::vector<datasets::TestRecording>& recordings, Pool& pool) {
  std::vector<int> place(entries.size(), -1);
  for (datasets::TestRecording& recording : recordings) {
    int& at = place[recording.work];
    if (at < 0) {
      at = static_cast<int>(pool.entries.size());
      pool.entries.push_back(std::move(entries[recording.work]));
    }
    recording.work = at;
  }
  std::vector<datasets::CollectionEntry> rest;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (place[i] < 0) rest.push_back(std::move(entries[i]));
  }
  entries = std::move(rest);
}

absl::Status AddReal(std::vector<datasets::CollectionEntry> others, uint64_t seed,
                     Progress& progress, Pool& pool) {
  ASSIGN_OR_RETURN(const auto queried, Melodies(pool));
  pool.works = datasets::WorksOf(queried);
  for (auto* recordings : {&pool.recordings, &pool.performances}) {
    for (datasets::TestRecording& recording : *recordings)
      recording.work = pool.works[recording.work];
  }
  std::mt19937_64 random(seed);
  for (size_t i = others.size(); i > 1; --i) std::swap(others[i - 1], others[random() % i]);
  for (size_t i = 0; i < pool.queried; ++i) pool.editions[pool.fingerprints[i]] = pool.works[i];
  std::set<uint64_t> seen(pool.fingerprints.begin(), pool.fingerprints.end());
  progress.Start("compare scores", std::ssize(others));
  for (datasets::CollectionEntry& entry : others) {
    progress.Advance();
    const absl::StatusOr<music::Score> score = notation::ReadScore(entry.midi);
    if (!score.ok() || score->notes.empty()) {
      ++pool.others.files;
      ++pool.others.unreadable;
      continue;
    }
    const uint64_t fingerprint = datasets::NotesFingerprint(*score);
    if (!datasets::CountIfNew(fingerprint, seen, pool.others)) continue;
    const std::set<uint64_t> melody = data::MelodyShingles(*score);
    const auto edition = std::find_if(queried.begin(), queried.end(), [&melody](const auto& other) {
      return datasets::AreEditions(melody, other);
    });
    if (edition == queried.end()) {
      pool.entries.push_back(std::move(entry));
    } else {
      pool.editions[fingerprint] = pool.works[edition - queried.begin()];
      ++pool.left_out;
    }
  }
  progress.Finish();
  pool.real = pool.entries.size();
  return absl::OkStatus();
}

// With what is in the bundle, if there is one.
absl::StatusOr<Pool> MakePool(const CatalogSizeOptions& options,
                              const retrieval::BundleCollection* bundle, Progress& progress) {
  ASSIGN_OR_RETURN(datasets::MapsTestBed maps,
                   datasets::MakeMapsTestBed(options.recordings, options.midi_dir));
  AsapTestBed asap;
  if (!options.asap.folder.empty()) {
    AsapOptions sampled = options.asap;
    if (sampled.performances == 0) sampled.performances = kDefaultSample;
    ASSIGN_OR_RETURN(asap, MakeAsapTestBed(sampled, options.seed, progress));
    for (size_t i = 0; i < asap.recordings.size(); ++i) {
      asap.recordings[i].work = asap.asap.performances[asap.sample[i]].score;
    }
  }
  Pool pool;
  TakeQueried(maps.entries, maps.recordings, pool);
  TakeQueried(asap.entries, asap.recordings, pool);
  pool.queried = pool.entries.size();
  pool.recordings = std::move(maps.recordings);
  pool.performances = std::move(asap.recordings);
  if (bundle != nullptr) {
    ASSIGN_OR_RETURN(datasets::Catalogue pieces, datasets::ReadPieces(*bundle, progress));
    pool.indexed = std::move(pieces.fingerprints);
    RETURN_IF_ERROR(AddReal(std::move(pieces.entries), options.seed, progress, pool));
    return pool;
  }
  std::vector<datasets::CollectionEntry> others = std::move(maps.entries);
  for (datasets::CollectionEntry& entry : asap.entries) others.push_back(std::move(entry));
  for (const std::string& folder : options.distractors) {
    ASSIGN_OR_RETURN(std::vector<datasets::CollectionEntry> more, datasets::ReadEntries(folder));
    for (datasets::CollectionEntry& entry : more) others.push_back(std::move(entry));
  }
  RETURN_IF_ERROR(AddReal(std::move(others), options.seed, progress, pool));
  return pool;
}

// Where the bundle has the pieces of the pool: those that are asked about by their notes.
absl::Status FindInBundle(const Pool& pool, const std::string& bundle, Catalogue& catalogue) {
  const retrieval::BundleCollection& collection = *catalogue.collection;
  std::map<uint64_t, int> queried;
  for (size_t i = 0; i < pool.queried; ++i) queried[pool.fingerprints[i]] = static_cast<int>(i);
  catalogue.place_of.assign(collection.pieces().size(), -1);
  catalogue.ids.resize(pool.entries.size());
  for (size_t i = pool.queried; i < pool.entries.size(); ++i) {
    catalogue.ids[i] = pool.entries[i].id;
    catalogue.place_of[*collection.FindPiece(pool.entries[i].id)] = static_cast<int>(i);
  }
  for (int source = 0; source < std::ssize(catalogue.place_of); ++source) {
    if (catalogue.place_of[source] >= 0) continue;
    const auto place = queried.find(pool.indexed[source]);
    if (place == queried.end() || !catalogue.ids[place->second].empty()) continue;
    catalogue.ids[place->second] = collection.pieces()[source].id;
    catalogue.place_of[source] = place->second;
  }
  for (size_t i = 0; i < pool.queried; ++i) {
    catalogue.ids[i] = catalogue.ids[queried[pool.fingerprints[i]]];  // it may have a copy
    if (catalogue.ids[i].empty()) {
      return absl::NotFoundError(
          absl::StrCat(bundle, " does not hold ", pool.entries[i].title, ", which is asked about"));
    }
  }
  return absl::OkStatus();
}

std::string CollectionUpTo(int size) { return absl::StrCat("up to ", size); }

// The catalogue of the largest size holds all others: each piece is filed under the smallest size
// that it belongs to, and a question to a smaller catalogue is limited to the sizes up to that.
void FileBySize(const std::vector<int>& sizes, std::vector<datasets::CollectionEntry>& entries) {
  size_t next = 0;
  for (const int size : sizes) {
    for (; next < static_cast<size_t>(size); ++next)
      entries[next].collection = CollectionUpTo(size);
  }
}

int64_t VectorsOf(const std::function<bool(int source)>& is_in, const Catalogue& catalogue) {
  int64_t vectors = 0;
  for (const catalog::SnippetRun& run :
       catalogue.collection->view().base_catalog().runs(catalog::Side::kScores)) {
    if (is_in(run.source)) vectors += run.count;
  }
  return vectors;
}

// What limits a question to the first pieces of the pool, as many as the last of `sizes`.
matching::SourceFilter UpTo(std::span<const int> sizes, const Catalogue& catalogue) {
  matching::SourceFilter filter;
  if (catalogue.ids.empty()) {
    for (const int size : sizes) filter.collections.push_back(CollectionUpTo(size));
  } else {
    filter.piece_ids.assign(catalogue.ids.begin(), catalogue.ids.begin() + sizes.back());
  }
  return filter;
}

// One row: the pieces that `sources` allows are asked, and `work_of` says which work each is.
absl::StatusOr<metrics::ReportRow> Measure(const Pool& pool, std::string name,
                                           matching::SourceFilter sources,
                                           const datasets::WorkOfSource& work_of, int64_t vectors,
                                           const Catalogue& catalogue, uint64_t seed,
                                           Progress& progress) {
  matching::IdentifyOptions identify;
  identify.top_k = datasets::kCandidates;
  identify.filter.sources = std::move(sources);
  metrics::ReportRow row{std::move(name), {}};
  double seconds = 0, queries = 0;
  for (const auto& [recordings, count] : {std::pair(&pool.recordings, kPerRecording),
                                          std::pair(&pool.performances, kPerPerformance)}) {
    if (recordings->empty()) continue;
    const auto started = Clock::now();
    ASSIGN_OR_RETURN(const auto outcomes,
                     datasets::AskExcerpts(*recordings, {{kLength}, count, false, seed},
                                           *catalogue.collection, identify, work_of, {}, progress));
    const datasets::Accuracy accuracy = datasets::AccuracyAt(outcomes, kLength);
    row.figures.insert(row.figures.end(),
                       {accuracy.at_1(), accuracy.at_5(), 1.0 * accuracy.queries});
    seconds += std::chrono::duration<double>(Clock::now() - started).count();
    queries += accuracy.queries;
  }
  row.figures.insert(row.figures.end(), {static_cast<double>(vectors) / 1e6, seconds / queries});
  return row;
}

// The first pieces of the pool, as many as the last of `sizes`.
absl::StatusOr<metrics::ReportRow> MeasureUpTo(const Pool& pool, const std::string& name,
                                               std::span<const int> sizes,
                                               const Catalogue& catalogue, uint64_t seed,
                                               Progress& progress) {
  const auto is_in = [&](int source) {
    return catalogue.place_of[source] >= 0 && catalogue.place_of[source] < sizes.back();
  };
  return Measure(
      pool, absl::StrCat(name, ", ", sizes.back(), " pieces"), UpTo(sizes, catalogue),
      [&](int source) { return pool.work_of(catalogue.place_of[source]); },
      VectorsOf(is_in, catalogue), catalogue, seed, progress);
}

// All that the bundle holds, as a user asks it. Right is the work asked about, in any edition.
absl::StatusOr<metrics::ReportRow> MeasureWhole(const Pool& pool, const Catalogue& catalogue,
                                                uint64_t seed, Progress& progress) {
  const auto work_of = [&](int source) {
    const auto edition = pool.editions.find(pool.indexed[source]);
    return edition == pool.editions.end() ? -2 - source : edition->second;
  };
  return Measure(
      pool,
      absl::StrCat("this model, all ", pool.indexed.size(), " pieces, any edition of the work"), {},
      work_of, VectorsOf([](int) { return true; }, catalogue), catalogue, seed, progress);
}

// The sizes asked for, ascending, without those that the queried pieces alone exceed, or that the
// bundle has too few pieces for.
std::vector<int> SizesFor(const CatalogSizeOptions& options, const Pool& pool,
                          metrics::Report& report) {
  std::vector<int> sizes;
  for (const int size : options.sizes) {
    if (!options.bundle.empty() && static_cast<size_t>(size) > pool.real) {
      report.settings[absl::StrCat("left out, size ", size)] =
          absl::StrCat("the bundle has ", pool.real);
    } else if (static_cast<size_t>(size) >= pool.queried) {
      sizes.push_back(size);
    } else {
      report.settings[absl::StrCat("left out, size ", size)] =
          absl::StrCat("the queried pieces alone are ", pool.queried);
    }
  }
  std::sort(sizes.begin(), sizes.end());
  return sizes;
}

}  // namespace

absl::StatusOr<metrics::Report> EvaluateCatalogSize(const CatalogSizeOptions& options,
                                                    Progress& progress) {
  RETURN_IF_ERROR(options.Check());
  const auto started = Clock::now();
  Catalogue catalogue;
  if (!options.bundle.empty()) {
    ASSIGN_OR_RETURN(catalogue.collection, OpenIndexedFor(options.models, options.bundle));
  }
  ASSIGN_OR_RETURN(Pool pool, MakePool(options, catalogue.collection.get(), progress));
  metrics::Report report{"catalogue-size", {}, {}};
  const std::vector<int> sizes = SizesFor(options, pool, report);
  if (sizes.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("sizes: none of them is from ", pool.queried, ", the queried pieces, to ",
                     options.bundle.empty() ? "1000000" : absl::StrCat(pool.real)));
  }
  if (static_cast<size_t>(sizes.back()) > pool.real) {
    ASSIGN_OR_RETURN(auto made,
                     datasets::MakeRecombined(
                         pool.entries, sizes.back() - static_cast<int>(pool.real), options.seed));
    for (datasets::CollectionEntry& entry : made) pool.entries.push_back(std::move(entry));
  }
  const auto open = [&](const std::string& model, int size) -> absl::StatusOr<Catalogue> {
    Catalogue opened;
    ASSIGN_OR_RETURN(opened.collection, datasets::OpenReferenceCollection(
                                            {pool.entries.begin(), pool.entries.begin() + size},
                                            ReferenceCollectionFor(options.models, model,
                                                                   options.reference_collections),
                                            progress));
    opened.place_of.resize(size);
    std::iota(opened.place_of.begin(), opened.place_of.end(), 0);
    return opened;
  };
  if (catalogue.collection != nullptr) {
    RETURN_IF_ERROR(FindInBundle(pool, options.bundle, catalogue));
  } else {
    FileBySize(sizes, pool.entries);
    ASSIGN_OR_RETURN(catalogue, open(options.models.model, sizes.back()));
  }
  report.settings["model"] = catalogue.collection->manifest().model_id;
  metrics::ReportTable table{"piece first at 10 s", {"MAPS", "5|MAPS", "MAPS queries"}, {}};
  if (!pool.performances.empty())
    table.columns.insert(table.columns.end(), {"ASAP", "5|ASAP", "ASAP queries"});
  table.columns.insert(table.columns.end(), {"Mvectors", "s/query"});
  const auto measure = [&](const std::string& name, size_t count,
                           const Catalogue& asked) -> absl::Status {
    ASSIGN_OR_RETURN(metrics::ReportRow row, MeasureUpTo(pool, name, std::span(sizes).first(count),
                                                         asked, options.seed, progress));
    table.rows.push_back(std::move(row));
    return absl::OkStatus();
  };
  for (size_t count = 1; count <= sizes.size(); ++count) {
    RETURN_IF_ERROR(measure("this model", count, catalogue));
    if (count == 1 && !options.models.untrained.empty()) {
      ASSIGN_OR_RETURN(const Catalogue untrained, open(options.models.untrained, sizes.front()));
      RETURN_IF_ERROR(measure("untrained", count, untrained));
    }
    const double size = sizes[count - 1];
    metrics::ReportRow random{absl::StrCat("random, ", sizes[count - 1], " pieces"),
                              {1 / size, 5 / size}};
    if (!pool.performances.empty())
      random.figures.insert(random.figures.end(), {0, 1 / size, 5 / size});
    table.rows.push_back(std::move(random));
  }
  if (!pool.indexed.empty()) {
    ASSIGN_OR_RETURN(metrics::ReportRow whole,
                     MeasureWhole(pool, catalogue, options.seed, progress));
    table.rows.push_back(std::move(whole));
  }
  report.tables.push_back(std::move(table));
  report.settings["pieces"] =
      absl::StrCat(pool.queried, " queried, ", pool.real - pool.queried, " other real ones (",
                   pool.left_out, " editions of queried pieces left out)",
                   options.bundle.empty() ? ", then recombined ones" : "");
  report.settings["scores to fill up with"] = datasets::ToText(pool.others);
  report.settings["seed"] = absl::StrCat(options.seed);
  metrics::NoteSeconds(started, report);
  return report;
}

}  // namespace antiphon::trainer::evaluation
