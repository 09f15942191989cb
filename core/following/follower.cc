#include "core/following/follower.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/following/place_tracker.h"
#include "core/following/score_model.h"
#include "core/following/semitone_analyzer.h"
#ifdef FOLLOW_LAB
#include "core/following/lab_hooks.h"
#endif

namespace antiphon::following {
namespace {

TrackerModel Tracker() {
  TrackerModel t;
  PlayerModel& p = t.player;
#ifdef FOLLOW_LAB
  p.first_tempo_deviation = lab::Get("ftd", p.first_tempo_deviation);
  p.tempo_deviation = lab::Get("td", p.tempo_deviation);
  p.place_deviation_s = lab::Get("pd", p.place_deviation_s);
  p.wait_share = lab::Get("ws", p.wait_share);
  p.wait_s = lab::Get("wt", p.wait_s);
  p.fit_weight = lab::Get("fw", p.fit_weight);
  p.novelty_weight = lab::Get("nw", p.novelty_weight);
  p.attack_weight = lab::Get("aw", p.attack_weight);
  p.attack_from_s = lab::Get("a0", p.attack_from_s);
  p.attack_full_s = lab::Get("a1", p.attack_full_s);
  p.attack_fades_s = lab::Get("a2", p.attack_fades_s);
  p.attack_to_s = lab::Get("a3", p.attack_to_s);
  p.fill_from_s = lab::Get("f0", p.fill_from_s);
  p.fill_to_s = lab::Get("f1", p.fill_to_s);
  p.stray_rate = lab::Get("sr", p.stray_rate);
  p.stray_s = lab::Get("ss", p.stray_s);
  t.particles = lab::Get("np", t.particles);
  t.tried = lab::Get("tried", t.tried);
  t.least_share = lab::Get("ls", t.least_share);
  t.handicap = lab::Get("hc", t.handicap);
  t.give_up = lab::Get("gu", t.give_up);
  t.take_over = lab::Get("to", t.take_over);
  t.finder.jump_rate = lab::Get("jr", t.finder.jump_rate);
  t.finder.skip_share = lab::Get("sk", t.finder.skip_share);
  t.finder.fit_weight = lab::Get("ffw", t.finder.fit_weight);
  t.finder.novelty_weight = lab::Get("fnw", t.finder.novelty_weight);
  t.finder.attack_weight = lab::Get("faw", t.finder.attack_weight);
#endif
  return t;
}

absl::Status Check(const music::Score& score, int sample_rate, const FollowOptions& options) {
  RETURN_IF_ERROR(CheckRange("sample_rate", sample_rate, kSampleRateRange));
  RETURN_IF_ERROR(CheckRange("start_s", options.start_s, Range<double>{0, kMaxScore_s}));
  RETURN_IF_ERROR(CheckRange("update_s", options.update_s, FollowOptions::kUpdateRange));
  const size_t onsets = music::DistinctOnsets(score.notes).size();
  if (onsets < 2) return absl::InvalidArgumentError("score: fewer than two distinct onsets");
  if (onsets > kMaxOnsets) {
    return absl::InvalidArgumentError(
        absl::StrCat("score: ", onsets, " distinct onsets, more than ", kMaxOnsets));
  }
  const double last_s = score.notes.back().onset_s;
  if (!(last_s <= kMaxScore_s)) {
    return absl::InvalidArgumentError(absl::StrCat("score: longer than ", kMaxScore_s, " s"));
  }
  return absl::OkStatus();
}

}  // namespace

struct ScoreFollower::Impl {
  Impl(const music::Score& score, int sample_rate, const FollowOptions& follow_options)
      : options(follow_options),
        stream(sample_rate),
        model(score, stream.analyzer()),
        tracker(model, Tracker(), FirstEvent()) {}

  int FirstEvent() const {
    const auto& events = model.events();
    const auto at = std::lower_bound(
        events.begin(), events.end(), options.start_s - 0.01,
        [](const ScoreEvent& event, double at_s) { return event.onset_s < at_s; });
    return static_cast<int>(std::min<std::ptrdiff_t>(at - events.begin(),
                                                     static_cast<int>(events.size()) - 1));
  }

  void Hear(const SoundFrame& frame, std::vector<FollowAnswer>& answers);
  FollowAnswer Answer() const;

  const FollowOptions options;
  FrameStream stream;
  const ScoreModel model;
  PlaceTracker tracker;
  int64_t frames = 0;
  int64_t answered = 0;
};

void ScoreFollower::Impl::Hear(const SoundFrame& frame, std::vector<FollowAnswer>& answers) {
  tracker.Step(frame);
  ++frames;
  const auto due =
      static_cast<int64_t>(std::floor(static_cast<double>(frames) * kFrame_s / options.update_s +
                                      1e-9));
  if (due <= answered) return;
  answered = due;
  answers.push_back(Answer());
}

FollowAnswer ScoreFollower::Impl::Answer() const {
  const PlaceTracker::State state = tracker.Where();
  const ParticleCloud::Place& place = state.place;
  FollowAnswer answer;
  answer.at_s = static_cast<double>(frames) * kFrame_s;
  answer.score_s = place.score_s;
  answer.tempo_ratio = place.tempo_ratio;
  answer.probability = state.probability;
  answer.onset = place.event;
  return answer;
}

ScoreFollower::ScoreFollower(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ScoreFollower::~ScoreFollower() = default;

absl::StatusOr<std::unique_ptr<ScoreFollower>> ScoreFollower::Create(const music::Score& score,
                                                                     int sample_rate,
                                                                     const FollowOptions& options) {
  RETURN_IF_ERROR(Check(score, sample_rate, options));
  return std::unique_ptr<ScoreFollower>(
      new ScoreFollower(std::make_unique<Impl>(score, sample_rate, options)));
}

std::vector<FollowAnswer> ScoreFollower::Push(std::span<const float> samples) {
  std::vector<FollowAnswer> answers;
  impl_->stream.Push(samples, [&](const SoundFrame& frame) { impl_->Hear(frame, answers); });
  return answers;
}

std::vector<FollowAnswer> ScoreFollower::Finish() { return {impl_->Answer()}; }

}  // namespace antiphon::following
