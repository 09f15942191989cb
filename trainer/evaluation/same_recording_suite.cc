#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/collection/bundle_builder.h"
#include "core/retrieval/bundle_collection.h"
#include "trainer/base/fingerprint.h"
#include "trainer/datasets/asap.h"
#include "trainer/datasets/degradation.h"
#include "trainer/datasets/excerpts.h"
#include "trainer/evaluation/suites.h"

namespace antiphon::trainer::evaluation {
namespace {

using datasets::Outcome;
using datasets::TestRecording;
using matching::Performance;

constexpr double kExcerpt_s = 10;
constexpr char kAudioExtensions[] = ".flac .wav .mp3 .ogg .opus .m4a";

struct TestBed {
  std::vector<TestRecording> filed;   // each is a work of its own, in the order of the collection
  std::vector<TestRecording> others;  // other performances of what those are of
};

absl::Status AddFolder(const std::string& folder, TestBed& bed) {
  if (!std::filesystem::is_directory(folder))
    return absl::NotFoundError(absl::StrCat("no folder at ", folder));
  std::set<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string extension = entry.path().extension();
    if (!extension.empty() && absl::StrContains(kAudioExtensions, extension))
      paths.insert(entry.path());
  }
  for (const std::string& path : paths) {
    bed.filed.push_back(
        {std::filesystem::path(path).stem(), path, static_cast<int>(bed.filed.size())});
  }
  return absl::OkStatus();
}

// Of each of so many works one performance, which is filed, and another, which is asked about.
absl::Status AddAsap(const AsapOptions& options, uint64_t seed, Progress& progress, TestBed& bed) {
  ASSIGN_OR_RETURN(const datasets::Asap asap, datasets::ReadAsap(options.folder));
  std::vector<int> order = datasets::SamplePerformances(asap, 0, seed);
  std::shuffle(order.begin(), order.end(), std::mt19937_64(seed));
  std::map<int, std::vector<int>> of_work;
  for (const int performance : order)
    of_work[asap.work_of(asap.performances[performance])].push_back(performance);
  std::vector<int> works;
  for (const auto& [work, performances] : of_work) {
    if (performances.size() > 1) works.push_back(work);
  }
  std::shuffle(works.begin(), works.end(), std::mt19937_64(seed));
  if (options.performances > 0 && std::ssize(works) > options.performances)
    works.resize(options.performances);
  std::vector<int> performances;
  for (const int work : works)
    performances.insert(performances.end(), of_work[work].begin(), of_work[work].begin() + 2);
  ASSIGN_OR_RETURN(
      const std::vector<std::string> paths,
      datasets::RenderPerformances(asap, performances, datasets::RenditionCache(options.renditions),
                                   options.threads, progress));
  for (size_t i = 0; i < performances.size(); i += 2) {
    const auto work = static_cast<int>(bed.filed.size());
    bed.filed.push_back({asap.performances[performances[i]].id, paths[i], work});
    bed.others.push_back({asap.performances[performances[i + 1]].id, paths[i + 1], work});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<const retrieval::Collection>> File(
    const std::vector<TestRecording>& recordings, const std::string& model,
    const SameRecordingOptions& options, Progress& progress) {
  collection::BuilderOptions build;
  build.model_directory = model;
  build.encoder = options.models.encoder;
  ASSIGN_OR_RETURN(auto builder, collection::BundleBuilder::Create(options.work, build));
  progress.Start("file recordings", static_cast<int64_t>(recordings.size()));
  for (const TestRecording& recording : recordings) {
    ASSIGN_OR_RETURN(const std::string audio, ReadWholeFile(recording.path));
    catalog::Recording entry;
    entry.id = entry.title = recording.name;
    RETURN_IF_ERROR(builder->AddRecording(entry, audio));
    progress.Advance();
  }
  progress.Finish();
  RETURN_IF_ERROR(builder->Publish().status());
  collection::CollectionOptions open;
  open.encoder = options.models.encoder;
  return retrieval::BundleCollection::Open(options.work, open);
}

absl::StatusOr<std::vector<Outcome>> Ask(const std::vector<TestRecording>& recordings,
                                         const retrieval::Collection& collection,
                                         const SameRecordingOptions& options,
                                         const datasets::Treatment& treatment, Progress& progress) {
  matching::IdentifyOptions identify;
  identify.against = catalog::Side::kRecordings;
  identify.top_k = datasets::kCandidates;
  identify.max_transposition = options.max_transposition;
  const datasets::ExcerptPlan plan = {{kExcerpt_s}, options.excerpts, false, options.seed};
  return datasets::AskExcerpts(
      recordings, plan, collection, identify, [](int source) { return source; }, treatment,
      progress);
}

std::vector<std::string> Columns() { return {"first", "match", "the same", "another", "queries"}; }

// `match`: of all, those that are right and sure. The next two: what those are called.
metrics::ReportRow Row(std::string name, const std::vector<TestRecording>& recordings,
                       const std::vector<Outcome>& outcomes) {
  int first = 0, match = 0, same = 0, another = 0;
  for (const Outcome& outcome : outcomes) {
    const auto& candidates = outcome.answer.candidates;
    const int work = recordings[outcome.excerpt.recording].work;
    if (candidates.empty() || candidates[0].source != work) continue;
    ++first;
    if (outcome.answer.verdict != matching::Verdict::kMatch) continue;
    ++match;
    same += candidates[0].performance == Performance::kSame;
    another += candidates[0].performance == Performance::kOther;
  }
  const auto of = static_cast<double>(std::max<size_t>(1, outcomes.size()));
  const double of_match = std::max(1, match);
  return {std::move(name),
          {first / of, match / of, same / of_match, another / of_match,
           static_cast<double>(outcomes.size())}};
}

}  // namespace

absl::StatusOr<metrics::Report> EvaluateSameRecording(const SameRecordingOptions& options,
                                                      Progress& progress) {
  RETURN_IF_ERROR(options.Check());
  const auto started = std::chrono::steady_clock::now();
  TestBed bed;
  if (!options.recordings.empty()) RETURN_IF_ERROR(AddFolder(options.recordings, bed));
  if (!options.asap.folder.empty())
    RETURN_IF_ERROR(AddAsap(options.asap, options.seed, progress, bed));
  metrics::Report report{"same-recording", {}, {}};
  metrics::ReportTable own{
      absl::StrCat("10 s of a recording, of ", bed.filed.size()), Columns(), {}};
  metrics::ReportTable others{"10 s of another performance", Columns(), {}};
  for (const auto& [name, model, measured] : ModelsOf(options.models)) {
    std::filesystem::remove_all(options.work);
    ASSIGN_OR_RETURN(const auto collection, File(bed.filed, model, options, progress));
    if (measured) report.settings["model"] = collection->manifest().model_id;
    ASSIGN_OR_RETURN(const auto plain, Ask(bed.filed, *collection, options, {}, progress));
    own.rows.push_back(Row(name, bed.filed, plain));
    if (!bed.others.empty()) {
      ASSIGN_OR_RETURN(const auto asked, Ask(bed.others, *collection, options, {}, progress));
      others.rows.push_back(Row(name, bed.others, asked));
    }
    if (!measured) continue;
    for (const std::string& degradation : options.degradations) {
      const datasets::Treatment treatment = [&](const audio::Waveform& audio, uint64_t seed) {
        return datasets::Degrade(audio, degradation, seed);
      };
      ASSIGN_OR_RETURN(const auto degraded,
                       Ask(bed.filed, *collection, options, treatment, progress));
      own.rows.push_back(Row(degradation, bed.filed, degraded));
    }
  }
  std::filesystem::remove_all(options.work);
  const metrics::ReportRow lots = {"random",
                                   {1.0 / static_cast<double>(bed.filed.size()), 0, 0, 0, 0}};
  own.rows.push_back(lots);
  report.tables.push_back(std::move(own));
  if (!others.rows.empty()) {
    others.rows.push_back(lots);
    report.tables.push_back(std::move(others));
  }
  report.settings["seed"] = absl::StrCat(options.seed);
  metrics::NoteSeconds(started, report);
  return report;
}

}  // namespace antiphon::trainer::evaluation
