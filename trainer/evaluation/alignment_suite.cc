#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "core/alignment/alignment.h"
#include "core/base/status_macros.h"
#include "core/decoding/decoder.h"
#include "core/features/audio_front_end.h"
#include "core/scores/read_score.h"
#include "trainer/datasets/asap.h"
#include "trainer/evaluation/beat_errors.h"
#include "trainer/evaluation/suites.h"

namespace antiphon::trainer::evaluation {
namespace {

// What maps seconds of a performance to seconds of its score.
struct Maps {
  music::TimeMap aligned;
  music::TimeMap straight;  // from the first onset to the last sound of both
};

struct Work {
  const datasets::Asap& asap;
  std::vector<int> performances;         // whose beats have counterparts
  std::vector<datasets::BeatMap> beats;  // theirs
  std::vector<std::string> paths;        // of their renditions
};

// What one thread adds to.
struct Errors {
  absl::Mutex mutex;
  absl::Status status ABSL_GUARDED_BY(mutex);
  std::vector<BeatErrors> aligned ABSL_GUARDED_BY(mutex);   // by performance
  std::vector<BeatErrors> straight ABSL_GUARDED_BY(mutex);  // by performance
};

double LastOffset(const music::Score& score) {
  double last_s = 0;
  for (const music::Note& note : score.notes) last_s = std::max(last_s, note.offset_s);
  return last_s;
}

// The straight line is given the performance's own first and last note, which only its MIDI file
// knows.
absl::StatusOr<Maps> MapPerformance(const Work& work, size_t index,
                                    const features::AudioFrontEnd& front_end) {
  const datasets::AsapPerformance& performance = work.asap.performances[work.performances[index]];
  ASSIGN_OR_RETURN(const music::Score score,
                   notation::ReadScoreFile(work.asap.scores[performance.score].midi_path));
  ASSIGN_OR_RETURN(const music::Score played, notation::ReadScoreFile(performance.midi_path));
  ASSIGN_OR_RETURN(
      const audio::Waveform audio,
      audio::DecodeFile(work.paths[index], {.sample_rate = front_end.settings().sample_rate}));
  ASSIGN_OR_RETURN(music::TimeMap aligned,
                   alignment::AlignToScore(features::ComputeSpectrogram(front_end, audio.samples),
                                           front_end.settings(), score.notes));
  if (score.notes.empty() || played.notes.empty())
    return absl::InvalidArgumentError("a file without notes");
  ASSIGN_OR_RETURN(
      music::TimeMap straight,
      music::TimeMap::Create({{played.notes.front().onset_s, score.notes.front().onset_s},
                              {LastOffset(played), LastOffset(score)}}));
  return Maps{std::move(aligned), std::move(straight)};
}

absl::Status MeasureAll(const Work& work, const features::AudioFrontEnd& front_end, int threads,
                        Errors& errors, Progress& progress) {
  {
    absl::MutexLock lock(&errors.mutex);
    errors.aligned.resize(work.performances.size());
    errors.straight.resize(work.performances.size());
  }
  progress.Start("align", static_cast<int64_t>(work.performances.size()));
  std::atomic<size_t> next = 0;
  const auto measure = [&] {
    for (size_t index; (index = next++) < work.performances.size(); progress.Advance()) {
      const absl::StatusOr<Maps> maps = MapPerformance(work, index, front_end);
      absl::MutexLock lock(&errors.mutex);
      if (!maps.ok()) {
        const std::string& id = work.asap.performances[work.performances[index]].id;
        errors.status.Update(
            absl::Status(maps.status().code(), absl::StrCat(id, ": ", maps.status().message())));
        continue;
      }
      errors.aligned[index] = MeasureBeats(work.beats[index], maps->aligned);
      errors.straight[index] = MeasureBeats(work.beats[index], maps->straight);
    }
  };
  const unsigned count = threads > 0 ? static_cast<unsigned>(threads)
                                     : std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < count; ++i) workers.emplace_back(measure);
  for (std::thread& worker : workers) worker.join();
  progress.Finish();
  absl::MutexLock lock(&errors.mutex);
  return errors.status;
}

// Of the sample: those whose beats have counterparts. Beats that cannot be read are an error.
absl::StatusOr<Work> FindWork(const datasets::Asap& asap, const std::vector<int>& sample) {
  Work work{asap, {}, {}, {}};
  for (const int index : sample) {
    ASSIGN_OR_RETURN(std::optional<datasets::BeatMap> beats,
                     datasets::ReadBeatMap(asap, asap.performances[index]));
    if (!beats) continue;
    work.performances.push_back(index);
    work.beats.push_back(*std::move(beats));
  }
  if (work.performances.empty())
    return absl::FailedPreconditionError("no performance whose beats have counterparts");
  return work;
}

void AddRow(const std::string& name, std::vector<double> errors_s, metrics::ReportTable& table) {
  const ErrorShares shares = SharesOf(std::move(errors_s));
  table.rows.push_back({name,
                        {shares.within_50_ms, shares.within_100_ms, shares.within_250_ms,
                         shares.within_500_ms, shares.median_s, 1.0 * shares.count}});
}

// All beats of all performances, both directions.
void AddRows(const std::string& name, const std::vector<BeatErrors>& performances,
             metrics::ReportTable& table) {
  BeatErrors all;
  for (const BeatErrors& one : performances) {
    all.in_score_s.insert(all.in_score_s.end(), one.in_score_s.begin(), one.in_score_s.end());
    all.in_performance_s.insert(all.in_performance_s.end(), one.in_performance_s.begin(),
                                one.in_performance_s.end());
  }
  AddRow(name + ", performance to score", std::move(all.in_score_s), table);
  AddRow(name + ", score to performance", std::move(all.in_performance_s), table);
}

// How many performances have how many of their beats within 100 ms: the few that fail altogether.
metrics::ReportTable PerformanceTable(const std::vector<BeatErrors>& performances) {
  metrics::ReportTable table{"performances with so many beats within 100 ms", {"share", "of"}, {}};
  for (const double least : {0.99, 0.95, 0.9, 0.8, 0.5}) {
    const auto count =
        std::count_if(performances.begin(), performances.end(), [&](const BeatErrors& errors) {
          return SharesOf(errors.in_performance_s).within_100_ms >= least;
        });
    table.rows.push_back({absl::StrCat("at least ", least),
                          {static_cast<double>(count) / static_cast<double>(performances.size()),
                           1.0 * static_cast<double>(performances.size())}});
  }
  return table;
}

}  // namespace

