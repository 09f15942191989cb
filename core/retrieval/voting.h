// Which source a query is, from the nearest neighbours of its windows. Pure functions; safe from any thread.
#ifndef ANTIPHON_CORE_RETRIEVAL_VOTING_H_
#define ANTIPHON_CORE_RETRIEVAL_VOTING_H_

#include <span>
#include <vector>

namespace antiphon::retrieval {

// One neighbour of one query window.
struct Vote {
  int window = 0;          // which query window, from 0, in order of time
  int source = 0;          // piece or recording
  double query_s = 0;      // start of the window in the query, seconds of the query
  double reference_s = 0;  // start of the neighbour in the source, seconds of the source
  double slope = 1.0;      // seconds of the source per second of the query, by the tempo hypothesis
  float similarity = 0;
};

struct SourceScore {
  int source = 0;
  double score =
      0;  // higher is better; comparable within one call only for the plain vote, in [0, 1] for the vote in time
  int votes = 0;           // neighbours counted
  double query_s = 0;      // a place in the query …
  double reference_s = 0;  // … and its place in the source
  double slope = 1.0;      // seconds of the source per second of the query
};

// One vote per neighbour, as Dorfer et al. (2018); position and slope are those of the source's most similar neighbour.
// Best first.
std::vector<SourceScore> PlainVote(std::span<const Vote> votes);

struct TimeVoteOptions {
  double segment_s =
      10.0;  // votes must agree within stretches of the query of this length, so that rubato may drift beyond it
  double tolerance_s = 0.6;       // seconds of the source by which votes on one line may differ
  double similarity_floor = 0.3;  // neighbours less similar than this count nothing
};

// Votes that agree in time: within a segment of the query, the votes of one source and slope whose lines reference_s -
// slope·query_s agree within the tolerance are added up, each query window counting once with its best; the best line
// of each segment counts for the source. `windows` is the number of query windows, by which the sum is divided. Best
// first.
std::vector<SourceScore> VoteInTime(std::span<const Vote> votes, int windows, const TimeVoteOptions& options = {});

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_VOTING_H_
