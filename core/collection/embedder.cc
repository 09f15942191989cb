#include "core/collection/embedder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/check_range.h"
#include "core/base/status_macros.h"
#include "core/features/audible.h"
#include "core/features/pianoroll.h"

namespace antiphon::collection {
namespace {

constexpr int64_t kWindowsPerCall = 1024;  // 8 MB at 42 frames of 176 bands
constexpr Range<double> kTempoRatioRange = {0.1, 10};
// Filling a pianoroll takes time in proportion to the lengths of all notes together; an hour of
// dense piano music needs a hundredth of this, a file made to be slow far more.
constexpr double kMaxPianorollCells = 2e8;

absl::Status CheckPlan(const matching::WindowPlan& plan) {
  if (!(plan.hop_s > 0) || !std::isfinite(plan.hop_s)) {
    return absl::InvalidArgumentError(
        absl::StrCat("window hop must be positive, is ", plan.hop_s, " s"));
  }
  if (plan.max_windows < 0 || plan.stretch_windows < 1) {
    return absl::InvalidArgumentError(
        "window plan: max_windows must not be negative, stretch_windows at least 1");
  }
  return absl::OkStatus();
}

int64_t HopFrames(double frame_rate, const matching::WindowPlan& plan) {
  const double frames = std::min(plan.hop_s * frame_rate, 1e9);
  return std::max<int64_t>(1, std::llround(frames));
}

absl::Status CheckFit(const encoder::EncoderInfo& info, const features::FeatureSequence& sequence) {
  if (info.channels == sequence.channels && info.bands == sequence.bands && info.dimension > 0 &&
      info.settings.window_frames > 0) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "encoder ", info.model_id, " reads windows of ", info.channels, " channels and ", info.bands,
      " bands, the features have ", sequence.channels, " and ", sequence.bands));
}

// Encodes windows in calls of bounded size, appending to `embeddings`. `copy(i, out)` writes window
// i.
template <typename CopyWindow>
absl::Status EncodeInChunks(const encoder::WindowEncoder& encoder, int64_t count,
                            int64_t window_bytes, const std::function<absl::Status()>& keep_going,
                            CopyWindow copy, std::vector<float>& embeddings) {
  const int dimension = encoder.info().dimension;
  embeddings.reserve(embeddings.size() + count * dimension);
  std::vector<uint8_t> windows;
  for (int64_t begin = 0; begin < count; begin += kWindowsPerCall) {
    const int64_t size = std::min(kWindowsPerCall, count - begin);
    windows.resize(size * window_bytes);
    for (int64_t i = 0; i < size; ++i) copy(begin + i, windows.data() + i * window_bytes);
    ASSIGN_OR_RETURN(std::vector<float> rows, encoder.EncodeWhile(keep_going, windows));
    if (static_cast<int64_t>(rows.size()) != size * dimension) {
      return absl::InternalError(absl::StrCat("encoder gave ", rows.size(), " floats for ", size,
                                              " windows of ", dimension));
    }
    embeddings.insert(embeddings.end(), rows.begin(), rows.end());
  }
  return absl::OkStatus();
}

// The windows that a plan takes, with no embeddings yet, and their first frames.
struct Selection {
  matching::EmbeddingSequence frame;
  std::vector<int64_t> firsts;
};

absl::StatusOr<Selection> Select(const encoder::EncoderInfo& info,
                                 const features::FeatureSequence& sequence, double tempo_ratio,
                                 const matching::WindowPlan& plan) {
  RETURN_IF_ERROR(CheckPlan(plan));
  RETURN_IF_ERROR(CheckRange("tempo_ratio", tempo_ratio, kTempoRatioRange));
  const double seconds_per_frame = tempo_ratio / info.settings.frame_rate();
  Selection selection;
  selection.frame.dimension = info.dimension;
  selection.frame.tempo_ratio = tempo_ratio;
  selection.frame.window_s = info.settings.window_frames * seconds_per_frame;
  selection.frame.hop_s = HopFrames(info.settings.frame_rate(), plan) * seconds_per_frame;
  if (sequence.frames() == 0) return selection;
  RETURN_IF_ERROR(CheckFit(info, sequence));
  selection.firsts = SelectWindows(sequence, info.settings.window_frames, plan);
  for (const int64_t first : selection.firsts)
    selection.frame.start_s.push_back(first * seconds_per_frame);
  return selection;
}

