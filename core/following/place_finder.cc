#include "core/following/place_finder.h"

#include <algorithm>
#include <cmath>

namespace antiphon::following {
namespace {

constexpr double kStep_s = 2 * kFrame_s;
constexpr double kAttack_s = 0.05;    // an onset is heard for so long
constexpr double kMostAdvance = 0.6;  // of a step: that the next onset comes
constexpr float kLeast = 1e-20f;      // smaller shares are 0

}  // namespace

PlaceFinder::PlaceFinder(const ScoreModel& model, const FinderModel& finder, int event)
    : model_(model),
      finder_(finder),
      jump_(model.events().size()),
      begun_(model.events().size()),
      sounding_(model.events().size()) {
  const auto& events = model.events();
  const auto bars = static_cast<double>(std::count_if(
      events.begin(), events.end(), [](const ScoreEvent& one) { return one.begins_bar; }));
  for (size_t i = 0; i < events.size(); ++i) {
    const double next_s = i + 1 < events.size() ? events[i + 1].onset_s : model.end_s() + 1;
    seconds_.push_back(std::max(1e-3, next_s - events[i].onset_s));
    jump_[i] = static_cast<float>((1 - finder.to_bar_share) / static_cast<double>(events.size()) +
                                  (events[i].begins_bar ? finder.to_bar_share / bars : 0));
  }
  // Before the first note it waits as if the note before it sounded.
  sounding_[std::max(0, event - 1)] = 1;
}

void PlaceFinder::Step(const SoundFrame& frame, double tempo_ratio) {
  odd_ = !odd_;
  if (odd_) {
    frame_ = frame;
    return;
  }
  for (int i = 0; i < kPitches; ++i) {
    frame_.energies[i] = (frame_.energies[i] + frame.energies[i]) / 2;
    frame_.onsets[i] = std::max(frame_.onsets[i], frame.onsets[i]);
  }
  frame_.novelty = std::max(frame_.novelty, frame.novelty);

  const auto jumping = static_cast<float>(finder_.jump_rate * kStep_s);
  const auto ending = static_cast<float>(kStep_s / kAttack_s);
  const auto skip = static_cast<float>(finder_.skip_share);
  const auto fit_weight = static_cast<float>(finder_.fit_weight);
  const auto attack_weight = static_cast<float>(finder_.attack_weight);
  const float novelty = static_cast<float>(finder_.novelty_weight) * Novelty(frame_);
  const auto& events = model_.events();
  // Of the event before and the one before that, as they were.
  float leaving_1 = 0, leaving_2 = 0, total = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    const float begun = begun_[i], sounding = sounding_[i];
    const auto advance =
        static_cast<float>(std::min(kMostAdvance, kStep_s * tempo_ratio / seconds_[i]));
    const float leaving = advance * (begun + sounding);
    const float coming = (1 - skip) * leaving_1 + skip * leaving_2;
    const float fit = std::exp(fit_weight * (model_.Fit(events[i].first_slice, frame_) - 1));
    const float attack =
        std::exp(novelty + attack_weight * model_.Attack(static_cast<int>(i), frame_));
    float now_begun =
        fit * attack *
        ((1 - jumping) * (coming + (1 - ending) * (1 - advance) * begun) + jumping * jump_[i]);
    float now_sounding = fit * (1 - jumping) * (1 - advance) * (sounding + ending * begun);
    if (now_begun < kLeast) now_begun = 0;
    if (now_sounding < kLeast) now_sounding = 0;
    begun_[i] = now_begun;
    sounding_[i] = now_sounding;
    total += now_begun + now_sounding;
    leaving_2 = leaving_1;
    leaving_1 = leaving;
  }
  if (!(total > 1e-30f)) {
    // Nothing explains it: anything may be.
    for (size_t i = 0; i < events.size(); ++i) {
      begun_[i] = 0;
      sounding_[i] = jump_[i];
    }
    return;
  }
  const float scale = 1 / total;
  for (size_t i = 0; i < events.size(); ++i) {
    begun_[i] *= scale;
    sounding_[i] *= scale;
  }
}

std::vector<PlaceFinder::Candidate> PlaceFinder::Candidates(int count, double apart_s,
                                                            double except_s) const {
  const auto& events = model_.events();
  std::vector<Candidate> found;
  const auto is_far = [&](int event) {
    const double at_s = events[event].onset_s;
    return std::abs(at_s - except_s) >= apart_s &&
           std::none_of(found.begin(), found.end(), [&](const Candidate& other) {
             return std::abs(events[other.event].onset_s - at_s) < apart_s;
           });
  };
  for (int i = 0; i < count; ++i) {
    Candidate best;
    for (size_t event = 0; event < events.size(); ++event) {
      const float share = begun_[event] + sounding_[event];
      if (share > best.share && is_far(static_cast<int>(event)))
        best = {static_cast<int>(event), share, begun_[event] > sounding_[event]};
    }
    if (best.share <= 0) break;
    best.share = ShareNear(events[best.event].onset_s, apart_s / 2);
    found.push_back(best);
  }
  return found;
}

double PlaceFinder::ShareNear(double score_s, double reach_s) const {
  const auto& events = model_.events();
  auto at =
      std::lower_bound(events.begin(), events.end(), score_s - reach_s,
                       [](const ScoreEvent& event, double at_s) { return event.onset_s < at_s; });
  // The last event before sounds on.
  if (at != events.begin()) --at;
  double share = 0;
  for (; at != events.end() && at->onset_s <= score_s + reach_s; ++at)
    share += begun_[at - events.begin()] + sounding_[at - events.begin()];
  return share;
}

}  // namespace antiphon::following
