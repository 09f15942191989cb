// Queries cut out of recordings, asked of a collection, and how high the right piece came. Asking
// is blocking and for one thread; the rest are pure functions and plain values.
#ifndef ANTIPHON_TRAINER_DATASETS_EXCERPTS_H_
#define ANTIPHON_TRAINER_DATASETS_EXCERPTS_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"
#include "core/retrieval/collection.h"
#include "trainer/base/progress.h"

namespace antiphon::trainer::datasets {

// A recording to cut queries out of.
struct TestRecording {
  std::string name;
  std::string path;
  int work = -1;  // what is right: see WorkOfSource; -1: nothing in the collection
};

struct ExcerptPlan {
  std::vector<double> lengths_s;
  int per_length = 1;  // of each recording
  bool whole = true;   // and the whole recording
  uint64_t seed = 1;
  bool evenly = false;  // at even distances from the beginning to the end, not at random places
};

// A stretch of a recording.
struct Excerpt {
  int recording = 0;    // in the list
  double wanted_s = 0;  // the length asked for, 0 for the whole
  double start_s = 0;   // of the recording
  double length_s = 0;  // at most what was asked for, less when the recording is shorter
};

// The excerpts of one recording. Random places depend on the seed, the recording's name and the
// length alone. Evenly placed, the first begins the recording and the last ends it; one alone lies
// in the middle. So many even excerpts are drawn of a length as lie beside one another, but one of
// a recording that is shorter.
std::vector<Excerpt> DrawExcerpts(const ExcerptPlan& plan, int recording, std::string_view name,
                                  double duration_s);

struct Outcome {
  Excerpt excerpt;
  matching::Identification answer;
  int64_t rank = 0;  // of the right work, from 1; 0 when it is not among the candidates
};

// Several sources may be one work (editions of it), so that any of them is right.
using WorkOfSource = std::function<int(int source)>;

// 1 + the number of other works that have a candidate scored at least as high as the best of
// `work`; 0 when it has none.
int64_t RankOfWork(std::span<const matching::Candidate> candidates, const WorkOfSource& work_of,
                   int work);

// What is done to the sound of an excerpt before it is asked for; empty leaves it as it is.
using Treatment =
    std::function<absl::StatusOr<audio::Waveform>(const audio::Waveform&, uint64_t seed)>;

// Enough candidates to tell whether the right work is among the first five, ties and several
// editions considered.
inline constexpr int kCandidates = 20;

// Asks for every excerpt of every recording, in order. `options.top_k` should be kCandidates.
[[nodiscard]] absl::StatusOr<std::vector<Outcome>> AskExcerpts(
    const std::vector<TestRecording>& recordings, const ExcerptPlan& plan,
    const retrieval::Collection& collection, const matching::IdentifyOptions& options,
    const WorkOfSource& work_of, const Treatment& treatment, Progress& progress);

struct Accuracy {
  int queries = 0, first = 0, in_5 = 0;

  void Add(int64_t rank) {
    ++queries;
    first += rank == 1;
    in_5 += rank >= 1 && rank <= 5;
  }
  double at_1() const { return queries ? static_cast<double>(first) / queries : 0; }
  double at_5() const { return queries ? static_cast<double>(in_5) / queries : 0; }
};

// Over the outcomes whose excerpts were asked for at this length (0: the whole).
Accuracy AccuracyAt(std::span<const Outcome> outcomes, double wanted_s);

std::string LengthName(double wanted_s);  // "10 s", "whole"

}  // namespace antiphon::trainer::datasets

#endif  // ANTIPHON_TRAINER_DATASETS_EXCERPTS_H_
