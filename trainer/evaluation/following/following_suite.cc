#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "core/alignment/alignment.h"
#include "core/base/status_macros.h"
#include "core/decoding/decoder.h"
#include "core/features/audio_front_end.h"
#include "core/threads/cores.h"
#include "trainer/evaluation/following/follow_material.h"
#include "trainer/evaluation/following/follow_run.h"
#include "trainer/evaluation/following/followed_sound.h"
#include "trainer/evaluation/suites.h"

namespace antiphon::trainer::evaluation {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// How a performance is cut, so that it jumps.
constexpr double kPassage_s = 15;       // played between jumps
constexpr double kFirstPassage_s = 20;  // ... before the first one
constexpr double kNear_s = 6;           // jumps of practice go back by at most this and a bar
constexpr double kFar_s = 10;           // repeats are at least that long

enum class Jump { kPractice, kRepeatTaken, kRepeatLeftOut };
constexpr Jump kJumps[] = {Jump::kPractice, Jump::kRepeatLeftOut, Jump::kRepeatTaken};

std::string NameOf(Jump jump) {
  switch (jump) {
    case Jump::kPractice:
      return "back to practise";
    case Jump::kRepeatTaken:
      return "repeat taken";
    case Jump::kRepeatLeftOut:
      return "repeat left out";
  }
  return "";
}

std::string NameOf(FollowCorpus corpus) {
  switch (corpus) {
    case FollowCorpus::kAsap:
      return "ASAP";
    case FollowCorpus::kMaps:
      return "MAPS";
    case FollowCorpus::kBach10:
      return "Bach10";
  }
  return "";
}

// What was measured on one performance.
struct Measured {
  std::vector<NoteError> followed, aligned, constant;
  double sound_s = 0, computing_s = 0;
  std::vector<double> latencies_s;
  bool lost = false;  // at the end
  std::vector<std::pair<Jump, double>> recoveries_s;
};

// The same notes and moments, answered by a map.
std::vector<NoteError> MeasureMap(const FollowedSound& sound, const FollowRun& run,
                                  const music::TimeMap& map) {
  std::vector<following::FollowAnswer> answers = run.answers;
  for (following::FollowAnswer& answer : answers) answer.score_s = map.To(answer.at_s);
  return MeasureNotes(sound, answers);
}

// Never within a second of the right place during the last ten seconds.
bool LostAtEnd(const FollowedSound& sound, const FollowRun& run) {
  const double end_s = sound.onsets.back();
  return std::none_of(run.answers.begin(), run.answers.end(), [&](const auto& answer) {
    return answer.at_s > end_s - 10 && answer.at_s <= end_s &&
           std::abs(sound.map.From(answer.score_s) - answer.at_s) <= 1;
  });
}

// Seconds of the performance at which bars begin.
std::vector<double> BarLines(const Performed& performed) {
  std::vector<double> lines;
  const double from_s = performed.onsets.front(), to_s = performed.onsets.back();
  for (int bar = 1;; ++bar) {
    const double score_s =
        performed.score.tempo_map.SecondsAt(performed.score.tempo_map.BeatsAtBar({bar, 1.0}));
    const double at_s = performed.map.From(score_s);
    if (at_s > to_s || (!lines.empty() && at_s <= lines.back())) break;
    if (at_s >= from_s) lines.push_back(at_s);
  }
  return lines;
}

// Where a jump of this kind from `from_s` may go; a random one of these bars, or -1.
double Target(Jump jump, double from_s, double end_s, const std::vector<double>& lines,
              std::mt19937_64& random) {
  std::vector<double> targets;
  for (const double at_s : lines) {
    if (at_s > end_s - kPassage_s) continue;
    const double back_s = from_s - at_s;
    const bool fits = jump == Jump::kPractice      ? back_s > 1 && back_s < kNear_s
                      : jump == Jump::kRepeatTaken ? back_s >= kFar_s
                                                   : -back_s >= kFar_s;
    if (fits) targets.push_back(at_s);
  }
  if (targets.empty()) return -1;
  return targets[std::uniform_int_distribution<size_t>(0, targets.size() - 1)(random)];
}

struct JumpingSound {
  FollowedSound sound;
  std::vector<Jump> jumps;  // before each passage but the first
};

// From the beginning on, with a jump of each kind at a bar line after some seconds.
JumpingSound MakeJumping(const Performed& performed, uint64_t seed) {
  JumpingSound jumping{{performed.map, performed.onsets, {}}, {}};
  const std::vector<double> lines = BarLines(performed);
  const double end_s = performed.onsets.back();
  std::mt19937_64 random(seed);
  double from_s = 0, sound_s = 0;
  const auto line_after = [&](double at_s) {
    const auto line = std::lower_bound(lines.begin(), lines.end(), at_s);
    return line == lines.end() ? -1 : *line;
  };
  double length_s = performed.onsets.front() + kFirstPassage_s;
  for (const Jump jump : kJumps) {
    const double leave_s = line_after(from_s + length_s);
    if (leave_s < 0) break;
    const double target_s = Target(jump, leave_s, end_s, lines, random);
    if (target_s < 0) continue;
    jumping.sound.passages.push_back({sound_s, from_s, leave_s - from_s});
    sound_s += leave_s - from_s;
    from_s = target_s;
    length_s = kPassage_s;
    jumping.jumps.push_back(jump);
  }
  jumping.sound.passages.push_back({sound_s, from_s, std::min(kPassage_s, end_s - from_s)});
  return jumping;
}

absl::StatusOr<music::TimeMap> AlignOffline(const Performed& performed,
                                            const features::AudioFrontEnd& front_end) {
  ASSIGN_OR_RETURN(
      const audio::Waveform audio,
      audio::DecodeFile(performed.path, {.sample_rate = front_end.settings().sample_rate}));
  return alignment::AlignToScore(features::ComputeSpectrogram(front_end, audio.samples),
                                 front_end.settings(), performed.score.notes);
}

absl::StatusOr<Measured> Measure(const Performed& performed,
                                 const features::AudioFrontEnd& front_end, uint64_t seed) {
  Measured measured;
  ASSIGN_OR_RETURN(
      const audio::Waveform audio,
      audio::DecodeFile(performed.path, {.sample_rate = front_end.settings().sample_rate}));
  const FollowedSound whole = {
      performed.map, performed.onsets, {{0, 0, performed.onsets.back() + 1}}};
  ASSIGN_OR_RETURN(const FollowRun run, Follow(performed.score, audio));
  measured.followed = MeasureNotes(whole, run.answers);
  measured.sound_s = audio.duration_s();
  measured.computing_s = run.computing_s;
  measured.latencies_s = Latencies(whole, run, performed.score);
  measured.lost = LostAtEnd(whole, run);
  ASSIGN_OR_RETURN(const music::TimeMap aligned, AlignOffline(performed, front_end));
  measured.aligned = MeasureMap(whole, run, aligned);
  const double first_s = performed.onsets.front(), last_s = performed.onsets.back();
  ASSIGN_OR_RETURN(const music::TimeMap straight,
                   music::TimeMap::Create(
                       {{first_s, performed.map.To(first_s)}, {last_s, performed.map.To(last_s)}}));
  measured.constant = MeasureMap(whole, run, straight);

  const JumpingSound jumping = MakeJumping(performed, seed);
  if (jumping.jumps.empty()) return measured;
  ASSIGN_OR_RETURN(const FollowRun jumped,
                   Follow(performed.score, PassagesOf(audio, jumping.sound.passages)));
  const std::vector<double> recoveries = RecoveryTimes(jumping.sound, jumped);
  for (size_t i = 0; i < recoveries.size(); ++i)
    measured.recoveries_s.emplace_back(jumping.jumps[i], recoveries[i]);
  return measured;
}

struct Results {
  absl::Mutex mutex;
  absl::Status status ABSL_GUARDED_BY(mutex);
  std::vector<Measured> measured ABSL_GUARDED_BY(mutex);  // by performance
};

absl::Status MeasureAll(const std::vector<Performed>& material, const FollowingOptions& options,
                        Results& results, Progress& progress) {
  ASSIGN_OR_RETURN(const auto front_end,
                   features::AudioFrontEnd::Create(features::FeatureSettings()));
  {
    absl::MutexLock lock(&results.mutex);
    results.measured.resize(material.size());
  }
  progress.Start("follow", static_cast<int64_t>(material.size()));
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t index; (index = next++) < material.size(); progress.Advance()) {
      absl::StatusOr<Measured> measured =
          Measure(material[index], *front_end, options.seed + index);
      absl::MutexLock lock(&results.mutex);
      if (measured.ok()) {
        results.measured[index] = *std::move(measured);
      } else {
        results.status.Update(
            absl::Status(measured.status().code(),
                         absl::StrCat(material[index].name, ": ", measured.status().message())));
      }
    }
  };
  const int count = options.asap.threads > 0 ? options.asap.threads : threads::Cores();
  std::vector<std::thread> workers;
  workers.reserve(count);
  for (int i = 0; i < count; ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  progress.Finish();
  absl::MutexLock lock(&results.mutex);
  return results.status;
}

