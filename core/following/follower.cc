#include "core/following/follower.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/following/place_filter.h"
#include "core/following/score_model.h"
#include "core/following/semitone_analyzer.h"

namespace antiphon::following {
namespace {

constexpr float kSilence = 0.02f;                // against the loudest of the last seconds
constexpr double kAtEnd_s = 0.01;                // of the score
constexpr double kSilent_s = 0.5;                // after the last note: it has ended
constexpr double kWaiting_s = 0.6;               // that a note does not come: somebody waits
constexpr double kDoubtful = 0.25, kSure = 0.6;  // probabilities
constexpr double kLost_s = 2;                    // of doubt: it is lost
constexpr double kJump_s = 1;  // of the sound: a correction that is less is no jump
// How much of what is heard must be explained for a place to be as likely right as wrong, and how
// sharply that turns. Fitted on ASAP's titles for tuning.
constexpr double kEvenExplained = 0.12;
constexpr double kExplainedWidth = 0.05;
constexpr double kExplained_s = 3;  // of what is heard, how much is explained
constexpr double kDoubt = 10;       // strength of the onsets before which that says little

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

// From answer to answer: what has changed. An event is told once.
class EventTeller {
 public:
  EventTeller(const ScoreModel& model, double update_s) : model_(model), update_s_(update_s) {}

  FollowEvent Next(const PlaceFilter::Place& place, double probability, float loudness);

 private:
  bool HasEnded(const PlaceFilter::Place& place, float loudness);
  FollowEvent Change(const PlaceFilter::Place& place, double probability, float loudness);

  const ScoreModel& model_;
  const double update_s_;
  bool started_ = false, waiting_ = false, lost_ = false, ended_ = false;
  double waiting_s_ = 0, doubtful_s_ = 0, silent_s_ = 0;  // for so long
  PlaceFilter::Place last_;
};

bool EventTeller::HasEnded(const PlaceFilter::Place& place, float loudness) {
  silent_s_ = loudness < kSilence ? silent_s_ + update_s_ : 0;
  if (place.event + 1 < static_cast<int>(model_.events().size())) return false;
  return place.score_s >= model_.end_s() - kAtEnd_s || silent_s_ >= kSilent_s;
}

FollowEvent EventTeller::Change(const PlaceFilter::Place& place, double probability,
                                float loudness) {
  const bool ends = HasEnded(place, loudness);
  const bool waits = place.waiting > 0.5;
  waiting_s_ = waits ? waiting_s_ + update_s_ : 0;
  doubtful_s_ = probability < kDoubtful ? doubtful_s_ + update_s_ : 0;
  if (!started_) {
    started_ = !waits && place.event >= 0;
    return started_ ? FollowEvent::kStarted : FollowEvent::kUpdate;
  }
  const double expected_s = last_.score_s + last_.tempo_ratio * update_s_;
  const bool elsewhere = std::abs(place.score_s - expected_s) > kJump_s * place.tempo_ratio;
  if (lost_) {
    if (probability < kSure) return FollowEvent::kUpdate;
    lost_ = ended_ = false;
    return FollowEvent::kFoundAgain;
  }
  if (elsewhere) {
    ended_ = false;
    return FollowEvent::kJumped;
  }
  if (ended_) return FollowEvent::kUpdate;
  if (ends) {
    ended_ = true;
    return FollowEvent::kEnded;
  }
  if (doubtful_s_ >= kLost_s) {
    lost_ = true;
    return FollowEvent::kLost;
  }
  if (waiting_s_ < kWaiting_s) {
    waiting_ = waiting_ && waits;
    return FollowEvent::kUpdate;
  }
  if (waiting_) return FollowEvent::kUpdate;
  waiting_ = true;
  return FollowEvent::kWaiting;
}

FollowEvent EventTeller::Next(const PlaceFilter::Place& place, double probability, float loudness) {
  const FollowEvent event = Change(place, probability, loudness);
  last_ = place;
  return event;
}

}  // namespace

struct ScoreFollower::Impl {
  Impl(const music::Score& score, int sample_rate, const FollowOptions& follow_options)
      : options(follow_options),
        stream(sample_rate),
        model(score, stream.analyzer()),
        filter(model, PlayerModel(), FirstEvent()),
        teller(model, follow_options.update_s) {}

  int FirstEvent() const {
    const auto& events = model.events();
    const auto at =
        std::lower_bound(events.begin(), events.end(), options.start_s - 0.01,
                         [](const ScoreEvent& event, double at_s) { return event.onset_s < at_s; });
    return static_cast<int>(
        std::min<std::ptrdiff_t>(at - events.begin(), static_cast<int>(events.size()) - 1));
  }

  void Hear(const SoundFrame& frame, std::vector<FollowAnswer>& answers);
  FollowAnswer Answer();

  const FollowOptions options;
  FrameStream stream;
  const ScoreModel model;
  PlaceFilter filter;
  EventTeller teller;
  float loudness = 0;  // of the last frame
  // Of the last seconds, decaying: how strong the onsets heard were, and those of the score.
  double heard = 0, explained = 0;
  int64_t frames = 0;
  int64_t answered = 0;
};

void ScoreFollower::Impl::Hear(const SoundFrame& frame, std::vector<FollowAnswer>& answers) {
  static const double forget = std::exp(-kFrame_s / kExplained_s);
  filter.Step(frame);
  const double novelty = std::max(0.0f, Novelty(frame));
  heard = heard * forget + novelty;
  explained = explained * forget + novelty * filter.attacked();
  loudness = frame.loudness;
  ++frames;
  const auto due = static_cast<int64_t>(
      std::floor(static_cast<double>(frames) * kFrame_s / options.update_s + 1e-9));
  if (due <= answered) return;
  answered = due;
  answers.push_back(Answer());
}

FollowAnswer ScoreFollower::Impl::Answer() {
  const PlaceFilter::Place place = filter.Where();
  FollowAnswer answer;
  answer.at_s = static_cast<double>(frames) * kFrame_s;
  answer.score_s = std::min(place.score_s, model.end_s());
  answer.tempo_ratio = place.tempo_ratio;
  // Before there is much to explain, nothing speaks against the place.
  const double share = (explained + kDoubt) / (heard + kDoubt);
  answer.probability =
      place.probability / (1 + std::exp((kEvenExplained - share) / kExplainedWidth));
  answer.event = teller.Next(place, answer.probability, loudness);
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
