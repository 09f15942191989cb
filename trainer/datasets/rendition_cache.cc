#include "trainer/datasets/rendition_cache.h"

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "core/audio/encoder.h"
#include "core/base/status_macros.h"
#include "core/scores/read_score.h"
#include "core/threads/cores.h"
#include "trainer/base/fingerprint.h"
#include "trainer/data/performance.h"

namespace antiphon::trainer::datasets {
namespace {

namespace fs = std::filesystem;

struct FirstFailure {
  absl::Mutex mutex;
  absl::Status status ABSL_GUARDED_BY(mutex);

  void Update(const absl::Status& other) {
    absl::MutexLock lock(&mutex);
    status.Update(other);
  }
};

absl::Status Named(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(fs::path(path).stem().string(), ": ", status.message()));
}

}  // namespace

std::string RenditionCache::PathOf(std::string_view name, std::string_view midi) const {
  const std::string key =
      Sha256(absl::StrCat(std::string(midi), options_.soundfont, options_.sample_rate,
                          options_.own_instruments ? "own instruments" : ""));
  return absl::StrCat(options_.folder, "/", std::string(name), ".", key.substr(0, 16), ".flac");
}

absl::Status RenditionCache::Render(const RenditionJob& job, data::Renderer& renderer) const {
  ASSIGN_OR_RETURN(const music::Score score, job.midi.empty()
                                                 ? notation::ReadScoreFile(job.midi_path)
                                                 : notation::ReadScore(job.midi));
  data::Variation variation = data::PlainVariation(options_.soundfont);
  variation.own_instruments = options_.own_instruments;
  ASSIGN_OR_RETURN(const audio::Waveform audio,
                   renderer.Render(score, data::VariationOptions(), variation));
  const std::string temporary = absl::StrCat(job.path, ".", getpid(), ".part");
  absl::Status status = audio::WriteAudioFile(audio, audio::AudioFormat::kFlac, temporary);
  std::error_code error;
  if (status.ok()) {
    fs::rename(temporary, job.path, error);
    if (error)
      status =
          absl::UnavailableError(absl::StrCat("cannot rename ", temporary, ": ", error.message()));
  }
  if (!status.ok()) fs::remove(temporary, error);
  return status;
}

absl::Status RenditionCache::Fill(const std::vector<RenditionJob>& jobs, int threads,
                                  Progress& progress) const {
  std::error_code error;
  fs::create_directories(options_.folder, error);
  if (error)
    return absl::UnavailableError(
        absl::StrCat("cannot make ", options_.folder, ": ", error.message()));
  progress.Start("render", static_cast<int64_t>(jobs.size()));
  std::atomic<size_t> next = 0;
  FirstFailure failure;
  const auto work = [&] {
    data::Renderer renderer(options_.sample_rate);
    for (size_t index; (index = next++) < jobs.size(); progress.Advance()) {
      std::error_code ignored;
      if (fs::exists(jobs[index].path, ignored)) continue;
      if (const absl::Status status = Render(jobs[index], renderer); !status.ok()) {
        failure.Update(Named(jobs[index].path, status));
      }
    }
  };
  const int count = threads > 0 ? threads : antiphon::threads::Cores();
  std::vector<std::thread> workers;
  workers.reserve(count);
  for (int i = 0; i < count; ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  progress.Finish();
  absl::MutexLock lock(&failure.mutex);
  return failure.status;
}

}  // namespace antiphon::trainer::datasets
