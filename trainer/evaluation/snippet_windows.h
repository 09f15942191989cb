// Windows of sound and score around onsets, and their embeddings: what the suites on snippets
// share. Blocking; functions use several threads themselves.
#ifndef ANTIPHON_TRAINER_EVALUATION_SNIPPET_WINDOWS_H_
#define ANTIPHON_TRAINER_EVALUATION_SNIPPET_WINDOWS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/encoder/window_encoder.h"
#include "core/features/settings.h"
#include "trainer/base/progress.h"
#include "trainer/datasets/test_set.h"

namespace antiphon::trainer::evaluation {

// An onset of a piece, and where the windows around it begin: the sound's on one of its frames.
struct SnippetPlace {
  int piece = 0;
  double onset_s = 0;
  double start_s = 0;        // of the sound's window, seconds of the piece, may be negative
  double score_start_s = 0;  // of the score's, likewise
  int64_t draw = 0;          // how many were drawn before: those below n are what a draw of n gives
};

// Windows of both kinds, row i of one the counterpart of row i of the other.
struct SnippetWindows {
  std::vector<SnippetPlace> places;
  std::vector<uint8_t> audio;  // [places, window_frames, bands]
  std::vector<uint8_t> score;  // [places, window_frames, 2, pitches]
};

// `count` onsets drawn from all distinct ones (all when there are fewer), with their windows. With
// `centre_scores` the score's window lies exactly around the onset, where nothing tells a repeat of
// the same notes apart, and not on the frames of the sound.
[[nodiscard]] absl::StatusOr<SnippetWindows> DrawSnippets(
    const std::vector<datasets::TestPiece>& pieces, const features::FeatureSettings& settings,
    int64_t count, uint64_t seed, bool centre_scores, Progress& progress);

// The score windows of these places, each `later_s` seconds later: [places, window_frames, 2,
// pitches].
std::vector<uint8_t> ScoreWindows(const std::vector<datasets::TestPiece>& pieces,
                                  const features::FeatureSettings& settings,
                                  std::span<const SnippetPlace> places, double later_s);

struct SnippetEmbeddings {
  int dimension = 0;
  std::vector<float> audio, score;  // [places, dimension]
};

[[nodiscard]] absl::StatusOr<SnippetEmbeddings> EmbedSnippets(
    const std::string& model, const encoder::EncoderOptions& options, const SnippetWindows& windows,
    Progress& progress);

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_SNIPPET_WINDOWS_H_
