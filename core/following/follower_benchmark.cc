#include <benchmark/benchmark.h>

#include "core/following/follower.h"
#include "core/testing/played_score.h"

namespace antiphon::following {
namespace {

// A second of sound, for scores of so many onsets and sounds of such a rate.
void BM_Follow(benchmark::State& state) {
  const music::Score score = music::WanderingMelody(static_cast<int>(state.range(0)), 0.1);
  const int rate = static_cast<int>(state.range(1));
  const audio::Waveform audio = music::Play(music::WanderingMelody(100, 0.1).notes, rate);
  auto follower = ScoreFollower::Create(score, rate);
  if (!follower.ok()) {
    state.SkipWithError("no follower");
    return;
  }
  size_t at = 0;
  for (auto _ : state) {
    if (at + rate > audio.samples.size()) at = 0;
    benchmark::DoNotOptimize((*follower)->Push(std::span(audio.samples).subspan(at, rate)));
    at += rate;
  }
}
BENCHMARK(BM_Follow)
    ->Args({1000, 22050})
    ->Args({20'000, 22050})
    ->Args({20'000, 44100})
    ->Args({20'000, 192'000})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace antiphon::following
