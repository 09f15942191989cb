// Windows that the shipped model's encoders run through their network in a second of processor time
// (of all threads), by number of windows in a call and number of threads.
//
//   encoder_benchmark [MODEL] [--benchmark_...]
//
// MODEL is models/default unless named.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/encoder/window_encoder.h"

namespace antiphon::encoder {
namespace {

// Levels of a tone among silence, or notes; a network takes as long for any.
std::vector<uint8_t> Windows(const EncoderInfo& info, int64_t count) {
  std::vector<uint8_t> windows(count * info.settings.window_frames * info.channels * info.bands);
  for (size_t i = 0; i < windows.size(); ++i) windows[i] = i * 2654435761u % 97 < 6 ? 200 : 0;
  return windows;
}

void Encode(benchmark::State& state, const WindowEncoder& encoder) {
  SetComputeThreads(static_cast<int>(state.range(0)));
  const std::vector<uint8_t> windows = Windows(encoder.info(), state.range(1));
  for (auto _ : state) {
    const auto embeddings = encoder.Encode(windows);
    if (!embeddings.ok()) return state.SkipWithError(embeddings.status().ToString().c_str());
    benchmark::DoNotOptimize(embeddings->data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(1));
}

int Run(const std::string& model) {
  std::vector<std::unique_ptr<WindowEncoder>> encoders;  // outlive the benchmarks
  for (const auto& [name, modality] :
       {std::pair("audio", Modality::kAudio), std::pair("score", Modality::kScore)}) {
    auto encoder = LoadEncoder(absl::StrCat(model, "/", name, "_encoder.pt"), modality);
    if (!encoder.ok()) {
      std::fprintf(stderr, "%s\n", encoder.status().ToString().c_str());
      return EXIT_FAILURE;
    }
    encoders.push_back(*std::move(encoder));
    benchmark::RegisterBenchmark(name, Encode, std::cref(*encoders.back()))
        ->ArgNames({"threads", "windows"})
        ->ArgsProduct({{1, 2}, {1, 4, 8, 16, 24, 33, 40, 64, 256}})
        ->MeasureProcessCPUTime()
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace antiphon::encoder

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  return antiphon::encoder::Run(argc > 1 ? argv[1] : "models/default");
}
