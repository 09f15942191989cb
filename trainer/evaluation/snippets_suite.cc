#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/strings/str_cat.h"
#include "core/audio/decoder.h"
#include "core/bundle/manifest.h"
#include "core/features/audio_front_end.h"
#include "core/features/pianoroll.h"
#include "trainer/evaluation/ranking.h"
#include "trainer/evaluation/suites.h"
#include "trainer/fingerprint.h"

namespace antiphon::trainer {
namespace {

// Windows of both kinds, row i of one the counterpart of row i of the other.
struct Windows {
  std::vector<uint8_t> audio, score;
  std::vector<uint64_t> notes;  // equal where the same notes lie around the onset, whatever its fraction of a frame
  int64_t count = 0;
};

constexpr int64_t kWindowsPerPart = 2048;  // encoded at once, so that memory stays bounded

struct Place {
  int piece = 0;
  double onset_s = 0;
};

struct Pair {
  std::vector<float> audio, score;  // embeddings, [n, dimension]
};

std::vector<Place> AllOnsets(const std::vector<TestPiece>& pieces) {
  std::vector<Place> places;
  for (size_t piece = 0; piece < pieces.size(); ++piece) {
    for (double onset_s : music::DistinctOnsets(pieces[piece].score.notes)) {
      places.push_back({static_cast<int>(piece), onset_s});
    }
  }
  return places;
}

absl::StatusOr<std::vector<features::FeatureSequence>> Spectrograms(const std::vector<TestPiece>& pieces,
                                                                    const features::FeatureSettings& settings,
                                                                    Progress& progress) {
  const absl::StatusOr<std::unique_ptr<const features::AudioFrontEnd>> front_end =
      features::AudioFrontEnd::Create(settings);
  if (!front_end.ok()) return front_end.status();
  audio::DecodeOptions decode;
  decode.sample_rate = settings.sample_rate;
  std::vector<features::FeatureSequence> spectrograms;
  progress.Start("analyse test pieces", static_cast<int64_t>(pieces.size()));
  for (const TestPiece& piece : pieces) {
    const absl::StatusOr<audio::Waveform> sound = audio::DecodeFile(piece.audio_path, decode);
    if (!sound.ok()) return sound.status();
    spectrograms.push_back(features::ComputeSpectrogram(**front_end, sound->samples));
    progress.Advance();
  }
  progress.Finish();
  return spectrograms;
}

// What is struck within half a window of an onset, relative to it.
uint64_t NotesAround(const std::vector<music::Note>& notes, double onset_s, double reach_s) {
  constexpr double kGrid_s = 0.005;
  const auto first = std::lower_bound(notes.begin(), notes.end(), onset_s - reach_s,
                                      [](const music::Note& note, double time_s) { return note.onset_s < time_s; });
  std::string around;
  for (auto note = first; note != notes.end() && note->onset_s < onset_s + reach_s; ++note) {
    absl::StrAppend(&around, note->pitch, "@", std::lround((note->onset_s - onset_s) / kGrid_s), " ");
  }
  return HashOf(around);
}

// Both windows of a place, the onset in the middle: on the same frames, or the score's exactly around the onset, where
// nothing tells a repeat of the same notes apart.
void AppendWindows(const TestPiece& piece, const features::FeatureSequence& spectrogram,
                   const features::FeatureSettings& settings, double onset_s, bool centre_score, Windows& out) {
  const int frames = settings.window_frames;
  const auto first = static_cast<int64_t>(std::lround(onset_s * settings.frame_rate())) - frames / 2;
  const size_t before = out.audio.size();
  out.audio.resize(before + static_cast<size_t>(frames) * settings.bands);
  spectrogram.CopyWindow(first, frames, out.audio.data() + before);
  const double start_s = (centre_score ? onset_s * settings.frame_rate() - frames / 2 : static_cast<double>(first)) /
                         settings.frame_rate();
  const std::vector<uint8_t> score = features::ComputePianorollWindow(piece.score.notes, settings, 1.0, start_s);
  out.score.insert(out.score.end(), score.begin(), score.end());
  out.notes.push_back(NotesAround(piece.score.notes, onset_s, settings.window_s() / 2));
  ++out.count;
}

// The share of the first `count` candidates whose score window equals another's bit for bit: nobody can do better than
// guess there.
double RepeatedShare(const Windows& windows, int64_t count) {
  const size_t cells = windows.score.size() / windows.count;
  std::unordered_map<std::string_view, int64_t> seen;
  const auto window = [&](int64_t i) {
    return std::string_view(reinterpret_cast<const char*>(windows.score.data()) + i * cells, cells);
  };
  for (int64_t i = 0; i < count; ++i) ++seen[window(i)];
  int64_t repeated = 0;
  for (int64_t i = 0; i < count; ++i) repeated += seen[window(i)] > 1;
  return static_cast<double>(repeated) / static_cast<double>(count);
}

// The share of the first `count` candidates around which the same notes lie as around another.
double RepeatedNotesShare(const Windows& windows, int64_t count) {
  std::unordered_map<uint64_t, int64_t> seen;
  for (int64_t i = 0; i < count; ++i) ++seen[windows.notes[i]];
  int64_t repeated = 0;
  for (int64_t i = 0; i < count; ++i) repeated += seen[windows.notes[i]] > 1;
  return static_cast<double>(repeated) / static_cast<double>(count);
}

absl::StatusOr<std::vector<float>> Encode(const encoder::WindowEncoder& encoder, const std::vector<uint8_t>& windows,
                                          Progress& progress) {
  const encoder::EncoderInfo& info = encoder.info();
  const size_t part = kWindowsPerPart * info.settings.window_frames * info.channels * info.bands;
  std::vector<float> embeddings;
  for (size_t begin = 0; begin < windows.size(); begin += part) {
    const absl::StatusOr<std::vector<float>> some =
        encoder.Encode(std::span(windows).subspan(begin, std::min(part, windows.size() - begin)));
    if (!some.ok()) return some.status();
    embeddings.insert(embeddings.end(), some->begin(), some->end());
    progress.Advance(static_cast<int64_t>(some->size()) / info.dimension);
  }
  return embeddings;
}

absl::StatusOr<Pair> EncodeBoth(const std::string& model, const encoder::EncoderOptions& options,
                                const Windows& windows, Progress& progress) {
  const auto audio =
      encoder::LoadEncoder(absl::StrCat(model, "/", bundle::kAudioEncoderFile), encoder::Modality::kAudio, options);
  if (!audio.ok()) return audio.status();
  const auto score =
      encoder::LoadEncoder(absl::StrCat(model, "/", bundle::kScoreEncoderFile), encoder::Modality::kScore, options);
  if (!score.ok()) return score.status();
  progress.Start("encode windows", 2 * windows.count);
  absl::StatusOr<std::vector<float>> audio_embeddings = Encode(**audio, windows.audio, progress);
  if (!audio_embeddings.ok()) return audio_embeddings.status();
  absl::StatusOr<std::vector<float>> score_embeddings = Encode(**score, windows.score, progress);
  if (!score_embeddings.ok()) return score_embeddings.status();
  progress.Finish();
  return Pair{*std::move(audio_embeddings), *std::move(score_embeddings)};
}

ReportRow Row(std::string name, const RankingFigures& figures) {
  return {std::move(name),
          {figures.recall_at_1, figures.recall_at_5, figures.recall_at_10, figures.recall_at_25,
           figures.mean_reciprocal_rank, figures.median_rank}};
}

// Ranks among the first `count` pairs: as defined, and with repeats of the same notes counted as right.
void AddRows(const std::string& name, const Pair& pair, const Windows& windows, int64_t count, int dimension,
             ReportTable& table) {
  const auto audio = std::span(pair.audio).first(count * dimension);
  const auto score = std::span(pair.score).first(count * dimension);
  table.rows.push_back(Row(name + ", audio→score", Summarise(RanksOfCounterparts(audio, score, dimension))));
  table.rows.push_back(Row(name + ", score→audio", Summarise(RanksOfCounterparts(score, audio, dimension))));
  const auto notes = std::span(windows.notes).first(count);
  table.rows.push_back(
      Row(name + ", same notes, audio→score", Summarise(RanksOfCounterparts(audio, score, dimension, notes))));
  table.rows.push_back(
      Row(name + ", same notes, score→audio", Summarise(RanksOfCounterparts(score, audio, dimension, notes))));
}

}  // namespace

absl::StatusOr<Report> EvaluateSnippets(const SuiteOptions& options, Progress& progress) {
  const auto encoder = encoder::LoadEncoder(absl::StrCat(options.model, "/", bundle::kScoreEncoderFile),
                                            encoder::Modality::kScore, options.encoder);
  if (!encoder.ok()) return encoder.status();
  const encoder::EncoderInfo info = (*encoder)->info();
  const absl::StatusOr<std::vector<TestPiece>> pieces = LoadTestSet(options.test_set, progress);
  if (!pieces.ok()) return pieces.status();
  const absl::StatusOr<std::vector<features::FeatureSequence>> spectrograms =
      Spectrograms(*pieces, info.settings, progress);
  if (!spectrograms.ok()) return spectrograms.status();

  // The pairs drawn come first, so that the short form needs no more windows than those.
  std::vector<Place> places = AllOnsets(*pieces);
  std::mt19937_64 random(options.seed);
  std::shuffle(places.begin(), places.end(), random);
  const int64_t drawn = std::min<int64_t>(options.snippets, static_cast<int64_t>(places.size()));
  if (!options.all_onsets) places.resize(drawn);
  Windows windows;
  for (const Place& place : places) {
    AppendWindows((*pieces)[place.piece], (*spectrograms)[place.piece], info.settings, place.onset_s,
                  options.centre_scores, windows);
  }
  const std::vector<std::string> columns = {"R@1", "R@5", "R@10", "R@25", "MRR", "median"};
  Report report{"snippets", {}, {}};
  ReportTable easy{absl::StrCat(drawn, " candidates"), columns, {}};
  ReportTable hard{absl::StrCat("all ", windows.count, " onsets"), columns, {}};
  for (const auto& [name, model] : {std::pair<std::string, std::string>("this model", options.model),
                                    std::pair<std::string, std::string>("untrained", options.untrained)}) {
    if (model.empty()) continue;
    const absl::StatusOr<Pair> pair = EncodeBoth(model, options.encoder, windows, progress);
    if (!pair.ok()) return pair.status();
    const int dimension = static_cast<int>(pair->audio.size() / windows.count);
    AddRows(name, *pair, windows, drawn, dimension, easy);
    if (options.all_onsets) AddRows(name, *pair, windows, windows.count, dimension, hard);
  }
  easy.rows.push_back(Row("random", RandomFigures(drawn)));
  report.tables.push_back(std::move(easy));
  if (options.all_onsets) {
    hard.rows.push_back(Row("random", RandomFigures(windows.count)));
    report.tables.push_back(std::move(hard));
    report.settings["repeated score windows, all onsets"] = absl::StrCat(RepeatedShare(windows, windows.count));
  }
  report.settings["repeated notes, drawn"] = absl::StrCat(RepeatedNotesShare(windows, drawn));
  report.settings["repeated score windows, drawn"] = absl::StrCat(RepeatedShare(windows, drawn));
  report.settings["score windows"] = options.centre_scores ? "centred on the onset" : "on the frames of the sound";
  report.settings["model"] = info.model_id;
  report.settings["pieces"] = absl::StrCat(pieces->size());
  report.settings["seed"] = absl::StrCat(options.seed);
  report.settings["soundfont"] = options.test_set.soundfont;
  return report;
}

}  // namespace antiphon::trainer
