#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "core/alignment/performance.h"
#include "core/base/status_macros.h"
#include "core/decoding/decoder.h"
#include "core/features/audio_front_end.h"
#include "core/scores/read_score.h"
#include "core/threads/cores.h"
#include "trainer/evaluation/alignment/alignment_cases.h"
#include "trainer/evaluation/alignment/placement_errors.h"
#include "trainer/evaluation/alignment/structural_variants.h"
#include "trainer/evaluation/suites.h"

namespace antiphon::trainer::evaluation {
namespace {

using alignment::Performance;
using music::TimePoint;
using Clock = std::chrono::steady_clock;

// Excerpts of a recording, seconds, from its middle. The whole is the last.
constexpr double kLengths_s[] = {10, 30, 1e9};
constexpr int kLengthCount = std::size(kLengths_s);

struct Counted {
  int accepted = 0;
  int all = 0;
};

struct VariantOutcome {
  VariantKind kind = VariantKind::kCut;
  std::vector<double> errors_s;
  JumpTally jumps;
};

// What is measured on one recording.
struct CaseOutcome {
  PlacementErrors aligned, straight;
  int jumps = 0;  // found in the recording as it is
  double align_s = 0, spectrogram_s = 0, sound_s = 0;
  std::vector<VariantOutcome> variants;
  std::vector<double> excerpt_errors_s[kLengthCount];
  Counted right[kLengthCount], wrong[kLengthCount];
};

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

features::FeatureSequence Cut(const features::FeatureSequence& whole, double start_s,
                              double length_s) {
  const auto frames = whole.frames();
  const auto first = static_cast<int64_t>(std::llround(start_s * whole.frame_rate));
  const auto count = static_cast<int64_t>(std::llround(std::min(length_s, 1e6) * whole.frame_rate));
  features::FeatureSequence cut = whole;
  cut.cells.assign(whole.cells.begin() + first * whole.bands,
                   whole.cells.begin() + std::min(frames, first + count) * whole.bands);
  return cut;
}

// What cannot be aligned at all is not accepted.
Performance Aligned(const features::FeatureSequence& spectrogram,
                    const features::FeatureSettings& settings, const music::Score& score) {
  absl::StatusOr<Performance> performance =
      alignment::AlignPerformance(spectrogram, settings, score);
  return performance.ok() ? *std::move(performance) : Performance{};
}

bool IsAccepted(const Performance& performance) {
  return performance.agreement >= alignment::kBelongTogether;
}

class CaseRunner {
 public:
  CaseRunner(const features::AudioFrontEnd& front_end, const AlignmentCase& one,
             std::span<const std::string> others)
      : front_end_(front_end), case_(one), others_(others) {}

  // With `deep`, also variants, excerpts and scores of other music.
  absl::StatusOr<CaseOutcome> Run(bool deep) {
    ASSIGN_OR_RETURN(
        const audio::Waveform sound,
        audio::DecodeFile(case_.audio, {.sample_rate = front_end_.settings().sample_rate}));
    const auto start = Clock::now();
    spectrogram_ = features::ComputeSpectrogram(front_end_, sound.samples);
    outcome_.spectrogram_s = SecondsSince(start);
    outcome_.sound_s = sound.duration_s();
    const auto aligning = Clock::now();
    const Performance performance = Aligned(spectrogram_, front_end_.settings(), case_.score);
    outcome_.align_s = SecondsSince(aligning);
    outcome_.aligned = MeasurePlaces(case_.truth, performance);
    outcome_.jumps = std::max(0, static_cast<int>(performance.passages.size()) - 1);
    RETURN_IF_ERROR(MeasureStraightLine());
    Count(performance, outcome_.right[kLengthCount - 1]);
    if (deep) {
      RETURN_IF_ERROR(MeasureVariants(sound));
      MeasureExcerpts();
      RETURN_IF_ERROR(MeasureOthers());
    }
    return std::move(outcome_);
  }

 private:
  static void Count(const Performance& performance, Counted& counted) {
    ++counted.all;
    counted.accepted += IsAccepted(performance);
  }

  // It is given the first and the last place, which only the truth knows.
  absl::Status MeasureStraightLine() {
    const auto [first, last] =
        std::minmax_element(case_.truth.begin(), case_.truth.end(),
                            [](const TimePoint& a, const TimePoint& b) { return a.to_s < b.to_s; });
    ASSIGN_OR_RETURN(const music::TimeMap line,
                     music::TimeMap::Create({{case_.truth.front().from_s, first->to_s},
                                             {case_.truth.back().from_s, last->to_s}}));
    outcome_.straight = MeasurePlaces(case_.truth, PerformanceAlong(line));
    return absl::OkStatus();
  }

