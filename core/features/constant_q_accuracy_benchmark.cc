// How far the constant-Q spectrogram of recordings is from its definition: the levels of every so
// many frames against those of the defining sum in double precision.
//
//   constant_q_accuracy_benchmark FILE...
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "core/audio/waveform.h"
#include "core/decoding/decoder.h"
#include "core/features/audio_front_end.h"
#include "core/features/direct_constant_q_test_util.h"

namespace antiphon::features {
namespace {

struct Counts {
  int64_t cells = 0;
  int64_t equal = 0;
  int64_t within_one = 0;

  void Print(const std::string& name) const {
    const auto of_cells = [&](int64_t count) {
      return static_cast<double>(count) / static_cast<double>(cells);
    };
    std::printf("%9.5f %9.5f %10lld  %s\n", of_cells(equal), of_cells(within_one),
                static_cast<long long>(cells), name.c_str());
  }
};

Counts Compare(const DirectConstantQ& direct, const FeatureSettings& settings,
               std::span<const float> samples, const FeatureSequence& sequence) {
  constexpr int kEveryFrame = 25;
  Counts counts;
  for (int64_t frame = 0; frame < sequence.frames(); frame += kEveryFrame) {
    for (int band = 0; band < settings.bands; ++band) {
      const int level = sequence.cells[frame * settings.bands + band];
      const int difference =
          std::abs(level - direct.Level(samples, frame * settings.hop_length, band));
      ++counts.cells;
      counts.equal += difference == 0;
      counts.within_one += difference <= 1;
    }
  }
  return counts;
}

int Run(int argc, char** argv) {
  const FeatureSettings settings;
  const auto front_end = AudioFrontEnd::Create(settings).value();
  const DirectConstantQ direct(settings);
  audio::DecodeOptions options;
  options.sample_rate = settings.sample_rate;
  std::printf("%9s %9s %10s\n", "equal", "within 1", "cells");
  Counts all;
  for (int i = 1; i < argc; ++i) {
    const auto audio = audio::DecodeFile(argv[i], options);
    if (!audio.ok()) {
      std::fprintf(stderr, "%s\n", std::string(audio.status().message()).c_str());
      return 1;
    }
    const Counts counts =
        Compare(direct, settings, audio->samples, ComputeSpectrogram(*front_end, audio->samples));
    counts.Print(argv[i]);
    all.cells += counts.cells;
    all.equal += counts.equal;
    all.within_one += counts.within_one;
  }
  if (all.cells > 0) all.Print("all");
  return 0;
}

}  // namespace
}  // namespace antiphon::features

int main(int argc, char** argv) { return antiphon::features::Run(argc, argv); }
