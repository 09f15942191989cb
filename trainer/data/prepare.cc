#include "trainer/data/prepare.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "core/base/check_range.h"
#include "core/base/status_macros.h"
#include "core/features/audio_front_end.h"
#include "core/scores/read_score.h"
#include "core/threads/cores.h"
#include "spdlog/spdlog.h"
#include "trainer/base/fingerprint.h"
#include "trainer/data/feature_store.h"
#include "trainer/data/midi_files.h"
#include "trainer/data/renderer.h"
#include "trainer/data/soundfonts.h"

namespace antiphon::trainer::data {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Job {
  fs::path midi;
  std::string piece;
  Part part = Part::kTrain;
  int variation = 0;
};

absl::StatusOr<std::vector<Job>> ListJobs(const PrepareOptions& options, int& skipped) {
  std::vector<Job> jobs;
  ASSIGN_OR_RETURN(const std::vector<SourceFile> files, MidiFilesBelow(options.midi_dir));
  for (const SourceFile& file : files) {
    const std::string piece = file.name();
    const std::optional<Part> part = options.split.PartOf(piece);
    if (!part ||
        std::find(options.parts.begin(), options.parts.end(), *part) == options.parts.end()) {
      ++skipped;
      continue;
    }
    for (int variation = 0; variation < options.variations; ++variation) {
      jobs.push_back({file.path, piece, *part, variation});
    }
  }
  if (jobs.empty()) {
    return absl::NotFoundError(
        absl::StrCat(options.midi_dir, " has no score in the parts asked for"));
  }
  std::sort(jobs.begin(), jobs.end(), [](const Job& a, const Job& b) {
    return a.variation != b.variation ? a.variation < b.variation : a.midi < b.midi;
  });
  return jobs;
}

json VariationToJson(const VariationOptions& options) {
  json variation = {{"tempo_ratio", {options.min_tempo_ratio, options.max_tempo_ratio}},
                    {"velocity_scale", {options.min_velocity_scale, options.max_velocity_scale}},
                    {"velocity_deviation", options.velocity_deviation},
                    {"tuning_deviation_cents", options.tuning_deviation_cents},
                    {"reverb_share", options.reverb_share},
                    {"recorded_share", options.recorded_share},
                    {"expressive_share", options.expressive_share},
                    {"max_rubato", options.max_rubato},
                    {"ritardando_interval_s", options.ritardando_interval_s},
                    {"max_onset_deviation_s", options.max_onset_deviation_s},
                    {"hand_deviation_s", options.hand_deviation_s},
                    {"max_arpeggio_share", options.max_arpeggio_share},
                    {"max_slip_share", options.max_slip_share},
                    {"pedal_share", options.pedal_share}};
  // Stores made before there was a choice have no such member, and are kept.
  if (options.own_instruments) variation["own_instruments"] = true;
  return variation;
}

// What decides an item's contents, besides its MIDI bytes.
json RecipeToJson(const PrepareOptions& options) {
  return {{"variation", VariationToJson(options.variation)},
          {"soundfonts", options.soundfonts},
          {"max_excerpt_s", options.max_excerpt_s},
          {"seed", options.seed},
          {"settings", json::parse(features::SettingsToJson(options.settings))}};
}

absl::StatusOr<StoreItem> MakeItem(const PrepareOptions& options,
                                   const features::AudioFrontEnd& front_end, const Job& job,
                                   const std::string& midi, Renderer& renderer) {
  ASSIGN_OR_RETURN(music::Score score, notation::ReadScore(midi));
  if (score.notes.empty()) return absl::InvalidArgumentError("it has no notes");

  const uint64_t seed = HashOf(absl::StrCat(options.seed, "/", job.piece, "/", job.variation));
  const Variation variation = DrawVariation(options.variation, options.soundfonts, seed);
  const double longest = options.max_excerpt_s * variation.tempo_ratio;  // in seconds of the score
  const double end_s = MusicEnd(score);
  if (longest > 0 && end_s > longest) {
    std::mt19937_64 random(seed ^ 0x9e3779b97f4a7c15ull);
    const double start = std::uniform_real_distribution<double>(0, end_s - longest)(random);
    score = music::Excerpt(score, start, start + longest);
    if (score.notes.empty()) return absl::InvalidArgumentError("the excerpt drawn has no notes");
  }
  Performance performance = Perform(score, options.variation, variation);
  ASSIGN_OR_RETURN(const audio::Waveform audio, renderer.Render(performance, variation));

  StoreItem item;
  item.piece = job.piece;
  item.part = job.part;
  item.time = std::move(performance.time);
  item.settings = options.settings;
  item.notes = std::move(score.notes);
  item.spectrogram = features::ComputeSpectrogram(front_end, audio.samples);
  return item;
}

// What the workers share.
struct Shared {
  absl::Mutex mutex;
  PrepareSummary summary ABSL_GUARDED_BY(mutex);
  std::map<std::string, std::string> inputs
      ABSL_GUARDED_BY(mutex);                   // piece → SHA-256 of its MIDI file
  absl::Status failure ABSL_GUARDED_BY(mutex);  // of the store itself; ends the run
  std::atomic<size_t> next_job = 0;
};

void RunWorker(const PrepareOptions& options, const std::vector<Job>& jobs,
               const std::string& recipe, const features::AudioFrontEnd& front_end,
               Progress& progress, Shared& shared) {
  Renderer renderer(options.settings.sample_rate);
  for (size_t index; (index = shared.next_job++) < jobs.size();) {
    const Job& job = jobs[index];
    const absl::StatusOr<std::string> midi = ReadWholeFile(job.midi);
    const std::string path = ItemPath(options.store, job.piece, job.variation);
    const std::string fingerprint =
        midi.ok() ? Sha256(absl::StrCat(*midi, recipe, PartName(job.part), job.variation)) : "";
    bool made = false, kept = false;
    double seconds = 0;
    absl::Status write_failure, item_failure = midi.status();
    if (midi.ok() && (kept = ReadFingerprint(path).value_or("") == fingerprint);
        midi.ok() && !kept) {
      absl::StatusOr<StoreItem> item = MakeItem(options, front_end, job, *midi, renderer);
      item_failure = item.status();
      if (item.ok()) {
        item->fingerprint = fingerprint;
        write_failure = WriteItem(path, *item);
        made = write_failure.ok();
        seconds = static_cast<double>(item->spectrogram.frames()) / item->settings.frame_rate();
      }
    }
    if (!item_failure.ok())
      spdlog::warn("{} is left out: {}", job.midi.string(), item_failure.ToString());
    absl::MutexLock lock(&shared.mutex);
    shared.summary.made += made;
    shared.summary.kept += kept;
    shared.summary.skipped += !item_failure.ok();
    shared.summary.audio_s += seconds;
    if (midi.ok()) shared.inputs[job.piece] = Sha256(*midi);
    if (!write_failure.ok()) {
      shared.failure = write_failure;
      shared.next_job = jobs.size();
    }
    progress.Advance(1);
  }
}

absl::Status WriteStoreDescription(const PrepareOptions& options,
                                   const std::map<std::string, std::string>& inputs) {
  json description = RecipeToJson(options);
  description["variations"] = options.variations;
  description["inputs"] = inputs;
  std::ofstream file(options.store + "/store.json");
  file << description.dump(1) << '\n';
  file.flush();
  return file ? absl::OkStatus()
              : absl::UnavailableError(absl::StrCat("cannot write ", options.store, "/store.json"));
}

}  // namespace

