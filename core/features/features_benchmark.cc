// What features cost: items are seconds of music, so items_per_second says how many times faster
// than real time.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "core/features/audio_front_end.h"
#include "core/features/pianoroll.h"
#include "core/testing/feature_signals.h"

namespace antiphon::features {
namespace {

void BM_Spectrogram(benchmark::State& state, const FeatureSettings& settings) {
  constexpr int kSeconds = 20;
  const auto front_end = MakeFrontEnd(settings);
  const std::vector<float> samples = WhiteNoise(kSeconds * settings.sample_rate, 1);
  for (auto _ : state) benchmark::DoNotOptimize(ComputeSpectrogram(*front_end, samples));
  state.SetItemsProcessed(state.iterations() * kSeconds);
}
BENCHMARK_CAPTURE(BM_Spectrogram, constant_q, FeatureSettings())->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Spectrogram, log_filterbank, DorferSettings())->Unit(benchmark::kMillisecond);

// Until the first frame of a stream: kernels and plans.
void BM_CreateFrontEnd(benchmark::State& state, const FeatureSettings& settings) {
  for (auto _ : state) benchmark::DoNotOptimize(MakeFrontEnd(settings));
}
BENCHMARK_CAPTURE(BM_CreateFrontEnd, constant_q, FeatureSettings())->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_CreateFrontEnd, log_filterbank, DorferSettings())
    ->Unit(benchmark::kMillisecond);

// Ten notes a second.
std::vector<music::Note> Notes(int seconds) {
  std::mt19937 rng(1);
  std::vector<music::Note> notes(10 * seconds);
  for (size_t i = 0; i < notes.size(); ++i) {
    notes[i].onset_s = 0.1 * static_cast<double>(i);
    notes[i].offset_s = notes[i].onset_s + 0.4;
    notes[i].pitch = std::uniform_int_distribution(21, 108)(rng);
  }
  return notes;
}

void BM_Pianoroll(benchmark::State& state) {
  constexpr int kSeconds = 180;
  const std::vector<music::Note> notes = Notes(kSeconds);
  for (auto _ : state) benchmark::DoNotOptimize(ComputePianoroll(notes, FeatureSettings()));
  state.SetItemsProcessed(state.iterations() * kSeconds);
}
BENCHMARK(BM_Pianoroll)->Unit(benchmark::kMillisecond);

void BM_PianorollWindow(benchmark::State& state) {
  const std::vector<music::Note> notes = Notes(180);
  for (auto _ : state)
    benchmark::DoNotOptimize(ComputePianorollWindow(notes, FeatureSettings(), 1.19, 60.0));
}
BENCHMARK(BM_PianorollWindow)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace antiphon::features
