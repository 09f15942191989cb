#include "core/retrieval/query.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "core/base/status_macros.h"
#include "core/features/audible.h"
#include "core/features/feature_sequence.h"
#include "core/features/transposition.h"
#include "core/retrieval/search_filter.h"

namespace antiphon::retrieval {
namespace {

// Query windows searched between two questions whether to go on: few enough to notice soon that the
// caller has gone, enough for a search to cost far less than its windows one by one.
constexpr size_t kWindowsPerSearch = 256;

bool HasWindows(const EmbeddedQuery& query) {
  return std::any_of(
      query.sequences.begin(), query.sequences.end(),
      [](const matching::EmbeddingSequence& sequence) { return !sequence.start_s.empty(); });
}

EmbeddedQuery Finish(EmbeddedQuery query, std::vector<matching::EmbeddingSequence> sequences) {
  query.sequences = std::move(sequences);
  query.sufficient = HasWindows(query);
  if (!query.sufficient) query.sequences.clear();
  NumberWindows(query);
  return query;
}

absl::StatusOr<collection::WindowBatch> CutScore(const encoder::EncoderInfo& info,
                                                 const music::Score& query, double tempo_ratio,
                                                 matching::WindowPlan plan) {
  ASSIGN_OR_RETURN(features::FeatureSequence sequence,
                   collection::ScoreFeatures(info.settings, query, tempo_ratio));
  plan.hop_s /= tempo_ratio;
  return collection::CutWindows(info, sequence, tempo_ratio, plan);
}

double SoundingEnd(const music::Score& score) {
  double end_s = 0;
  for (const music::Note& note : score.notes) end_s = std::max(end_s, note.sounding_offset_s);
  return end_s;
}

absl::StatusOr<EmbeddedQuery> EmbedNotes(const encoder::WindowEncoder& score_encoder,
                                         const music::Score& query,
                                         std::span<const double> tempo_ratios,
                                         const matching::WindowPlan& plan,
                                         matching::StageTimer& timer) {
  EmbeddedQuery result;
  result.end_s = SoundingEnd(query);
  if (result.end_s < score_encoder.info().settings.window_s() / 2) return result;
  std::vector<collection::WindowBatch> batches;
  for (const double tempo_ratio : tempo_ratios) {
    ASSIGN_OR_RETURN(auto batch, timer.Run(matching::Stage::kFeatures, [&] {
      return CutScore(score_encoder.info(), query, tempo_ratio, plan);
    }));
    batches.push_back(std::move(batch));
  }
  ASSIGN_OR_RETURN(auto sequences, timer.Run(matching::Stage::kEncode, [&] {
    return collection::EmbedBatches(score_encoder, std::move(batches),
                                    [&timer] { return timer.KeepGoing(); });
  }));
  return Finish(std::move(result), std::move(sequences));
}

audio::Waveform Cut(const audio::Waveform& audio, const matching::Span& part) {
  const auto sample_at = [&](double seconds) {
    return audio.samples.begin() +
           std::min<int64_t>(std::llround(seconds * audio.sample_rate), std::ssize(audio.samples));
  };
  audio::Waveform cut;
  cut.sample_rate = audio.sample_rate;
  cut.samples.assign(sample_at(part.start_s), sample_at(part.end_s));
  return cut;
}

// What was cut out of a query, by the times of the whole.
EmbeddedQuery Later(EmbeddedQuery query, double start_s) {
  query.begin_s += start_s;
  query.end_s += start_s;
  for (matching::EmbeddingSequence& sequence : query.sequences) {
    for (double& window_start_s : sequence.start_s) window_start_s += start_s;
  }
  return query;
}

}  // namespace

EmbeddedQuery QueryOf(matching::EmbeddingSequence windows, double end_s) {
  EmbeddedQuery query;
  query.end_s = end_s;
  std::vector<matching::EmbeddingSequence> sequences;
  sequences.push_back(std::move(windows));
  return Finish(std::move(query), std::move(sequences));
}

absl::StatusOr<AudioQuery> ReadAudioQuery(const collection::LoadedCollection& loaded,
                                          const audio::Waveform& query,
                                          const matching::QueryExcerpt& excerpt,
                                          matching::StageTimer& timer) {
  ASSIGN_OR_RETURN(const matching::Span part, PartOf(excerpt, query.duration_s()));
  AudioQuery audio{.begin_s = part.start_s, .end_s = part.end_s};
  if (audio.end_s - audio.begin_s < loaded.settings().window_s() / 2) return audio;
  const bool whole = audio.begin_s == 0 && audio.end_s == query.duration_s();
  const audio::Waveform cut = whole ? audio::Waveform() : Cut(query, part);
  ASSIGN_OR_RETURN(auto features, timer.Run(matching::Stage::kFeatures, [&] {
    return collection::AudioFeatures(*loaded.front_end, whole ? query : cut);
  }));
  audio.sufficient = features::IsAudible(features);
  if (audio.sufficient) audio.features = std::move(features);
  return audio;
}

absl::StatusOr<EmbeddedQuery> EmbedAudioQuery(const encoder::WindowEncoder& audio_encoder,
                                              const AudioQuery& query, int semitones,
                                              const matching::WindowPlan& plan,
                                              matching::StageTimer& timer) {
  if (!query.sufficient) return EmbeddedQuery{.begin_s = query.begin_s, .end_s = query.end_s};
  ASSIGN_OR_RETURN(auto embedded, timer.Run(matching::Stage::kEncode, [&] {
    const auto embed = [&](const features::FeatureSequence& features) {
      return collection::EmbedFeatures(audio_encoder, features, 1.0, plan,
                                       [&timer] { return timer.KeepGoing(); });
    };
    return semitones == 0 ? embed(query.features)
                          : embed(features::Transposed(query.features,
                                                       audio_encoder.info().settings, semitones));
  }));
  return Later(QueryOf(std::move(embedded), query.end_s - query.begin_s), query.begin_s);
}

absl::StatusOr<EmbeddedQuery> EmbedAudioQuery(const collection::LoadedCollection& loaded,
                                              const audio::Waveform& query,
                                              const matching::QueryExcerpt& excerpt,
                                              const matching::WindowPlan& plan,
                                              matching::StageTimer& timer) {
  ASSIGN_OR_RETURN(const AudioQuery audio, ReadAudioQuery(loaded, query, excerpt, timer));
  return EmbedAudioQuery(*loaded.audio_encoder, audio, 0, plan, timer);
}

absl::StatusOr<matching::Span> PartOfScore(const matching::QueryExcerpt& excerpt,
                                           const music::Score& query) {
  return PartOf(excerpt, SoundingEnd(query));
}

absl::StatusOr<EmbeddedQuery> EmbedScoreQuery(const encoder::WindowEncoder& score_encoder,
                                              const music::Score& query,
                                              const matching::QueryExcerpt& excerpt,
                                              std::span<const double> tempo_ratios,
                                              const matching::WindowPlan& plan,
                                              matching::StageTimer& timer, int semitones) {
  ASSIGN_OR_RETURN(const matching::Span part, PartOfScore(excerpt, query));
  const bool whole = part.start_s == 0 && part.end_s == SoundingEnd(query);
  if (whole && semitones == 0) return EmbedNotes(score_encoder, query, tempo_ratios, plan, timer);
  music::Score cut = whole ? query : music::Excerpt(query, part.start_s, part.end_s);
  if (semitones != 0) cut = music::Transposed(cut, semitones);
  ASSIGN_OR_RETURN(EmbeddedQuery embedded,
                   EmbedNotes(score_encoder, cut, tempo_ratios, plan, timer));
  return Later(std::move(embedded), part.start_s);
}

void NumberWindows(EmbeddedQuery& query) {
  query.windows = 0;
  query.window_of.clear();
  double width_s = 0;
  for (const matching::EmbeddingSequence& sequence : query.sequences)
    width_s = std::max(width_s, sequence.hop_s);
  for (const matching::EmbeddingSequence& sequence : query.sequences) {
    std::vector<int>& places = query.window_of.emplace_back();
    for (size_t i = 0; i < sequence.start_s.size(); ++i) {
      // Windows of several tempi count as one place where their middles lie within one hop, the
      // widest. One tempo needs no bins, and rounding must not put two of its windows into one.
      const double bin = std::floor((sequence.start_s[i] + sequence.window_s / 2) / width_s + 1e-6);
      places.push_back(query.sequences.size() == 1 ? static_cast<int>(i)
                                                   : static_cast<int>(std::min(bin, 2e9)));
    }
    const auto distinct = static_cast<int>(std::set<int>(places.begin(), places.end()).size());
    query.windows = std::max(query.windows, distinct);
  }
}

absl::StatusOr<std::vector<matching::Neighbour>> FindNeighbours(const SearchSpace& space,
                                                                const EmbeddedQuery& query, int k,
                                                                matching::StageTimer& timer) {
  // All tempi are searched together: many queries at once cost far less than the same queries a few
  // at a time.
  std::vector<std::pair<size_t, size_t>> windows;  // sequence, window
  std::vector<float> rows;
  for (size_t s = 0; s < query.sequences.size(); ++s) {
    for (size_t w = 0; w < query.sequences[s].start_s.size(); ++w) windows.emplace_back(s, w);
    rows.insert(rows.end(), query.sequences[s].embeddings.begin(),
                query.sequences[s].embeddings.end());
  }
  std::vector<matching::Neighbour> neighbours;
  const size_t dimension = query.sequences.empty() ? 1 : query.sequences[0].dimension;
  const auto search = [&](size_t begin, size_t count) -> absl::Status {
    ASSIGN_OR_RETURN(
        const std::vector<SearchSpace::Found> found,
        space.search(std::span(rows).subspan(begin * dimension, count * dimension), k));
    for (const SearchSpace::Found& one : found) {
      const auto [s, w] = windows[begin + one.query];
      const matching::EmbeddingSequence& sequence = query.sequences[s];
      const catalog::SnippetPosition& position = one.position;
      neighbours.push_back(
          {.window = query.window_of[s][w],
           .source = position.source,
           .match = {.query = {sequence.start_s[w], sequence.start_s[w] + sequence.window_s},
                     .reference = {position.start_s, position.end_s},
                     .slope = position.tempo_ratio / sequence.tempo_ratio},
           .similarity = one.similarity,
           .part = position.part});
    }
    return absl::OkStatus();
  };
  for (size_t begin = 0; begin < windows.size(); begin += kWindowsPerSearch) {
    RETURN_IF_ERROR(timer.Run(matching::Stage::kSearch, [&] {
      return search(begin, std::min(kWindowsPerSearch, windows.size() - begin));
    }));
  }
  return neighbours;
}

absl::StatusOr<std::vector<matching::Neighbour>> NeighboursWithin(
    const SearchSpace& space, const EmbeddedQuery& query, int k,
    const matching::SearchFilter& filter, matching::StageTimer& timer) {
  ASSIGN_OR_RETURN(std::vector<matching::Neighbour> neighbours,
                   FindNeighbours(space, query, k, timer));
  std::erase_if(neighbours,
                [&](const matching::Neighbour& n) { return n.similarity < filter.min_similarity; });
  return neighbours;
}

void CutToSource(const EmbeddedQuery& query, double source_s, matching::Match& match) {
  matching::Span &asked = match.query, &found = match.reference;
  const double early_s =
      std::max({0.0, query.begin_s - asked.start_s, -found.start_s / match.slope});
  const double late_s =
      std::max({0.0, asked.end_s - query.end_s, (found.end_s - source_s) / match.slope});
  asked.start_s += early_s;
  found.start_s += early_s * match.slope;
  asked.end_s = std::max(asked.start_s, asked.end_s - late_s);
  found.end_s = std::max(found.start_s, found.end_s - late_s * match.slope);
}

}  // namespace antiphon::retrieval
