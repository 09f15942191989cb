#include "core/matching/voting.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <unordered_set>

// The Hough transform of VoteInTime has two parameters, a line's slope and its position, and they
// are searched in different ways. Slopes are tried one by one, on a grid. For each slope every vote
// is projected along it onto one moment of the query; votes on one line then lie within the
// tolerance of one another, and a stretch that slides over the sorted projections finds the best
// line of that slope exactly, without bins.
//
// For g votes of one source in one segment and L slopes that is O(L g log g). L is at most 7 for
// each tempo hypothesis that occurs, and 103 whatever the input (kMaxOctaves). Everything is sorted
// by keys that leave no ties but between equal votes, and hence does not depend on the order of the
// votes.

namespace antiphon::matching {
namespace {

// Lines are tried at slopes 2^(k/12): within 3 % of any real tempo, which is 0.15 s at the ends of
// a segment of 10 s, a quarter of the tolerance.
constexpr double kLinesPerOctave = 12;
// Slopes are taken to lie between 2^-4 and 2^4, so that no input makes the number of lines grow.
constexpr double kMaxOctaves = 4;
// A vote supports lines within this factor of its own slope: more than half the distance between
// tempo hypotheses, which lie 1.41 apart, so that a tempo between two of them has the votes of
// both.
constexpr double kSlopeFactor = 1.25;
// Query time that votes must span for a slope of their own. Windows of scores lie half a second
// apart, so that a place is known to a quarter of a second. Over less than 4 s that tilts a fit by
// more than most tempi differ from the nearest hypothesis.
constexpr double kMinFitSpan = 4.0;

// A vote that counts, with its weight.
struct WeightedVote {
  Vote vote;
  double weight = 0;
  double log_slope = 0;  // octaves
  int segment = 0;
};

// A vote seen along a line's direction.
struct Projection {
  double position = 0;  // seconds of the source at the middle of the segment
  int window = 0;       // dense within the segment
  double weight = 0;
  int vote = 0;  // in the group
};

struct Line {
  double weight = 0;
  std::vector<int> votes;  // in the group: the best of each query window
};

bool IsFinite(const Vote& vote) {
  return std::isfinite(vote.place.query_s) && std::isfinite(vote.place.reference_s) &&
         std::isfinite(vote.slope) && std::isfinite(vote.similarity) && vote.slope > 0;
}

void SortBestFirst(std::vector<SourceScore>& scores) {
  std::sort(scores.begin(), scores.end(), [](const SourceScore& a, const SourceScore& b) {
    return std::tie(b.score, b.votes, a.source, a.part) <
           std::tie(a.score, a.votes, b.source, b.part);
  });
}

bool IsOfOneReading(const Vote& a, const Vote& b) {
  return a.source == b.source && a.part == b.part;
}

// Of what was read of each source, the best. Requires scores that are best first.
void KeepBestOfEach(std::vector<SourceScore>& scores) {
  std::unordered_set<int> seen;
  std::erase_if(scores,
                [&](const SourceScore& score) { return !seen.insert(score.source).second; });
}

// Assigns segments to windows. A stretch without a gap of half a segment is cut into equal parts,
// as many as come nearest to segment_s each: a remainder of its own would be too short to tell a
// line from chance. Every window counts in one segment only, that of its earliest vote, so that the
// score counts it once. Segments are those of the query, the same for all sources.
std::map<int, int> SegmentsOfWindows(const std::vector<WeightedVote>& votes, double segment_s) {
  std::map<int, double> first_s;  // by window
  for (const WeightedVote& v : votes) {
    auto [it, inserted] = first_s.emplace(v.vote.window, v.vote.place.query_s);
    if (!inserted) it->second = std::min(it->second, v.vote.place.query_s);
  }
  std::vector<std::pair<double, int>> windows;
  for (const auto& [window, query_s] : first_s) windows.emplace_back(query_s, window);
  std::sort(windows.begin(), windows.end());
  std::map<int, int> segments;
  int first_segment = 0;
  for (size_t begin = 0, end = 0; begin < windows.size(); begin = end) {
    end = begin + 1;
    while (end < windows.size() && windows[end].first - windows[end - 1].first < segment_s / 2)
      ++end;
    const double length = windows[end - 1].first - windows[begin].first;
    const int count = static_cast<int>(
        std::clamp(std::floor(length / segment_s + 0.5), 1.0, 1.0 * (end - begin)));
    for (size_t i = begin; i < end; ++i) {
      const double place = length > 0 ? (windows[i].first - windows[begin].first) / length : 0;
      segments[windows[i].second] =
          first_segment + std::min(count - 1, static_cast<int>(place * count));
    }
    first_segment += count;
  }
  return segments;
}

// The votes that count, by source, part and segment. Within these, votes of one window stand
// together, the heaviest first: BestLine and BestLineOfSlope count on it.
std::vector<WeightedVote> WeighVotes(std::span<const Vote> votes, const TimeVoteOptions& options) {
  std::vector<WeightedVote> weighted;
  weighted.reserve(votes.size());
  for (const Vote& vote : votes) {
    if (!IsFinite(vote)) continue;
    const double weight =
        (vote.similarity - options.similarity_floor) / (1.0 - options.similarity_floor);
    if (weight <= 0) continue;
    weighted.push_back({vote, std::min(1.0, weight),
                        std::clamp(std::log2(vote.slope), -kMaxOctaves, kMaxOctaves), 0});
  }
  const std::map<int, int> segments = SegmentsOfWindows(weighted, options.segment_s);
  for (WeightedVote& v : weighted) v.segment = segments.at(v.vote.window);
  std::sort(weighted.begin(), weighted.end(), [](const WeightedVote& a, const WeightedVote& b) {
    const Place &at = a.vote.place, &bt = b.vote.place;
    return std::tie(a.vote.source, a.vote.part, a.segment, a.vote.window, b.weight, at.query_s,
                    at.reference_s, a.vote.slope) < std::tie(b.vote.source, b.vote.part, b.segment,
                                                             b.vote.window, a.weight, bt.query_s,
                                                             bt.reference_s, b.vote.slope);
  });
  return weighted;
}

// The most weight within any stretch of `tolerance` seconds, each window counting with its heaviest
// vote there.
//
// The stretch is the projections [left, right], which both only rise. For each window a queue holds
// those of its projections in the stretch that none after them outweighs: by position, with falling
// weights, so that its head is the heaviest. sum_ is the sum of the heads. Each projection enters
// and leaves a queue once, so that a pass is linear in their number.
class SlidingSum {
 public:
  // `projections` sorted by position; windows below `windows`.
  SlidingSum(const std::vector<Projection>& projections, int windows)
      : projections_(projections), queues_(windows), heads_(windows, 0) {}