absl::StatusOr<PrepareSummary> Prepare(const PrepareOptions& options, Progress& progress) {
  if (options.soundfonts.empty())
    return absl::InvalidArgumentError("at least one soundfont is needed");
  RETURN_IF_ERROR(CheckRange("variations", options.variations, Range<int>{1, 100}));
  RETURN_IF_ERROR(CheckRange("max_excerpt_s", options.max_excerpt_s, Range<double>{0, 24 * 3600}));
  const VariationOptions& variation = options.variation;
  RETURN_IF_ERROR(CheckRange("min_tempo_ratio", variation.min_tempo_ratio, Range<double>{0.1, 10}));
  RETURN_IF_ERROR(CheckRange("max_tempo_ratio", variation.max_tempo_ratio,
                             Range<double>{variation.min_tempo_ratio, 10}));
  for (const std::string& soundfont : options.soundfonts) {
    RETURN_IF_ERROR(CheckTrainingSoundfont(soundfont));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<const features::AudioFrontEnd> front_end,
                   features::AudioFrontEnd::Create(options.settings));
  Shared shared;
  int skipped = 0;
  ASSIGN_OR_RETURN(const std::vector<Job> jobs, ListJobs(options, skipped));
  std::error_code error;
  fs::create_directories(options.store + "/items", error);
  if (error)
    return absl::UnavailableError(
        absl::StrCat("cannot make ", options.store, ": ", error.message()));

  progress.Start("prepare", static_cast<int64_t>(jobs.size()));
  const std::string recipe = RecipeToJson(options).dump();
  const int threads = options.threads > 0 ? options.threads : antiphon::threads::Cores();
  std::vector<std::thread> workers;
  workers.reserve(threads);
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back([&] { RunWorker(options, jobs, recipe, *front_end, progress, shared); });
  }
  for (std::thread& worker : workers) worker.join();
  progress.Finish();

  absl::MutexLock lock(&shared.mutex);
  RETURN_IF_ERROR(shared.failure);
  RETURN_IF_ERROR(WriteStoreDescription(options, shared.inputs));
  shared.summary.skipped += skipped;
  return shared.summary;
}

}  // namespace antiphon::trainer::data