double Share(const std::vector<NoteError>& errors, double within_s) {
  const auto right = std::count_if(errors.begin(), errors.end(), [&](const NoteError& one) {
    return std::abs(one.error_s) <= within_s;
  });
  return errors.empty() ? 0 : static_cast<double>(right) / static_cast<double>(errors.size());
}

// The value that a share of all is not above; 0 of none.
double Quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto at = static_cast<size_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

void AddErrorRow(const std::string& name, const std::vector<NoteError>& errors,
                 metrics::ReportTable& table) {
  std::vector<double> distances;
  distances.reserve(errors.size());
  for (const NoteError& one : errors) distances.push_back(std::abs(one.error_s));
  table.rows.push_back(
      {name,
       {Share(errors, 0.05), Share(errors, 0.1), Share(errors, 0.25), Share(errors, 0.5),
        Quantile(std::move(distances), 0.5), static_cast<double>(errors.size())}});
}

metrics::ReportTable NoteTable(const std::vector<Performed>& material,
                               const std::vector<Measured>& measured) {
  metrics::ReportTable table{"notes", {"50ms", "100ms", "250ms", "500ms", "median", "notes"}, {}};
  for (const FollowCorpus corpus :
       {FollowCorpus::kAsap, FollowCorpus::kMaps, FollowCorpus::kBach10}) {
    std::vector<NoteError> followed, aligned, constant;
    const auto add = [](const std::vector<NoteError>& from, std::vector<NoteError>& to) {
      to.insert(to.end(), from.begin(), from.end());
    };
    for (size_t i = 0; i < material.size(); ++i) {
      if (material[i].corpus != corpus) continue;
      add(measured[i].followed, followed);
      add(measured[i].aligned, aligned);
      add(measured[i].constant, constant);
    }
    if (followed.empty()) continue;
    AddErrorRow(NameOf(corpus) + ", follower", followed, table);
    AddErrorRow(NameOf(corpus) + ", aligned offline", aligned, table);
    AddErrorRow(NameOf(corpus) + ", constant tempo", constant, table);
  }
  return table;
}

