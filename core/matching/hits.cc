#include "core/matching/hits.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <tuple>
#include <utility>

#include "core/matching/evidence.h"
#include "core/matching/tempo.h"

namespace antiphon::matching {
namespace {

constexpr double kLineTolerance = 0.3;  // of a window of the source: 0.6 s as played, as in voting
constexpr float kMemberSimilarity = 0.6f;  // of the seed

bool Overlap(const Span& a, const Span& b) { return a.end_s > b.start_s && a.start_s < b.end_s; }

void Extend(const Span& by, Span& span) {
  span.start_s = std::min(span.start_s, by.start_s);
  span.end_s = std::max(span.end_s, by.end_s);
}

// The neighbours in one source, by time in the query. A hit grows from its seed, the most similar
// neighbour left, as a connected component: from member to member by windows that overlap in the
// query. Places are compared with the member that a neighbour carries on, and not with the seed, so
// that a tempo that drifts stays on the line; tempo and similarity are compared with the seed. Its
// members are of one reading: of the whole, or of the seed's part.
//
// A neighbour is taken by one hit at most. A hit looks at those that overlap each of its members:
// O(m w) for m members and w neighbours to a window's length.
class SourceNeighbours {
 public:
  void Add(const Neighbour& neighbour) { nodes_.push_back({&neighbour, false}); }
  void Sort() {
    std::sort(nodes_.begin(), nodes_.end(), [](const Node& a, const Node& b) {
      return a.neighbour->match.query.start_s < b.neighbour->match.query.start_s;
    });
    for (const Node& node : nodes_)
      longest_s_ = std::max(longest_s_, node.neighbour->match.query.length_s());
  }

  // False when the seed belongs to an earlier hit. Seeds must come best first.
  bool TakeHit(const Neighbour& seed, bool evidence, Hit& hit) {
    const size_t first = FirstOverlapping(seed);
    size_t at = first;
    while (nodes_[at].neighbour != &seed) ++at;
    if (nodes_[at].taken) return false;
    hit = {.source = seed.source,
           .match = seed.match,
           .similarity = seed.similarity,
           .part = seed.part};
    nodes_[at].taken = true;
    std::vector<const Neighbour*> open = {&seed};
    while (!open.empty()) {
      const Neighbour& member = *open.back();
      open.pop_back();
      if (evidence) hit.evidence.push_back(EvidenceOf(member));
      Extend(member.match.query, hit.match.query);
      Extend(member.match.reference, hit.match.reference);
      for (size_t i = FirstOverlapping(member); i < nodes_.size(); ++i) {
        const Neighbour& next = *nodes_[i].neighbour;
        if (next.match.query.start_s >= member.match.query.end_s) break;
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

  // The first node that may overlap the neighbour's window of the query. Windows are sorted by
  // their starts, and those of slow tempi last longer: none that begins longest_s_ earlier reaches
  // the neighbour.
  size_t FirstOverlapping(const Neighbour& neighbour) const {
    const double from_s = neighbour.match.query.start_s - longest_s_;
    const auto starts_before = [](const Node& node, double s) {
      return node.neighbour->match.query.start_s < s;
    };
    return std::lower_bound(nodes_.begin(), nodes_.end(), from_s, starts_before) - nodes_.begin();
  }

  static bool CarriesOn(const Neighbour& seed, const Neighbour& member, const Neighbour& next) {
    if (next.part != seed.part || next.similarity < kMemberSimilarity * seed.similarity ||
        next.match.query.end_s <= member.match.query.start_s)
      return false;
    if (!AreNeighbours(next.match.slope, seed.match.slope)) return false;
    const Place from = member.match.middle(), to = next.match.middle();
    const double expected_s = from.reference_s + seed.match.slope * (to.query_s - from.query_s);
    return std::abs(to.reference_s - expected_s) <=
           kLineTolerance * next.match.reference.length_s();
  }

  // What overlaps the hit on both sides is the same finding at another tempo or a little off, and
  // must not become a hit of its own.
  void TakeOverlapping(const Hit& hit) {
    for (Node& node : nodes_) {
      const Match& match = node.neighbour->match;
      if (match.query.start_s >= hit.match.query.end_s) break;
      if (Overlap(match.query, hit.match.query) && Overlap(match.reference, hit.match.reference))
        node.taken = true;
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
    const auto key = [](const Neighbour& n) {
      return std::tuple(-n.similarity, n.source, n.match.query.start_s, n.match.reference.start_s,
                        n.match.slope);
    };
    return key(*a) < key(*b);
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
