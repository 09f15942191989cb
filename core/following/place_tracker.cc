#include "core/following/place_tracker.h"

#include <algorithm>
#include <cmath>

namespace antiphon::following {
namespace {

constexpr double kApart_s = 0.7;    // of the sound: hypotheses closer than this are one
constexpr double kExplained_s = 3;  // of what is heard, how much is explained
constexpr double kDoubt = 10;       // strength of the onsets before which that says little
constexpr double kYoung_s = 0.3;    // a hypothesis is not judged before

}  // namespace

PlaceTracker::PlaceTracker(const ScoreModel& model, const TrackerModel& tracker, int event)
    : model_(model), tracker_(tracker), evidence_(model), finder_(model, tracker.finder, event) {
  // Just before the event, so that it is what is waited for.
  const double before_s = model.events()[event].onset_s - 1e-6;
  hypotheses_.push_back({ParticleCloud(
      model, tracker.player, tracker.particles,
      {before_s, before_s, 1, tracker.player.first_tempo_deviation, true}, seeds_++)});
}

void PlaceTracker::Step(const SoundFrame& frame) {
  static const double forget = std::exp(-kFrame_s / kExplained_s);
  evidence_.SetFrame(frame);
  for (Hypothesis& hypothesis : hypotheses_) {
    hypothesis.weight += hypothesis.cloud.Step(evidence_);
    hypothesis.age_s += kFrame_s;
    const double heard = std::max(0.0f, evidence_.novelty());
    hypothesis.heard = hypothesis.heard * forget + heard;
    hypothesis.explained = hypothesis.explained * forget + heard * hypothesis.cloud.attacked();
  }
  ++frames_;
  const auto every = static_cast<int64_t>(std::lround(tracker_.look_s / kFrame_s));
  finder_.Step(frame, tempo_ratio_);
  Weigh();
  if (frames_ % every == 0) {
    tempo_ratio_ = hypotheses_.front().cloud.Where().tempo_ratio;
    Try();
    Choose();
  }
}

// Keeps the weights near 0, and gives up what is far behind.
void PlaceTracker::Weigh() {
  double best = hypotheses_.front().weight;
  for (const Hypothesis& one : hypotheses_) best = std::max(best, one.weight);
  for (Hypothesis& one : hypotheses_) one.weight -= best;
  std::erase_if(hypotheses_, [&](const Hypothesis& one) {
    return &one != &hypotheses_.front() && one.age_s > kYoung_s && one.weight < -tracker_.give_up;
  });
}

void PlaceTracker::Try() {
  std::vector<ParticleCloud::Place> places;
  for (const Hypothesis& one : hypotheses_) places.push_back(one.cloud.Where());
  const double tempo = places.front().tempo_ratio;
  const double near = std::max(1e-6, finder_.ShareNear(places.front().score_s, kApart_s * tempo));
  for (const PlaceFinder::Candidate& candidate :
       finder_.Candidates(tracker_.tried, kApart_s * tempo, places.front().score_s)) {
    if (candidate.share < tracker_.least_share || !candidate.begun) continue;
    const double at_s = model_.events()[candidate.event].onset_s;
    if (std::any_of(places.begin(), places.end(), [&](const ParticleCloud::Place& place) {
          return std::abs(place.score_s - at_s) < kApart_s * tempo;
        }))
      continue;
    if (static_cast<int>(hypotheses_.size()) > tracker_.tried) break;
    const bool far = std::abs(at_s - places.front().score_s) > tracker_.far_s * tempo;
    const double weight = hypotheses_.front().weight - tracker_.handicap -
                          (far ? tracker_.far_handicap : 0) +
                          std::min(0.0, std::log(candidate.share / near));
    hypotheses_.push_back(
        {ParticleCloud(model_, tracker_.player, tracker_.particles / 3,
                       {at_s, at_s + 0.08 * tempo, tempo, tracker_.tempo_deviation, false},
                       seeds_++),
         weight});
  }
}

void PlaceTracker::Choose() {
  // Those that have come together are one, the heavier.
  std::vector<ParticleCloud::Place> places;
  for (const Hypothesis& one : hypotheses_) places.push_back(one.cloud.Where());
  for (size_t i = 0; i < hypotheses_.size(); ++i) {
    for (size_t k = hypotheses_.size() - 1; k > i; --k) {
      if (std::abs(places[i].score_s - places[k].score_s) > kApart_s / 2 * places[i].tempo_ratio)
        continue;
      if (hypotheses_[k].weight > hypotheses_[i].weight + tracker_.take_over) {
        std::swap(hypotheses_[i], hypotheses_[k]);
        std::swap(places[i], places[k]);
      }
      hypotheses_.erase(hypotheses_.begin() + static_cast<std::ptrdiff_t>(k));
      places.erase(places.begin() + static_cast<std::ptrdiff_t>(k));
    }
  }
  for (size_t i = 1; i < hypotheses_.size(); ++i) {
    if (hypotheses_[i].age_s < kYoung_s ||
        hypotheses_[i].weight < hypotheses_.front().weight + tracker_.take_over)
      continue;
    std::swap(hypotheses_.front(), hypotheses_[i]);
    ++jumps_;
  }
}

PlaceTracker::State PlaceTracker::Where() const {
  State state;
  state.place = hypotheses_.front().cloud.Where();
  state.jumps = jumps_;
  double total = 0;
  for (const Hypothesis& one : hypotheses_)
    total += std::exp(one.weight - hypotheses_.front().weight);
  state.probability = state.place.share / total;
  // Before there is much to explain, nothing speaks against the place.
  const Hypothesis& best = hypotheses_.front();
  state.explained = (best.explained + kDoubt) / (best.heard + kDoubt);
  return state;
}

}  // namespace antiphon::following