int64_t WindowBytes(const encoder::EncoderInfo& info) {
  return static_cast<int64_t>(info.settings.window_frames) * info.channels * info.bands;
}

}  // namespace

std::vector<catalog::SnippetRun> RunsOf(const matching::EmbeddingSequence& sequence, int source,
                                        int64_t first_vector, int part) {
  std::vector<catalog::SnippetRun> runs;
  for (size_t i = 0; i < sequence.start_s.size(); ++i) {
    const bool adjoins = i > 0 && std::abs(sequence.start_s[i] - sequence.start_s[i - 1] -
                                           sequence.hop_s) < sequence.hop_s / 100;
    if (!adjoins) {
      runs.push_back({first_vector + static_cast<int64_t>(i), 0, source, sequence.tempo_ratio,
                      sequence.start_s[i], sequence.hop_s, sequence.window_s, part});
    }
    ++runs.back().count;
  }
  return runs;
}

absl::StatusOr<features::FeatureSequence> AudioFeatures(const features::AudioFrontEnd& front_end,
                                                        const audio::Waveform& waveform) {
  if (waveform.sample_rate != front_end.settings().sample_rate) {
    return absl::InvalidArgumentError(absl::StrCat("sound at ", waveform.sample_rate,
                                                   " Hz where the model reads ",
                                                   front_end.settings().sample_rate, " Hz"));
  }
  const float gain = features::GainFor(features::PeakOf(waveform.samples));
  if (gain == 1) return features::ComputeSpectrogram(front_end, waveform.samples);
  std::vector<float> raised = waveform.samples;
  for (float& sample : raised) sample *= gain;
  return features::ComputeSpectrogram(front_end, raised);
}

absl::StatusOr<features::FeatureSequence> ScoreFeatures(const features::FeatureSettings& settings,
                                                        const music::Score& score,
                                                        double tempo_ratio) {
  RETURN_IF_ERROR(CheckRange("tempo_ratio", tempo_ratio, kTempoRatioRange));
  double cells = 0;
  for (const music::Note& note : score.notes) {
    cells += (note.offset_s - note.onset_s) / tempo_ratio * settings.frame_rate() + 1;
  }
  if (!(cells <= kMaxPianorollCells)) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the score's notes add up to ", cells / settings.frame_rate(), " s at tempo ratio ",
        tempo_ratio, ", the limit is ", kMaxPianorollCells / settings.frame_rate(), " s"));
  }
  return features::ComputePianoroll(score.notes, settings, tempo_ratio);
}

std::vector<int64_t> SelectWindows(const features::FeatureSequence& sequence, int window_frames,
                                   const matching::WindowPlan& plan) {
  const int64_t hop = HopFrames(sequence.frame_rate, plan);
  const int64_t last = std::max<int64_t>(0, sequence.frames() - (window_frames + 1) / 2);
  std::vector<int64_t> all;
  for (int64_t first = 0; first <= last; first += hop) {
    if (!sequence.IsEmptyWindow(first, window_frames)) all.push_back(first);
  }
  const auto count = static_cast<int64_t>(all.size());
  if (plan.max_windows == 0 || count <= plan.max_windows) return all;
  const int64_t length = std::min(plan.stretch_windows, plan.max_windows);
  const int64_t stretches = plan.max_windows / length;
  std::vector<int64_t> selected;
  for (int64_t i = 0; i < stretches; ++i) {
    const int64_t begin =
        stretches == 1 ? (count - length) / 2 : i * (count - length) / (stretches - 1);
    selected.insert(selected.end(), all.begin() + begin, all.begin() + begin + length);
  }
  return selected;
}

