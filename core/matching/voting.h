// Which source a query is, from the nearest neighbours of its windows. Pure functions; safe from
// any thread.
#ifndef ANTIPHON_CORE_MATCHING_VOTING_H_
#define ANTIPHON_CORE_MATCHING_VOTING_H_

#include <span>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/matching/match.h"

namespace antiphon::matching {

// One neighbour of one query window.
struct Vote {
  int window = 0;      // which query window, from 0; several windows at one place of the query may
                       // share a number
  int source = 0;      // piece or recording
  Place place = {};    // the middles of the window and of its neighbour
  double slope = 1.0;  // by the tempo hypothesis; > 0
  float similarity = 0;
  double window_s = 0;         // the query window's length
  int part = catalog::kWhole;  // of the source that alone was read
};

struct SourceScore {
  int source = 0;
  // Higher is better: the number of neighbours (plain), or a number in [0, 1] (in time).
  double score = 0;
  int votes = 0;     // neighbours counted (plain), or query windows that agree (in time)
  Place place = {};  // the middle of the votes that agree
  // The stretch of the query whose votes agree, windows whole (in time: of the best segment; plain:
  // the most similar neighbour's window), and the source's along the line through `place`.
  Match match = {};
  float similarity = 0;        // mean of those votes
  int part = catalog::kWhole;  // of the source whose votes these are
};

// One vote per neighbour, as Dorfer et al. (2018); position and slope are those of the source's
// most similar neighbour. Best first.
std::vector<SourceScore> PlainVote(std::span<const Vote> votes);

struct TimeVoteOptions {
  // > 0; votes must agree within stretches of the query of about this length (up to half longer).
  // Over 10 s a tempo may leave its line by 6 % before the tolerance is used up, and rubato may
  // drift as far as it likes beyond. Shorter stretches have fewer votes to tell a line from chance.
  double segment_s = 10.0;
  // > 0; seconds of sound by which votes on one line may differ. Scores are indexed every half
  // second as played, so that the nearest window lies up to a quarter of a second to either side of
  // the right place; a tenth is left for the player's timing.
  double tolerance_s = 0.6;
  // The tolerance is seconds of the source if set, else of the query: the faster a score is read,
  // the further apart its windows are in its own time.
  bool source_is_audio = false;
  // < 1; neighbours less similar than this count nothing: the nearest windows of a collection are
  // hardly alike where it has nothing better. A right one has 0.80 on average, and 0.66 when it is
  // cut four frames off (docs/quality.md).
  double similarity_floor = 0.3;
};

// Votes that agree in time, a Hough transform (Hough 1962) over lines of source position against
// query time.
//
// Within a segment of the query, a vote supports a line when the line's slope is within a
// factor 1.25 of the vote's own tempo hypothesis (so that hypotheses on either side of the real
// tempo support one another) and the vote lies on it: all that support one line differ by at most
// the tolerance. Each query window counts once per line, with its most similar vote: 0 at the
// similarity floor, 1 at similarity 1. The best line of each segment counts for the source; their
// sum is divided by `windows`, the number of query windows.
//
// Position and slope come from the best segment's line, by least squares over the windows that
// agree where they span 4 s of the query, else from their hypotheses. A source and each part of it
// have lines of their own; the best of them counts for the source. Votes with similarity below
// the floor, or with anything that is not finite, are left out, and so are sources without another
// vote. Best first; the order of `votes` does not matter.
std::vector<SourceScore> VoteInTime(std::span<const Vote> votes, int windows,
                                    const TimeVoteOptions& options = {});

// How far a score in [0, 1] lies above its rival, in [-1, 1]: their difference over the larger of
// the two, but at least over 0.2, so that a weak score does not look sure for want of rivals.
double VoteMargin(double score, double rival);

}  // namespace antiphon::matching

#endif  // ANTIPHON_CORE_MATCHING_VOTING_H_
