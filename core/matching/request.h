// The options of a search and of an identification: what to look for, where, and how many answers
// to give. Plain values, without encoder, index or catalogue; safe from any thread.
#ifndef ANTIPHON_CORE_MATCHING_REQUEST_H_
#define ANTIPHON_CORE_MATCHING_REQUEST_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/check_range.h"
#include "core/catalog/catalog.h"

namespace antiphon::matching {

enum class Stage {
  kFeatures,
  kEncode,
  kSearch,
  kVote
};  // kFeatures and kEncode are reported for a whole query each

// What a caller may hook into a request. Both may be empty.
struct RequestContext {
  std::function<absl::Status()>
      keep_going;  // asked before every expensive stage; a failure is returned at once
  std::function<void(Stage, double)> on_stage;  // seconds that a stage took, on failure too
};

// Which sources may be an answer: those that pass every list that is not empty, by equalling one of
// its entries.
struct SourceFilter {
  std::vector<std::string> composers = {};    // ASCII letters of either case are alike
  std::vector<std::string> collections = {};  // exactly
  // Exactly; a recording passes by the piece that it is of.
  std::vector<std::string> piece_ids = {};
  std::vector<std::string> work_ids = {};

  bool empty() const {
    return composers.empty() && collections.empty() && piece_ids.empty() && work_ids.empty();
  }
};

// What of the collection is searched, and how.
struct SearchFilter {
  SourceFilter sources = {};
  bool exact = false;  // compare every vector, whatever the index
  static constexpr Range<double> kMinSimilarityRange = {-1, 1};
  float min_similarity = -1.0;  // neighbours less similar do not count
};

// The part of the query that is looked at, seconds; windows begin at its start. Times in answers
// are the whole query's.
struct QueryExcerpt {
  double start_s = 0;
  std::optional<double> end_s = {};  // none: the end of the query
};

// The bound of an excerpt that does not fit a query of `duration_s`; infinity while the duration is
// not known. The start lies within the query (at 0 of an empty one, too), the end behind the start.
enum class ExcerptFault { kNone, kStart, kEnd };
constexpr ExcerptFault FaultOf(const QueryExcerpt& excerpt, double duration_s) {
  // The comparisons are written so that NaN fails them.
  if (!(excerpt.start_s >= 0)) return ExcerptFault::kStart;
  if (excerpt.start_s > 0 && !(excerpt.start_s < duration_s)) return ExcerptFault::kStart;
  if (excerpt.end_s.has_value() && !(*excerpt.end_s > excerpt.start_s)) return ExcerptFault::kEnd;
  return ExcerptFault::kNone;
}

// Windows of a query that are compared, at each tempo that it is read at; a longer query is sampled
// evenly (WindowPlan).
inline constexpr Range<int> kQueryWindowsRange = {1, 100'000};
inline constexpr int kDefaultQueryWindows = 240;

struct SearchOptions {
  static constexpr Range<int> kTopKRange = {1, 1000};
  int top_k = 10;      // hits over the whole query, best first, overlapping ones of one source
                       // merged into the best
  double hop_s = 0.5;  // > 0; between query windows, seconds of the query
  int max_windows = kDefaultQueryWindows;  // in kQueryWindowsRange
  SearchFilter filter = {};
  QueryExcerpt excerpt = {};
  bool evidence = false;  // fill Hit::evidence
};

enum class VoteMethod { kInTime, kPlain };

inline constexpr int kMaxTransposition = 12;  // semitones: every key, up to an octave away

struct IdentifyOptions {
  catalog::Side against = catalog::Side::kScores;
  static constexpr Range<int> kTopKRange = {1, 100};
  int top_k = 5;  // candidates
  VoteMethod method = VoteMethod::kInTime;
  bool follow_paths = true;  // of the best sources by vote in time: rank them by path_match.h
  // Confidence is fitted on windows so far apart; those further apart count for as many.
  static constexpr double kFineHop_s = 0.25;
  // Seconds of the query between its windows, > 0; without it, by the query's length.
  std::optional<double> hop_s = {};
  int max_windows = kDefaultQueryWindows;  // in kQueryWindowsRange
  static constexpr Range<int> kNeighboursRange = {1, 1000};
  int neighbours = 25;  // per query window
  static constexpr Range<double> kMinConfidenceRange = {0, 1};
  // Below it the answer is kNoMatch; the model's threshold without one.
  std::optional<double> min_confidence = {};
  static constexpr Range<int> kMaxTranspositionRange = {0, kMaxTransposition};
  // Semitones. A query that would have no match is asked again a semitone
  // higher and lower, and so on up to so many, until there is one. An instrument that is out of
  // tune or a recording played too fast or too slow needs 1. Music in another key needs as many as
  // it was moved by: at most 6 where the nearest octave was chosen, else up to 12.
  int max_transposition = 0;
  SearchFilter filter = {};
  QueryExcerpt excerpt = {};
  bool evidence = false;  // fill Candidate::evidence
};

}  // namespace antiphon::matching

#endif  // ANTIPHON_CORE_MATCHING_REQUEST_H_