  // Sets [begin, end) to the projections of the best stretch.
  double Best(double tolerance, size_t& begin, size_t& end) {
    double best = 0;
    size_t left = 0;
    for (size_t right = 0; right < projections_.size(); ++right) {
      Enter(right);
      while (projections_[right].position - projections_[left].position > tolerance) Leave(left++);
      // Sums of the same weights in another order differ in their last digits; the first of equal
      // stretches stays.
      if (sum_ > best + 1e-9) {
        best = sum_;
        begin = left;
        end = right + 1;
      }
    }
    return best;
  }

 private:
  double Heaviest(int window) const {
    return heads_[window] < queues_[window].size()
               ? projections_[queues_[window][heads_[window]]].weight
               : 0;
  }
  void Enter(size_t i) {
    const Projection& p = projections_[i];
    std::vector<size_t>& queue = queues_[p.window];
    const double before = Heaviest(p.window);
    while (queue.size() > heads_[p.window] && projections_[queue.back()].weight <= p.weight)
      queue.pop_back();
    queue.push_back(i);
    sum_ += Heaviest(p.window) - before;
  }
  void Leave(size_t i) {
    const int window = projections_[i].window;
    const double before = Heaviest(window);
    if (heads_[window] < queues_[window].size() && queues_[window][heads_[window]] == i)
      ++heads_[window];
    sum_ += Heaviest(window) - before;
  }

