#include "trainer/evaluation/test_set.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "core/audio/encoder.h"
#include "core/music/midi_file.h"
#include "trainer/data/renderer.h"
#include "trainer/fingerprint.h"

namespace antiphon::trainer {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<std::vector<TestPiece>> ReadPieces(const TestSetOptions& options) {
  std::vector<TestPiece> pieces;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(options.midi_dir, error)) {
    const std::string extension = absl::AsciiStrToLower(entry.path().extension().string());
    if (extension != ".mid" && extension != ".midi") continue;
    TestPiece piece;
    piece.name = entry.path().stem();
    if (options.split.PartOf(piece.name) != options.part) continue;
    absl::StatusOr<std::string> midi = ReadWholeFile(entry.path());
    if (!midi.ok()) return midi.status();
    absl::StatusOr<music::Score> score = music::ReadMidi(*midi);
    if (!score.ok())
      return absl::Status(score.status().code(), absl::StrCat(piece.name, ": ", score.status().message()));
    piece.midi = *std::move(midi);
    piece.score = *std::move(score);
    // The name holds what the rendition depends on, so that a changed soundfont or file is rendered anew.
    const std::string key = Sha256(absl::StrCat(piece.midi, options.soundfont, options.sample_rate)).substr(0, 16);
    piece.audio_path = absl::StrCat(options.cache, "/", piece.name, ".", key, ".flac");
    pieces.push_back(std::move(piece));
  }
  if (error) return absl::NotFoundError(absl::StrCat("cannot read ", options.midi_dir, ": ", error.message()));
  if (pieces.empty()) {
    return absl::NotFoundError(absl::StrCat(options.midi_dir, " has no piece of the part ", PartName(options.part)));
  }
  std::sort(pieces.begin(), pieces.end(), [](const TestPiece& a, const TestPiece& b) { return a.name < b.name; });
  return pieces;
}

absl::Status RenderPiece(const TestPiece& piece, const TestSetOptions& options, Renderer& renderer) {
  const absl::StatusOr<audio::Waveform> sound =
      renderer.Render(piece.score, VariationOptions(), PlainVariation(options.soundfont));
  if (!sound.ok()) return absl::Status(sound.status().code(), absl::StrCat(piece.name, ": ", sound.status().message()));
  const std::string temporary = piece.audio_path + ".part";
  if (absl::Status status = audio::WriteAudioFile(*sound, audio::AudioFormat::kFlac, temporary); !status.ok()) {
    return status;
  }
  std::error_code error;
  fs::rename(temporary, piece.audio_path, error);
  return error ? absl::UnavailableError(absl::StrCat("cannot rename ", temporary, ": ", error.message()))
               : absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<TestPiece>> LoadTestSet(const TestSetOptions& options, Progress& progress) {
  absl::StatusOr<std::vector<TestPiece>> pieces = ReadPieces(options);
  if (!pieces.ok()) return pieces;
  std::error_code error;
  fs::create_directories(options.cache, error);
  if (error) return absl::UnavailableError(absl::StrCat("cannot make ", options.cache, ": ", error.message()));

  progress.Start("render test pieces", static_cast<int64_t>(pieces->size()));
  std::atomic<size_t> next = 0;
  absl::Mutex mutex;
  absl::Status failure;  // guarded by mutex
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) {
    threads.emplace_back([&] {
      Renderer renderer(options.sample_rate);
      for (size_t index; (index = next++) < pieces->size(); progress.Advance()) {
        if (fs::exists((*pieces)[index].audio_path)) continue;
        const absl::Status status = RenderPiece((*pieces)[index], options, renderer);
        absl::MutexLock lock(&mutex);
        failure.Update(status);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  progress.Finish();
  if (!failure.ok()) return failure;
  return pieces;
}

}  // namespace antiphon::trainer
