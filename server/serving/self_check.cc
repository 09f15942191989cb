#include "server/serving/self_check.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/collection/collection_view.h"
#include "core/collection/embedder.h"
#include "core/scores/read_score.h"

namespace antiphon::server {
namespace {

constexpr int kPiecesTried = 3;
constexpr double kStretch_s = 10;  // of a piece
constexpr size_t kWindows = 4;     // of it, or one more, are looked for: all of them overlap

// Cosine of a window and the same window as it was indexed, less what another precision and other
// batches change.
constexpr float kSame = 0.97f;

// A ratio of tempo at which every score was indexed: the one nearest to the tempo written.
double NearestRatio(const std::vector<double>& ratios) {
  if (ratios.empty()) return 1;
  return *std::min_element(ratios.begin(), ratios.end(), [](double a, double b) {
    return std::abs(std::log(a)) < std::abs(std::log(b));
  });
}

// Some windows of the beginning of a piece, as they were cut when it was indexed; none where there
// are no notes.
absl::StatusOr<matching::EmbeddingSequence> EmbedBeginning(
    const retrieval::BundleCollection& collection, int piece) {
  ASSIGN_OR_RETURN(const std::string file, collection.view().ReadMidi(piece));
  ASSIGN_OR_RETURN(const music::Score score,
                   MapError(notation::ReadScore(file), [](const absl::Status& status) {
                     return absl::DataLossError(status.message());
                   }));
  matching::WindowPlan plan;
  if (collection.manifest().score_hop_s > 0) plan.hop_s = collection.manifest().score_hop_s;
  ASSIGN_OR_RETURN(auto windows, collection.EmbedScore(
                                     music::Excerpt(score, 0, kStretch_s),
                                     NearestRatio(collection.manifest().tempo_ratios), plan, {}));
  // Windows that reach beyond the stretch hold silence where the piece goes on.
  const double end_s = score.duration_s <= kStretch_s ? INFINITY : kStretch_s;
  size_t whole = 0;
  while (whole < windows.start_s.size() && windows.start_s[whole] + windows.window_s <= end_s)
    ++whole;
  size_t kept = 0;
  for (size_t i = 0; i < whole; i += std::max<size_t>(1, whole / kWindows), ++kept) {
    windows.start_s[kept] = windows.start_s[i];
    std::copy_n(windows.embeddings.begin() + static_cast<int64_t>(i) * windows.dimension,
                windows.dimension,
                windows.embeddings.begin() + static_cast<int64_t>(kept) * windows.dimension);
  }
  windows.start_s.resize(kept);
  windows.embeddings.resize(kept * windows.dimension);
  return windows;
}

absl::Status CheckFindsPiece(const retrieval::BundleCollection& collection, int piece,
                             const matching::EmbeddingSequence& windows) {
  ASSIGN_OR_RETURN(const auto found,
                   collection.view().Search(catalog::Side::kScores, windows.embeddings, /*k=*/1));
  const auto same = std::count_if(found.begin(), found.end(),
                                  [](const auto& f) { return f.similarity >= kSame; });
  // Not all: an index need not be exact.
  if (2 * same >= static_cast<int64_t>(windows.start_s.size())) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("the piece '", collection.view().pieces()[piece].id,
                   "' does not find itself: ", same, " of ", windows.start_s.size(),
                   " windows are in the index; encoder and index do not belong together"));
}

}  // namespace

absl::Status CheckFindsItself(const retrieval::BundleCollection& collection) {
  const int pieces = static_cast<int>(collection.view().pieces().size());
  int tried = 0;
  for (int i = 0; i < std::min(pieces, 4 * kPiecesTried) && tried < kPiecesTried; ++i) {
    // From all over the collection, not from its beginning only.
    const int piece = static_cast<int>(int64_t{i} * pieces / std::min(pieces, 4 * kPiecesTried));
    ASSIGN_OR_RETURN(const auto windows, EmbedBeginning(collection, piece));
    if (windows.start_s.empty()) continue;
    RETURN_IF_ERROR(CheckFindsPiece(collection, piece, windows));
    ++tried;
  }
  return absl::OkStatus();
}

absl::Status WarmUp(const retrieval::BundleCollection& collection) {
  const int rate = collection.encoder_info().settings.sample_rate;
  const double length_s = 2 * collection.encoder_info().settings.window_s();
  audio::Waveform audio;
  audio.sample_rate = rate;
  audio.samples.resize(static_cast<size_t>(length_s * rate));
  music::Score score;
  score.duration_s = length_s;
  constexpr int kPitches[] = {60, 64, 67, 72};
  for (int i = 0; i < 4; ++i) {
    const double onset_s = i * length_s / 4;
    const double hertz = 440.0 * std::exp2((kPitches[i] - 69) / 12.0);
    const auto first = static_cast<size_t>(onset_s * rate);
    for (size_t n = first; n < audio.samples.size(); ++n) {
      const double t = static_cast<double>(n - first) / rate;
      audio.samples[n] +=
          static_cast<float>(0.2 * std::exp(-2 * t) * std::sin(2 * std::numbers::pi * hertz * t));
    }
    music::Note note;
    note.onset_s = onset_s;
    note.offset_s = note.sounding_offset_s = onset_s + length_s / 4;
    note.pitch = kPitches[i];
    score.notes.push_back(note);
  }
  RETURN_IF_ERROR(collection.IdentifyAudio(audio, {}, {}).status());
  return collection.SearchRecordings(score, {}, {}).status();
}

}  // namespace antiphon::server