  absl::Status MeasureVariants(const audio::Waveform& sound) {
    ASSIGN_OR_RETURN(const music::TimeMap map, MapThrough(case_.truth));
    for (const VariantKind kind : kVariantKinds) {
      const std::optional<Variant> variant =
          MakeVariant(kind, sound, case_.score, map, case_.truth);
      if (!variant) continue;
      const Performance performance =
          Aligned(features::ComputeSpectrogram(front_end_, variant->sound.samples),
                  front_end_.settings(), case_.score);
      outcome_.variants.push_back({kind, MeasurePlaces(variant->truth, performance).in_recording_s,
                                   TallyJumps(performance, case_.score, variant->jump)});
    }
    return absl::OkStatus();
  }

  // From the middle of the recording.
  features::FeatureSequence ExcerptOf(double length_s, double& start_s) const {
    start_s = std::max(0.0, outcome_.sound_s / 2 - length_s / 2);
    return Cut(spectrogram_, start_s, length_s);
  }

  void MeasureExcerpts() {
    for (int i = 0; i + 1 < kLengthCount; ++i) {
      double start_s = 0;
      const Performance performance =
          Aligned(ExcerptOf(kLengths_s[i], start_s), front_end_.settings(), case_.score);
      Count(performance, outcome_.right[i]);
      std::vector<TimePoint> truth;
      for (const TimePoint& point : case_.truth) {
        if (point.from_s >= start_s && point.from_s < start_s + kLengths_s[i])
          truth.push_back({point.from_s - start_s, point.to_s});
      }
      outcome_.excerpt_errors_s[i] = MeasurePlaces(truth, performance).in_recording_s;
    }
  }

  absl::Status MeasureOthers() {
    for (const std::string& path : others_) {
      ASSIGN_OR_RETURN(const music::Score other, notation::ReadScoreFile(path));
      for (int i = 0; i < kLengthCount; ++i) {
        double start_s = 0;
        Count(Aligned(ExcerptOf(kLengths_s[i], start_s), front_end_.settings(), other),
              outcome_.wrong[i]);
      }
    }
    return absl::OkStatus();
  }