  const std::vector<Projection>& projections_;
  std::vector<std::vector<size_t>> queues_;
  std::vector<size_t> heads_;
  double sum_ = 0;
};

// The best line of one slope through the votes of one segment and source. `centre_s`, onto which
// they are projected, lies in the middle of the votes: the error of the slope then counts for half
// of their span at most.
Line BestLineOfSlope(std::span<const WeightedVote> group, double log_slope, double centre_s,
                     const TimeVoteOptions& options) {
  const double slope = std::exp2(log_slope);
  const double tolerance_s =
      options.tolerance_s * (options.source_is_audio ? 1.0 : slope);  // seconds of the source
  std::vector<Projection> projections;
  int windows = 0;
  for (size_t i = 0; i < group.size(); ++i) {
    if (i > 0 && group[i].vote.window != group[i - 1].vote.window) ++windows;
    if (std::abs(group[i].log_slope - log_slope) > std::log2(kSlopeFactor)) continue;
    const Vote& vote = group[i].vote;
    projections.push_back({vote.place.reference_s + slope * (centre_s - vote.place.query_s),
                           windows, group[i].weight, static_cast<int>(i)});
  }
  std::sort(projections.begin(), projections.end(), [](const Projection& a, const Projection& b) {
    return std::tie(a.position, a.vote) < std::tie(b.position, b.vote);
  });
  Line line;
  size_t begin = 0;
  size_t end = 0;
  line.weight = SlidingSum(projections, windows + 1).Best(tolerance_s, begin, end);
  std::vector<int> best(windows + 1, -1);
  for (size_t i = begin; i < end; ++i) {
    const Projection& p = projections[i];
    int& kept = best[p.window];
    if (kept < 0 || group[kept].weight < p.weight) kept = p.vote;
  }
  for (const int vote : best) {
    if (vote >= 0) line.votes.push_back(vote);
  }
  return line;
}

// The best line of any direction. Of lines with equal weight, the one nearest to its votes' own
// slopes.
Line BestLine(std::span<const WeightedVote> group, const TimeVoteOptions& options) {
  // Most sources turn up by chance in one window only: its heaviest vote comes first.
  if (group.front().vote.window == group.back().vote.window) return {group.front().weight, {0}};
  double low_s = group[0].vote.place.query_s, high_s = low_s;
  std::vector<int> slopes;  // lines worth trying, in steps
  for (const WeightedVote& v : group) {
    low_s = std::min(low_s, v.vote.place.query_s);
    high_s = std::max(high_s, v.vote.place.query_s);
    const int nearest = static_cast<int>(std::lround(v.log_slope * kLinesPerOctave));
    const int reach = static_cast<int>(std::log2(kSlopeFactor) * kLinesPerOctave);
    for (int step = nearest - reach; step <= nearest + reach; ++step) slopes.push_back(step);
  }
  std::sort(slopes.begin(), slopes.end());
  slopes.erase(std::unique(slopes.begin(), slopes.end()), slopes.end());
  Line best;
  double best_misfit = 0;
  for (const int step : slopes) {
    const double log_slope = step / kLinesPerOctave;
    Line line = BestLineOfSlope(group, log_slope, (low_s + high_s) / 2, options);
    double misfit = 0;
    for (const int i : line.votes) misfit += std::abs(group[i].log_slope - log_slope);
    if (line.weight > best.weight + 1e-9 ||
        (line.weight > best.weight - 1e-9 && misfit < best_misfit - 1e-9)) {
      best = std::move(line);
      best_misfit = misfit;
    }
  }
  return best;
}

// Puts the stretch of the line through `score`'s place in it, from the middle of a window at low_s
// to that of one at high_s.
void Stretch(double low_s, double high_s, double window_s, SourceScore& score) {
  const Place& place = score.place;
  Match& match = score.match;
  match.query = {low_s - window_s / 2, high_s + window_s / 2};
  match.reference = {place.reference_s + match.slope * (match.query.start_s - place.query_s),
                     place.reference_s + match.slope * (match.query.end_s - place.query_s)};
}

// The slope of the line that fits the votes best; 0 where they do not tell.
double FittedSlope(std::span<const WeightedVote> group, const Line& line, const Place& middle) {
  double covariance = 0, variance = 0;
  for (const int i : line.votes) {
    const double weight = group[i].weight;
    const Place& at = group[i].vote.place;
    covariance += weight * (at.query_s - middle.query_s) * (at.reference_s - middle.reference_s);
    variance += weight * (at.query_s - middle.query_s) * (at.query_s - middle.query_s);
  }
  return variance > 0 ? covariance / variance : 0;
}

// Puts the line's middle, slope and stretch into `score`.
void Locate(std::span<const WeightedVote> group, const Line& line, SourceScore& score) {
  double weight = 0, query = 0, reference = 0, log_slope = 0, similarity = 0;
  double low_s = group[line.votes[0]].vote.place.query_s, high_s = low_s;
  for (const int i : line.votes) {
    const WeightedVote& v = group[i];
    similarity += v.vote.similarity;
    weight += v.weight;
    query += v.weight * v.vote.place.query_s;
    reference += v.weight * v.vote.place.reference_s;
    log_slope += v.weight * v.log_slope;
    low_s = std::min(low_s, v.vote.place.query_s);
    high_s = std::max(high_s, v.vote.place.query_s);
  }
  score.place = {query / weight, reference / weight};
  double& slope = score.match.slope;
  slope = std::exp2(log_slope / weight);
  score.similarity = static_cast<float>(similarity / static_cast<double>(line.votes.size()));
  const double fitted = high_s - low_s < kMinFitSpan ? 0 : FittedSlope(group, line, score.place);
  // Weighted least squares has no defence against few votes at the ends of a long span: their fit
  // must not leave what the hypotheses allow.
  if (fitted > slope / kSlopeFactor && fitted < slope * kSlopeFactor) slope = fitted;
  Stretch(low_s, high_s, group[line.votes[0]].vote.window_s, score);
}

}  // namespace

std::vector<SourceScore> PlainVote(std::span<const Vote> votes) {
  std::map<int, std::pair<SourceScore, const Vote*>> by_source;
  const auto better = [](const Vote& a, const Vote& b) {
    return std::tie(b.similarity, a.place.query_s, a.place.reference_s, a.slope) <
           std::tie(a.similarity, b.place.query_s, b.place.reference_s, b.slope);
  };
  for (const Vote& vote : votes) {
    if (!IsFinite(vote)) continue;
    auto& [score, best] = by_source[vote.source];
    ++score.votes;
    if (best == nullptr || better(vote, *best)) best = &vote;
  }
  std::vector<SourceScore> scores;
  for (const auto& [source, entry] : by_source) {
    const auto& [score, best] = entry;
    scores.push_back({.source = source,
                      .score = static_cast<double>(score.votes),
                      .votes = score.votes,
                      .place = best->place,
                      .match = {.slope = best->slope},
                      .similarity = best->similarity,
                      .part = best->part});
    Stretch(best->place.query_s, best->place.query_s, best->window_s, scores.back());
  }
  SortBestFirst(scores);
  return scores;
}

std::vector<SourceScore> VoteInTime(std::span<const Vote> votes, int windows,
                                    const TimeVoteOptions& options) {
  const std::vector<WeightedVote> weighted = WeighVotes(votes, options);
  const std::span<const WeightedVote> all(weighted);
  std::vector<SourceScore> scores;
  double best_segment = 0;  // the weight of the current source's best line so far
  for (size_t begin = 0, end = 0; begin < all.size(); begin = end) {
    const WeightedVote& first = all[begin];
    end = begin + 1;
    while (end < all.size() && IsOfOneReading(all[end].vote, first.vote) &&
           all[end].segment == first.segment)
      ++end;
    const auto group = all.subspan(begin, end - begin);
    const Line line = BestLine(group, options);
    if (scores.empty() || scores.back().source != first.vote.source ||
        scores.back().part != first.vote.part) {
      scores.push_back({.source = first.vote.source, .part = first.vote.part});
      best_segment = 0;
    }
    SourceScore& score = scores.back();
    score.score += line.weight;
    score.votes += static_cast<int>(line.votes.size());
    if (line.weight > best_segment) {
      best_segment = line.weight;
      Locate(group, line, score);
    }
  }
  for (SourceScore& score : scores) score.score = std::min(1.0, score.score / std::max(1, windows));
  SortBestFirst(scores);
  KeepBestOfEach(scores);
  return scores;
}

double VoteMargin(double score, double rival) {
  constexpr double kLeast = 0.2;  // see there: 0.05 without a rival is a margin of 0.25, not of 1
  return (score - rival) / std::max({score, rival, kLeast});
}

}  // namespace antiphon::matching
