#include <benchmark/benchmark.h>

#include <algorithm>

#include "core/music/midi_file.h"

namespace antiphon::music {
namespace {

// A piece of `notes` notes, two voices, with tempo changes as a performance has them.
Score MakePiece(int notes) {
  Score score;
  std::vector<TempoChange> tempi;
  for (int i = 0; i < notes; ++i) {
    Note note;
    note.onset_s = 0.125 * (i / 2);
    note.offset_s = note.onset_s + 0.25;
    note.sounding_offset_s = note.offset_s;
    note.pitch = i % 2 == 0 ? 60 + i * 7 % 24 : 36 + i * 5 % 24;
    note.track = 1 + i % 2;
    score.notes.push_back(note);
    score.duration_s = note.sounding_offset_s;
    if (i % 16 == 0) tempi.push_back({i / 16.0, 0.5 + 0.01 * (i / 16 % 7)});
  }
  score.tempo_map = TempoMap::Create(std::move(tempi), {}).value();
  return score;
}

void BM_ReadMidi(benchmark::State& state) {
  const std::string bytes = WriteMidi(MakePiece(static_cast<int>(state.range(0)))).value();
  for (auto _ : state) benchmark::DoNotOptimize(ReadMidi(bytes));
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}
BENCHMARK(BM_ReadMidi)->Arg(1'000)->Arg(100'000);

void BM_WriteMidi(benchmark::State& state) {
  const Score score = MakePiece(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(WriteMidi(score));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_WriteMidi)->Arg(1'000)->Arg(100'000);

}  // namespace
}  // namespace antiphon::music