  const features::AudioFrontEnd& front_end_;
  const AlignmentCase& case_;
  const std::span<const std::string> others_;
  features::FeatureSequence spectrogram_;
  CaseOutcome outcome_;
};

struct Outcomes {
  absl::Mutex mutex;
  absl::Status status ABSL_GUARDED_BY(mutex);
  std::vector<CaseOutcome> cases ABSL_GUARDED_BY(mutex);
};

// `deep` of the cases, evenly chosen, are looked at closely.
absl::StatusOr<std::vector<CaseOutcome>> RunSet(const AlignmentSet& set, int deep, int threads,
                                                const features::AudioFrontEnd& front_end,
                                                Progress& progress) {
  Outcomes outcomes;
  {
    absl::MutexLock lock(&outcomes.mutex);
    outcomes.cases.resize(set.cases.size());
  }
  progress.Start(absl::StrCat("align ", set.name), static_cast<int64_t>(set.cases.size()));
  std::atomic<size_t> next = 0;
  const size_t stride = deep > 0 ? (set.cases.size() + deep - 1) / deep : 0;
  const auto work = [&] {
    for (size_t i; (i = next++) < set.cases.size(); progress.Advance()) {
      absl::StatusOr<CaseOutcome> outcome =
          CaseRunner(front_end, set.cases[i], set.others[i]).Run(stride > 0 && i % stride == 0);
      absl::MutexLock lock(&outcomes.mutex);
      if (outcome.ok()) {
        outcomes.cases[i] = *std::move(outcome);
      } else {
        outcomes.status.Update(
            absl::Status(outcome.status().code(),
                         absl::StrCat(set.cases[i].name, ": ", outcome.status().message())));
      }
    }
  };
  const int count = threads > 0 ? threads : antiphon::threads::Cores();
  std::vector<std::thread> workers;
  workers.reserve(count);
  for (int i = 0; i < count; ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  progress.Finish();
  absl::MutexLock lock(&outcomes.mutex);
  if (!outcomes.status.ok()) return outcomes.status;
  return std::move(outcomes.cases);
}

using Several = std::vector<std::pair<std::string, std::vector<CaseOutcome>>>;  // by set

void AddRow(const std::string& name, std::vector<double> errors_s, metrics::ReportTable& table) {
  const ErrorShares shares = SharesOf(std::move(errors_s));
  table.rows.push_back({name,
                        {shares.within_50_ms, shares.within_100_ms, shares.within_250_ms,
                         shares.within_500_ms, shares.median_s, 1.0 * shares.count}});
}

std::vector<double> All(const std::vector<CaseOutcome>& cases,
                        const std::function<const std::vector<double>&(const CaseOutcome&)>& of) {
  std::vector<double> all;
  for (const CaseOutcome& one : cases) all.insert(all.end(), of(one).begin(), of(one).end());
  return all;
}

metrics::ReportTable PlacesTable(const Several& sets) {
  metrics::ReportTable table{
      "beats (ASAP) and notes", {"50ms", "100ms", "250ms", "500ms", "median", "count"}, {}};
  for (const auto& [name, cases] : sets) {
    AddRow(name + ", recording to score",
           All(
               cases, [](const auto& one) -> auto& { return one.aligned.in_score_s; }),
           table);
    AddRow(name + ", score to recording",
           All(
               cases, [](const auto& one) -> auto& { return one.aligned.in_recording_s; }),
           table);
    AddRow(name + ", straight line, score to recording",
           All(
               cases, [](const auto& one) -> auto& { return one.straight.in_recording_s; }),
           table);
  }
  return table;
}

// How many recordings have how much within 100 ms: the few that fail altogether.
metrics::ReportTable RecordingsTable(const Several& sets) {
  metrics::ReportTable table{"recordings with so much within 100 ms", {"share", "of"}, {}};
  for (const auto& [name, cases] : sets) {
    for (const double least : {0.99, 0.95, 0.9, 0.8, 0.5}) {
      const auto count = std::count_if(cases.begin(), cases.end(), [&](const CaseOutcome& one) {
        return SharesOf(one.aligned.in_recording_s).within_100_ms >= least;
      });
      table.rows.push_back({absl::StrCat(name, ", at least ", least),
                            {static_cast<double>(count) / static_cast<double>(cases.size()),
                             static_cast<double>(cases.size())}});
    }
  }
  return table;
}

metrics::ReportTable VariantsTable(const Several& sets) {
  metrics::ReportTable table{
      "played otherwise than written", {"50ms", "100ms", "found", "others", "of"}, {}};
  for (const auto& [name, cases] : sets) {
    int jumps = 0;
    for (const CaseOutcome& one : cases) jumps += one.jumps;
    table.rows.push_back(
        {name + ", as it is",
         {SharesOf(All(
                       cases, [](const auto& one) -> auto& { return one.aligned.in_recording_s; }))
              .within_50_ms,
          SharesOf(All(
                       cases, [](const auto& one) -> auto& { return one.aligned.in_recording_s; }))
              .within_100_ms,
          0, static_cast<double>(jumps) / static_cast<double>(cases.size()),
          static_cast<double>(cases.size())}});
    for (const VariantKind kind : kVariantKinds) {
      std::vector<double> errors_s;
      double found = 0, others = 0, all = 0;
      for (const CaseOutcome& one : cases) {
        for (const VariantOutcome& variant : one.variants) {
          if (variant.kind != kind) continue;
          errors_s.insert(errors_s.end(), variant.errors_s.begin(), variant.errors_s.end());
          found += variant.jumps.found;
          others += variant.jumps.others;
          ++all;
        }
      }
      if (all == 0) continue;
      const ErrorShares shares = SharesOf(std::move(errors_s));
      table.rows.push_back(
          {absl::StrCat(name, ", ", NameOf(kind)),
           {shares.within_50_ms, shares.within_100_ms, found / all, others / all, all}});
    }
  }
  return table;
}

metrics::ReportTable BelongTable(const Several& sets) {
  metrics::ReportTable table{
      "do they belong together?", {"right", "100ms", "of", "refused", "wrong"}, {}};
  const char* const names[kLengthCount] = {"10 s", "30 s", "whole"};
  for (const auto& [name, cases] : sets) {
    for (int i = 0; i < kLengthCount; ++i) {
      Counted right, wrong;
      std::vector<double> errors_s;
      for (const CaseOutcome& one : cases) {
        right.accepted += one.right[i].accepted;
        right.all += one.right[i].all;
        wrong.accepted += one.wrong[i].accepted;
        wrong.all += one.wrong[i].all;
        const std::vector<double>& more =
            i + 1 < kLengthCount ? one.excerpt_errors_s[i] : one.aligned.in_recording_s;
        errors_s.insert(errors_s.end(), more.begin(), more.end());
      }
      if (right.all == 0 || wrong.all == 0) continue;
      table.rows.push_back(
          {absl::StrCat(name, ", ", names[i]),
           {static_cast<double>(right.accepted) / right.all,
            SharesOf(std::move(errors_s)).within_100_ms, static_cast<double>(right.all),
            1 - static_cast<double>(wrong.accepted) / wrong.all, static_cast<double>(wrong.all)}});
    }
  }
  return table;
}

// Of the places with so much doubt, the share that is wrong.
metrics::ReportTable DoubtTable(const Several& sets) {
  metrics::ReportTable table{"doubt, and the share beyond 100 ms", {"beyond", "of"}, {}};
  constexpr int kSteps = 5;
  double wrong[kSteps] = {}, all[kSteps] = {};
  for (const auto& [name, cases] : sets) {
    for (const CaseOutcome& one : cases) {
      for (size_t i = 0; i < one.aligned.doubts.size(); ++i) {
        const int step =
            std::clamp(static_cast<int>(one.aligned.doubts[i] * kSteps), 0, kSteps - 1);
        ++all[step];
        wrong[step] += one.aligned.in_recording_s[i] > 0.1;
      }
    }
  }
  for (int step = 0; step < kSteps; ++step) {
    table.rows.push_back(
        {absl::StrCat("doubt ", 1.0 * step / kSteps, " to ", 1.0 * (step + 1) / kSteps),
         {all[step] > 0 ? wrong[step] / all[step] : 0, all[step]}});
  }
  return table;
}

metrics::ReportTable CostTable(const Several& sets) {
  metrics::ReportTable table{
      "seconds of sound per second, a thread", {"spectrogram", "align", "sound"}, {}};
  for (const auto& [name, cases] : sets) {
    double spectrogram_s = 0, align_s = 0, sound_s = 0;
    for (const CaseOutcome& one : cases) {
      spectrogram_s += one.spectrogram_s;
      align_s += one.align_s;
      sound_s += one.sound_s;
    }
    table.rows.push_back({name,
                          {std::round(sound_s / spectrogram_s), std::round(sound_s / align_s),
                           std::round(sound_s)}});
  }
  return table;
}

}  // namespace

absl::StatusOr<metrics::Report> EvaluateAlignment(const AlignmentOptions& options,
                                                  Progress& progress) {
  RETURN_IF_ERROR(options.Check());
  const auto started = Clock::now();
  std::vector<AlignmentSet> sets;
  if (!options.asap.folder.empty()) {
    ASSIGN_OR_RETURN(AlignmentSet set, AsapAlignments(options, progress));
    sets.push_back(std::move(set));
  }
  if (!options.recordings.empty()) {
    ASSIGN_OR_RETURN(AlignmentSet set, MapsAlignments(options));
    sets.push_back(std::move(set));
  }
  if (!options.bach10.empty()) {
    ASSIGN_OR_RETURN(AlignmentSet set, Bach10Alignments(options));
    sets.push_back(std::move(set));
  }
  ASSIGN_OR_RETURN(const auto front_end,
                   features::AudioFrontEnd::Create(alignment::PerformanceSettings()));
  metrics::Report report{"alignment", {}, {}};
  Several outcomes;
  for (const AlignmentSet& set : sets) {
    ASSIGN_OR_RETURN(std::vector<CaseOutcome> cases,
                     RunSet(set, options.varied, options.asap.threads, *front_end, progress));
    report.settings[set.name] = absl::StrCat(cases.size(), " recordings");
    if (set.left_out > 0) report.settings[set.name + " without truth"] = absl::StrCat(set.left_out);
    if (set.unplayed > 0)
      report.settings[set.name + " beats not played"] = absl::StrCat(set.unplayed);
    outcomes.emplace_back(set.name, std::move(cases));
  }
  report.tables = {PlacesTable(outcomes), RecordingsTable(outcomes), VariantsTable(outcomes),
                   BelongTable(outcomes), DoubtTable(outcomes),      CostTable(outcomes)};
  report.settings["seed"] = absl::StrCat(options.seed);
  report.settings["soundfont"] = options.asap.renditions.soundfont;
  metrics::NoteSeconds(started, report);
  return report;
}

}  // namespace antiphon::trainer::evaluation
