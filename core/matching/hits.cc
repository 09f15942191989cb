#include "core/matching/hits.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <tuple>
#include <utility>

#include "core/matching/evidence.h"

namespace antiphon::matching {
namespace {

constexpr double kLineTolerance = 0.3;  // of a window of the source: 0.6 s as played
constexpr double kSlopeFactor = 1.25;
constexpr float kMemberSimilarity = 0.6f;  // of the best

// The neighbours in one source, by time in the query.
class SourceNeighbours {
 public:
  void Add(const Neighbour& neighbour) { nodes_.push_back({&neighbour, false}); }
  void Sort() {
    std::sort(nodes_.begin(), nodes_.end(), [](const Node& a, const Node& b) {
      return a.neighbour->query_start_s < b.neighbour->query_start_s;
    });
    for (const Node& node : nodes_) {
      longest_s_ =
          std::max(longest_s_, node.neighbour->query_end_s - node.neighbour->query_start_s);
    }
  }

  // False when the seed belongs to an earlier hit.
  bool TakeHit(const Neighbour& seed, bool evidence, Hit& hit) {
    const size_t first = FirstOverlapping(seed);
    size_t at = first;
    while (nodes_[at].neighbour != &seed) ++at;
    if (nodes_[at].taken) return false;
    hit = {.source = seed.source,
           .query_start_s = seed.query_start_s,
           .query_end_s = seed.query_end_s,
           .reference_start_s = seed.reference_start_s,
           .reference_end_s = seed.reference_end_s,
           .tempo_ratio = seed.slope(),
           .similarity = seed.similarity};
    nodes_[at].taken = true;
    std::vector<const Neighbour*> open = {&seed};
    while (!open.empty()) {
      const Neighbour& member = *open.back();
      open.pop_back();
      if (evidence) hit.evidence.push_back(EvidenceOf(member));
      hit.query_start_s = std::min(hit.query_start_s, member.query_start_s);
      hit.query_end_s = std::max(hit.query_end_s, member.query_end_s);
      hit.reference_start_s = std::min(hit.reference_start_s, member.reference_start_s);
      hit.reference_end_s = std::max(hit.reference_end_s, member.reference_end_s);
      for (size_t i = FirstOverlapping(member); i < nodes_.size(); ++i) {
        const Neighbour& next = *nodes_[i].neighbour;
        if (next.query_start_s >= member.query_end_s) break;
        if (nodes_[i].taken || !CarriesOn(seed, member, next)) continue;
        nodes_[i].taken = true;
        open.push_back(&next);
      }
    }
    TakeOverlapping(hit);
    TidyEvidence(hit.evidence);
    return true;
  }

 private:
  struct Node {
    const Neighbour* neighbour;
    bool taken;
  };

  // The first node that may overlap the neighbour's window of the query.
  size_t FirstOverlapping(const Neighbour& neighbour) const {
    const double from_s = neighbour.query_start_s - longest_s_;
    return std::lower_bound(
               nodes_.begin(), nodes_.end(), from_s,
               [](const Node& node, double s) { return node.neighbour->query_start_s < s; }) -
           nodes_.begin();
  }

  static bool CarriesOn(const Neighbour& seed, const Neighbour& member, const Neighbour& next) {
    if (next.similarity < kMemberSimilarity * seed.similarity ||
        next.query_end_s <= member.query_start_s)
      return false;
    const double factor = next.slope() / seed.slope();
    if (factor > kSlopeFactor || factor < 1 / kSlopeFactor) return false;
    const double expected_s = member.reference_middle_s() +
                              seed.slope() * (next.query_middle_s() - member.query_middle_s());
    const double window_s = next.reference_end_s - next.reference_start_s;
    return std::abs(next.reference_middle_s() - expected_s) <= kLineTolerance * window_s;
  }

  void TakeOverlapping(const Hit& hit) {
    for (Node& node : nodes_) {
      const Neighbour& n = *node.neighbour;
      if (n.query_start_s >= hit.query_end_s) break;
      if (n.query_end_s > hit.query_start_s && n.reference_start_s < hit.reference_end_s &&
          n.reference_end_s > hit.reference_start_s) {
        node.taken = true;
      }
    }
  }

  std::vector<Node> nodes_;
  double longest_s_ = 0;
};

}  // namespace

std::vector<Hit> MergeIntoHits(std::span<const Neighbour> neighbours, int top_k, bool evidence) {
  std::map<int, SourceNeighbours> by_source;
  std::vector<const Neighbour*> best_first;
  for (const Neighbour& neighbour : neighbours) best_first.push_back(&neighbour);
  std::sort(best_first.begin(), best_first.end(), [](const Neighbour* a, const Neighbour* b) {
    return std::tuple(-a->similarity, a->source, a->query_start_s, a->reference_start_s,
                      a->slope()) < std::tuple(-b->similarity, b->source, b->query_start_s,
                                               b->reference_start_s, b->slope());
  });
  for (const Neighbour* neighbour : best_first) by_source[neighbour->source].Add(*neighbour);
  for (auto& [source, nodes] : by_source) nodes.Sort();
  std::vector<Hit> hits;
  for (const Neighbour* seed : best_first) {
    if (static_cast<int>(hits.size()) >= top_k) break;
    Hit hit;
    if (by_source[seed->source].TakeHit(*seed, evidence, hit)) hits.push_back(std::move(hit));
  }
  return hits;
}

}  // namespace antiphon::matching