absl::StatusOr<matching::EmbeddingSequence> EmbedFeatures(
    const encoder::WindowEncoder& encoder, const features::FeatureSequence& sequence,
    double tempo_ratio, const matching::WindowPlan& plan,
    const std::function<absl::Status()>& keep_going) {
  const encoder::EncoderInfo& info = encoder.info();
  ASSIGN_OR_RETURN(Selection selection, Select(info, sequence, tempo_ratio, plan));
  RETURN_IF_ERROR(EncodeInChunks(
      encoder, static_cast<int64_t>(selection.firsts.size()), WindowBytes(info), keep_going,
      [&](int64_t i, uint8_t* out) {
        sequence.CopyWindow(selection.firsts[i], info.settings.window_frames, out);
      },
      selection.frame.embeddings));
  return std::move(selection.frame);
}

absl::StatusOr<WindowBatch> CutWindows(const encoder::EncoderInfo& info,
                                       const features::FeatureSequence& sequence,
                                       double tempo_ratio, const matching::WindowPlan& plan) {
  ASSIGN_OR_RETURN(Selection selection, Select(info, sequence, tempo_ratio, plan));
  WindowBatch batch{std::move(selection.frame), {}};
  batch.cells.resize(selection.firsts.size() * WindowBytes(info));
  uint8_t* out = batch.cells.data();
  for (const int64_t first : selection.firsts) {
    sequence.CopyWindow(first, info.settings.window_frames, out);
    out += WindowBytes(info);
  }
  return batch;
}

absl::StatusOr<std::vector<matching::EmbeddingSequence>> EmbedBatches(
    const encoder::WindowEncoder& encoder, std::vector<WindowBatch> batches,
    const std::function<absl::Status()>& keep_going) {
  const encoder::EncoderInfo& info = encoder.info();
  const int64_t bytes = WindowBytes(info);
  std::vector<const uint8_t*> windows;
  for (const WindowBatch& batch : batches) {
    for (size_t i = 0; i < batch.frame.start_s.size(); ++i)
      windows.push_back(batch.cells.data() + i * bytes);
  }
  std::vector<float> embeddings;
  RETURN_IF_ERROR(EncodeInChunks(
      encoder, static_cast<int64_t>(windows.size()), bytes, keep_going,
      [&](int64_t i, uint8_t* out) { std::copy_n(windows[i], bytes, out); }, embeddings));
  std::vector<matching::EmbeddingSequence> results;
  auto row = embeddings.begin();
  for (WindowBatch& batch : batches) {
    const auto next = row + static_cast<int64_t>(batch.frame.start_s.size()) * info.dimension;
    batch.frame.embeddings.assign(row, next);
    results.push_back(std::move(batch.frame));
    row = next;
  }
  return results;
}

absl::StatusOr<matching::EmbeddingSequence> EmbedAudio(const encoder::WindowEncoder& audio_encoder,
                                                       const features::AudioFrontEnd& front_end,
                                                       const audio::Waveform& waveform,
                                                       const matching::WindowPlan& plan) {
  if (!(audio_encoder.info().settings == front_end.settings())) {
    return absl::FailedPreconditionError(
        "the audio encoder was trained on other features than the front end gives");
  }
  ASSIGN_OR_RETURN(features::FeatureSequence sequence, AudioFeatures(front_end, waveform));
  return EmbedFeatures(audio_encoder, sequence, 1.0, plan);
}

absl::StatusOr<matching::EmbeddingSequence> EmbedScore(const encoder::WindowEncoder& score_encoder,
                                                       const music::Score& score,
                                                       double tempo_ratio,
                                                       const matching::WindowPlan& plan) {
  ASSIGN_OR_RETURN(features::FeatureSequence sequence,
                   ScoreFeatures(score_encoder.info().settings, score, tempo_ratio));
  return EmbedFeatures(score_encoder, sequence, tempo_ratio, plan);
}

}  // namespace antiphon::collection
