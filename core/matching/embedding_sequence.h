// Embeddings of the windows of one source, and where to cut the windows. Plain values.
#ifndef ANTIPHON_CORE_MATCHING_EMBEDDING_SEQUENCE_H_
#define ANTIPHON_CORE_MATCHING_EMBEDDING_SEQUENCE_H_

#include <vector>

namespace antiphon::matching {

// Embeddings of windows of one source at one tempo, in order of time.
struct EmbeddingSequence {
  int dimension = 0;
  double tempo_ratio = 1.0;  // the source was read at this multiple of its own tempo
  double window_s = 0;       // a window's length, seconds of the source
  double hop_s = 0;          // between the starts of adjoining windows, seconds of the source
  // Where each window starts, seconds of the source (nominal tempo for scores).
  std::vector<double> start_s = {};
  std::vector<float> embeddings = {};  // [start_s.size(), dimension]
};

// Where to cut windows, in seconds as played (after the tempo ratio has been applied).
struct WindowPlan {
  double hop_s = 0.25;  // between the starts of windows; rounded to whole frames, at least one
  int max_windows = 0;  // 0 is all; otherwise stretches of `stretch_windows` are taken, spread
                        // evenly over the source
  int stretch_windows = 32;
};

}  // namespace antiphon::matching

#endif  // ANTIPHON_CORE_MATCHING_EMBEDDING_SEQUENCE_H_