absl::StatusOr<metrics::Report> EvaluateAlignment(const AlignmentOptions& options,
                                                  Progress& progress) {
  RETURN_IF_ERROR(options.Check());
  const auto started = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const datasets::Asap asap, datasets::ReadAsap(options.asap.folder));
  const std::vector<int> sample =
      datasets::SamplePerformances(asap, options.asap.performances, options.seed);
  ASSIGN_OR_RETURN(Work work, FindWork(asap, sample));
  ASSIGN_OR_RETURN(work.paths,
                   datasets::RenderPerformances(asap, work.performances,
                                                datasets::RenditionCache(options.asap.renditions),
                                                options.asap.threads, progress));
  ASSIGN_OR_RETURN(const auto front_end,
                   features::AudioFrontEnd::Create(features::FeatureSettings()));
  Errors errors;
  RETURN_IF_ERROR(MeasureAll(work, *front_end, options.asap.threads, errors, progress));
  metrics::Report report{"alignment", {}, {}};
  metrics::ReportTable table{"beats", {"50ms", "100ms", "250ms", "500ms", "median", "beats"}, {}};
  absl::MutexLock lock(&errors.mutex);
  AddRows("aligned", errors.aligned, table);
  AddRows("straight line", errors.straight, table);
  report.tables = {std::move(table), PerformanceTable(errors.aligned)};
  report.settings["performances"] = absl::StrCat(work.performances.size());
  report.settings["without counterparts"] = absl::StrCat(sample.size() - work.performances.size());
  report.settings["seed"] = absl::StrCat(options.seed);
  report.settings["soundfont"] = options.asap.renditions.soundfont;
  metrics::NoteSeconds(started, report);
  return report;
}

}  // namespace antiphon::trainer::evaluation
