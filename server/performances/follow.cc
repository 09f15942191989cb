#include "server/performances/follow.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audio/pcm_stream.h"
#include "core/base/status_macros.h"
#include "core/following/follower.h"
#include "server/performances/score_reference.h"
#include "server/services/sample_stream.h"
#include "server/wire/conversions.h"
#include "server/wire/field_checks.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

v1::FollowEvent ToWire(following::FollowEvent event) {
  switch (event) {
    case following::FollowEvent::kUpdate:
      return v1::FOLLOW_EVENT_UPDATE;
    case following::FollowEvent::kStarted:
      return v1::FOLLOW_EVENT_STARTED;
    case following::FollowEvent::kWaiting:
      return v1::FOLLOW_EVENT_WAITING;
    case following::FollowEvent::kLost:
      return v1::FOLLOW_EVENT_LOST;
    case following::FollowEvent::kFoundAgain:
      return v1::FOLLOW_EVENT_FOUND_AGAIN;
    case following::FollowEvent::kJumped:
      return v1::FOLLOW_EVENT_JUMPED;
    case following::FollowEvent::kEnded:
      return v1::FOLLOW_EVENT_ENDED;
  }
  return v1::FOLLOW_EVENT_UNSPECIFIED;
}

// What begins at each of a score's distinct onsets: pitches, ascending.
std::vector<std::vector<int>> PitchesByOnset(const music::Score& score) {
  const std::vector<double> onsets = music::DistinctOnsets(score.notes);
  std::vector<std::vector<int>> pitches(onsets.size());
  for (const music::Note& note : score.notes) {
    // The onset that the note was merged into is the last one not after it.
    const auto after = std::upper_bound(onsets.begin(), onsets.end(), note.onset_s);
    if (after != onsets.begin()) pitches[after - onsets.begin() - 1].push_back(note.pitch);
  }
  for (std::vector<int>& chord : pitches) {
    std::sort(chord.begin(), chord.end());
    chord.erase(std::unique(chord.begin(), chord.end()), chord.end());
  }
  return pitches;
}

// Written at a place of the score, quarter notes a minute.
double TempoAt(const music::TempoMap& map, double seconds) {
  const double beats = map.BeatsAt(seconds);
  const auto after = std::upper_bound(
      map.tempi().begin(), map.tempi().end(), beats,
      [](double beat, const music::TempoChange& tempo) { return beat < tempo.beat; });
  return 60 / (after == map.tempi().begin() ? after : std::prev(after))->seconds_per_beat;
}

// From the follower's answers to the wire's.
class Teller {
 public:
  explicit Teller(std::shared_ptr<const music::Score> score)
      : score_(std::move(score)), pitches_(PitchesByOnset(*score_)) {}

  v1::FollowResponse Tell(const following::FollowAnswer& answer) {
    v1::FollowResponse response;
    response.set_event(ToWire(answer.event));
    response.set_at_seconds(answer.at_s);
    response.set_probability(answer.probability);
    lost_ = answer.event == following::FollowEvent::kLost ||
            (lost_ && answer.event == following::FollowEvent::kUpdate);
    if (answer.onset < 0 || lost_) return response;
    started_ = true;
    const double seconds = std::clamp(answer.score_s, 0.0, score_->duration_s);
    *response.mutable_position() = ToPosition(seconds, score_.get());
    response.set_tempo_ratio(answer.tempo_ratio);
    response.set_beats_per_minute(answer.tempo_ratio * TempoAt(score_->tempo_map, seconds));
    const std::vector<int>& pitches = pitches_.at(answer.onset);
    response.mutable_pitches()->Add(pitches.begin(), pitches.end());
    return response;
  }

  bool started() const { return started_; }

 private:
  const std::shared_ptr<const music::Score> score_;
  const std::vector<std::vector<int>> pitches_;
  bool lost_ = false;
  bool started_ = false;
};

absl::StatusOr<following::FollowOptions> ToFollowOptions(const v1::FollowOptions& options,
                                                         double score_s) {
  following::FollowOptions out;
  if (options.has_start_seconds()) out.start_s = options.start_seconds();
  if (options.has_update_seconds()) out.update_s = options.update_seconds();
  RETURN_IF_ERROR(CheckFieldRange("options.update_seconds", out.update_s,
                                  following::FollowOptions::kUpdateRange));
  if (!(out.start_s >= 0 && (out.start_s == 0 || out.start_s < score_s))) {
    return FieldError(kInvalid, "options.start_seconds",
                      absl::StrCat(out.start_s, " is out of range"),
                      absl::StrCat("0 to below ", score_s));
  }
  return out;
}

}  // namespace

absl::Status Follow(const StreamContext& context, Call& call,
                    MessageStream<v1::FollowRequest, v1::FollowResponse>& stream) {
  v1::FollowRequest request;
  RETURN_IF_ERROR(ReadOptions(stream, &request));
  const v1::FollowOptions& options = request.options();
  ASSIGN_OR_RETURN(const auto format, ToPcmFormat(options, context.limits));
  ASSIGN_OR_RETURN(const ScoreReference reference,
                   ReadReference(call, "options.", options, context.limits));
  if (reference.score == nullptr)
    return FieldError(kInvalid, "options.reference", "neither score nor piece_id is set");
  ASSIGN_OR_RETURN(const auto follow, ToFollowOptions(options, reference.score->duration_s));
  // As it comes wherever it can be: resampling would delay it.
  const int rate = std::clamp(format.sample_rate, following::kSampleRateRange.low,
                              following::kSampleRateRange.high);
  ASSIGN_OR_RETURN(const auto pcm, AtField(audio::PcmStream::Create(format, rate), "options"));
  ASSIGN_OR_RETURN(const auto follower, call.InStage(v1::STAGE_FEATURES, [&] {
    return AtField(following::ScoreFollower::Create(*reference.score, rate, follow),
                   reference.field);
  }));
  Teller teller(reference.score);

  const auto write = [&](const std::vector<following::FollowAnswer>& answers) -> absl::Status {
    for (const following::FollowAnswer& answer : answers) {
      if (stream.Write(teller.Tell(answer))) continue;
      return stream.status().ok() ? absl::CancelledError("the caller has gone") : stream.status();
    }
    return absl::OkStatus();
  };
  const auto answers_of = [&](auto&& work) {
    return call.InStage(
        v1::STAGE_ALIGN,
        [&]() -> absl::StatusOr<std::vector<following::FollowAnswer>> { return work(); });
  };
  std::vector<float> samples;
  RETURN_IF_ERROR(ReadSamples(stream, [&](std::string_view bytes) -> absl::Status {
    call.Pin(context.store.Current());
    samples.clear();
    RETURN_IF_ERROR(AtField(pcm->Push(bytes, samples), "samples"));
    ASSIGN_OR_RETURN(const auto answers, answers_of([&] { return follower->Push(samples); }));
    return write(answers);
  }));
  samples.clear();
  RETURN_IF_ERROR(AtField(pcm->Finish(samples), "samples"));
  ASSIGN_OR_RETURN(auto answers, answers_of([&] { return follower->Push(samples); }));
  RETURN_IF_ERROR(write(answers));
  ASSIGN_OR_RETURN(answers, answers_of([&] { return follower->Finish(); }));
  RETURN_IF_ERROR(write(answers));
  context.metrics.RecordVerdict(call.method(),
                                teller.started() ? v1::VERDICT_MATCH : v1::VERDICT_NO_MATCH);
  return absl::OkStatus();
}

}  // namespace antiphon::server
