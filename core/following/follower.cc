#include "core/following/follower.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/following/particle_cloud.h"
#include "core/following/score_model.h"
#include "core/following/semitone_analyzer.h"

namespace antiphon::following {
namespace {

constexpr int kParticles = 800;

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
        evidence(model),
        cloud(model, player, kParticles, FirstEvent(), 1, player.first_tempo_deviation, 1) {}

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
  const PlayerModel player;
  FrameStream stream;
  const ScoreModel model;
  FrameEvidence evidence;
  ParticleCloud cloud;
  int64_t frames = 0;
  int64_t answered = 0;
};

void ScoreFollower::Impl::Hear(const SoundFrame& frame, std::vector<FollowAnswer>& answers) {
  evidence.SetFrame(frame);
  cloud.Step(evidence);
  ++frames;
  const auto due =
      static_cast<int64_t>(std::floor(static_cast<double>(frames) * kFrame_s / options.update_s +
                                      1e-9));
  if (due <= answered) return;
  answered = due;
  answers.push_back(Answer());
}

FollowAnswer ScoreFollower::Impl::Answer() const {
  const ParticleCloud::Place place = cloud.Where();
  FollowAnswer answer;
  answer.at_s = static_cast<double>(frames) * kFrame_s;
  answer.score_s = place.score_s;
  answer.tempo_ratio = place.tempo_ratio;
  answer.probability = place.share;
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