// How many performances have how many of their notes within 250 ms: the few that fail altogether.
metrics::ReportTable PerformanceTable(const std::vector<Measured>& measured) {
  metrics::ReportTable table{"performances with so many notes within 250 ms", {"share", "of"}, {}};
  const auto all = static_cast<double>(measured.size());
  for (const double least : {0.99, 0.95, 0.9, 0.8, 0.5}) {
    const auto count = std::count_if(measured.begin(), measured.end(), [&](const Measured& one) {
      return Share(one.followed, 0.25) >= least;
    });
    table.rows.push_back(
        {absl::StrCat("at least ", least), {static_cast<double>(count) / all, all}});
  }
  const auto lost =
      std::count_if(measured.begin(), measured.end(), [](const Measured& one) { return one.lost; });
  table.rows.push_back({"lost at the end", {static_cast<double>(lost) / all, all}});
  return table;
}

metrics::ReportTable JumpTable(const std::vector<Measured>& measured) {
  metrics::ReportTable table{"jumps", {"in 2 s", "in 3 s", "in 5 s", "median", "jumps"}, {}};
  std::map<Jump, std::vector<double>> times;
  std::vector<double> all;
  for (const Measured& one : measured) {
    for (const auto& [jump, recovery_s] : one.recoveries_s) {
      times[jump].push_back(recovery_s);
      all.push_back(recovery_s);
    }
  }
  const auto add = [&](const std::string& name, const std::vector<double>& recoveries) {
    if (recoveries.empty()) return;
    metrics::ReportRow row{name, {}};
    for (const double within_s : {2.0, 3.0, 5.0}) {
      const auto count = std::count_if(recoveries.begin(), recoveries.end(),
                                       [&](double recovery_s) { return recovery_s <= within_s; });
      row.figures.push_back(static_cast<double>(count) / static_cast<double>(recoveries.size()));
    }
    const double median_s = Quantile(recoveries, 0.5);
    row.figures.push_back(median_s < kInfinity ? median_s : -1);
    row.figures.push_back(static_cast<double>(recoveries.size()));
    table.rows.push_back(std::move(row));
  };
  for (const auto& [jump, recoveries] : times) add(NameOf(jump), recoveries);
  add("all", all);
  return table;
}

metrics::ReportTable CostTable(const std::vector<Measured>& measured) {
  metrics::ReportTable table{"cost and latency, seconds", {"p50", "p95", "of"}, {}};
  std::vector<double> costs, latencies;
  for (const Measured& one : measured) {
    costs.push_back(one.computing_s / one.sound_s);
    latencies.insert(latencies.end(), one.latencies_s.begin(), one.latencies_s.end());
  }
  table.rows.push_back(
      {"of a core, for a second of sound",
       {Quantile(costs, 0.5), Quantile(costs, 0.95), static_cast<double>(costs.size())}});
  table.rows.push_back({"from a note to an answer that has it",
                        {Quantile(latencies, 0.5), Quantile(latencies, 0.95),
                         static_cast<double>(latencies.size())}});
  return table;
}

// How often answers of each probability are right.
metrics::ReportTable ProbabilityTable(const std::vector<Measured>& measured) {
  metrics::ReportTable table{"answers of a probability", {"mean", "right", "notes"}, {}};
  constexpr double kEdges[] = {0, 0.25, 0.5, 0.75, 0.9, 1.0001};
  for (size_t bin = 0; bin + 1 < std::size(kEdges); ++bin) {
    double sum = 0, right = 0, count = 0;
    for (const Measured& one : measured) {
      for (const NoteError& error : one.followed) {
        if (error.probability < kEdges[bin] || error.probability >= kEdges[bin + 1]) continue;
        sum += error.probability;
        right += std::abs(error.error_s) <= 0.25 ? 1 : 0;
        ++count;
      }
    }
    if (count == 0) continue;
    table.rows.push_back({absl::StrCat("from ", kEdges[bin]), {sum / count, right / count, count}});
  }
  return table;
}

}  // namespace

absl::StatusOr<metrics::Report> EvaluateFollowing(const FollowingOptions& options,
                                                  Progress& progress) {
  RETURN_IF_ERROR(options.Check());
  const auto started = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const std::vector<Performed> material, ReadFollowMaterial(options, progress));
  Results results;
  RETURN_IF_ERROR(MeasureAll(material, options, results, progress));
  metrics::Report report{"following", {}, {}};
  absl::MutexLock lock(&results.mutex);
  report.tables = {NoteTable(material, results.measured), PerformanceTable(results.measured),
                   JumpTable(results.measured), CostTable(results.measured),
                   ProbabilityTable(results.measured)};
  report.settings["part"] = data::PartName(options.part);
  report.settings["performances"] = absl::StrCat(material.size());
  report.settings["seed"] = absl::StrCat(options.seed);
  report.settings["soundfont"] = options.asap.renditions.soundfont;
  metrics::NoteSeconds(started, report);
  return report;
}

}  // namespace antiphon::trainer::evaluation
