#include "core/streaming/stream_identifier.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/base/status_macros.h"
#include "core/matching/stage_timer.h"
#include "core/streaming/pause_detector.h"
#include "core/streaming/piece_tracker.h"
#include "core/streaming/stream_windows.h"

namespace antiphon::streaming {
namespace {

// Candidates asked for, so that a piece is not lost sight of when others come before it for a
// moment.
constexpr int kLeastCandidates = 5;

matching::Identification Nothing() { return {matching::Verdict::kInsufficientInput, 0, {}}; }

}  // namespace

struct StreamIdentifier::Impl {
  explicit Impl(const StreamOptions& options_in) : options(options_in) {}

  double received_s() const { return start_s + static_cast<double>(received) / sample_rate; }

  absl::Status Bind(const encoder::EncoderInfo& info);
  absl::Status Hear(std::span<const float> samples, const matching::RequestContext& context,
                    std::vector<StreamAnswer>& answers);
  absl::StatusOr<StreamAnswer> Answer(const retrieval::Collection& collection, bool last,
                                      const matching::RequestContext& context);
  absl::StatusOr<Sighting> Ask(const retrieval::Collection& collection, double from_s,
                               const matching::RequestContext& context) const;
  StreamAnswer AnswerSilence();
  StreamAnswer Present(StreamEvent event, Sighting sighting) const;

  const StreamOptions options;
  PieceTracker tracker;

  // Of the model that is asked, and the sound since it is: `start_s` is the time of its first
  // sample.
  std::string model_id;
  features::FeatureSettings settings;
  int sample_rate = 1;
  double start_s = 0;
  int64_t received = 0;  // samples
  int64_t update = 1;    // samples between answers
  std::optional<PauseDetector> pauses;
  double paused_s = 0;  // when the last pause was found
  std::unique_ptr<StreamWindows> windows;
};

// Begins anew when the model is another one.
absl::Status StreamIdentifier::Impl::Bind(const encoder::EncoderInfo& info) {
  if (windows != nullptr && model_id == info.model_id && settings == info.settings)
    return absl::OkStatus();
  const double now_s = received_s();
  ASSIGN_OR_RETURN(
      std::unique_ptr<StreamWindows> anew,
      StreamWindows::Create(
          info, options.identify.hop_s.value_or(matching::IdentifyOptions::kFineHop_s), now_s));
  if (windows != nullptr) tracker.Resume(now_s);
  windows = std::move(anew);
  model_id = info.model_id;
  settings = info.settings;
  sample_rate = settings.sample_rate;
  start_s = now_s;
  received = 0;
  update = std::max<int64_t>(1, std::llround(options.update_s * sample_rate));
  pauses.emplace(sample_rate, options.pause_s, start_s);
  return absl::OkStatus();
}

// Takes in samples up to the next answer at most; pauses are answers of their own.
absl::Status StreamIdentifier::Impl::Hear(std::span<const float> samples,
                                          const matching::RequestContext& context,
                                          std::vector<StreamAnswer>& answers) {
  received += static_cast<int64_t>(samples.size());
  for (const PauseDetector::Change& change : pauses->Push(samples)) {
    answers.push_back({.event = change.paused ? StreamEvent::kPaused : StreamEvent::kResumed,
                       .at_s = change.at_s,
                       .identification = Nothing()});
    if (change.paused) {
      paused_s = change.at_s;
    } else {
      tracker.Resume(change.at_s);
      windows->ForgetBefore(change.at_s);
    }
  }
  matching::StageTimer timer(context);
  return timer.Run(matching::Stage::kFeatures, [&] {
    windows->Push(samples);
    return absl::OkStatus();
  });
}

absl::StatusOr<StreamAnswer> StreamIdentifier::Impl::Answer(
    const retrieval::Collection& collection, bool last, const matching::RequestContext& context) {
  {
    matching::StageTimer timer(context);
    RETURN_IF_ERROR(last ? windows->Finish(collection.audio_encoder(), timer)
                         : windows->Embed(collection.audio_encoder(), timer));
  }
  windows->ForgetBefore(received_s() - options.stretch_s);
  if (pauses->paused()) return AnswerSilence();
  if (windows->empty()) return Present(StreamEvent::kUpdate, {Nothing(), {}, {}});
  ASSIGN_OR_RETURN(PieceTracker::Finding finding,
                   tracker.Find({.at_s = received_s(),
                                 .from_s = windows->start_s(),
                                 .until_s = std::min(received_s(), windows->end_s()),
                                 .last = last},
                                [&](double from_s) { return Ask(collection, from_s, context); }));
  if (finding.forget_before_s) windows->ForgetBefore(*finding.forget_before_s);
  return Present(finding.event, std::move(finding.sighting));
}

absl::StatusOr<Sighting> StreamIdentifier::Impl::Ask(
    const retrieval::Collection& collection, double from_s,
    const matching::RequestContext& context) const {
  Sighting sighting;
  sighting.identification.verdict = matching::Verdict::kInsufficientInput;
  if (!windows->AudibleFrom(from_s)) return sighting;
  matching::IdentifyOptions identify = options.identify;
  identify.evidence = true;
  identify.top_k = std::max(identify.top_k, kLeastCandidates);
  ASSIGN_OR_RETURN(
      sighting.identification,
      collection.IdentifyEmbedded(windows->From(from_s), received_s(), identify, context));
  for (const matching::Candidate& candidate : sighting.identification.candidates) {
    const bool score = identify.against == catalog::Side::kScores;
    const auto add = [&sighting](const auto& source) {
      sighting.ids.push_back(source.id);
      sighting.durations_s.push_back(source.duration_s);
    };
    score ? add(collection.pieces().at(candidate.source))
          : add(collection.recordings().at(candidate.source));
  }
  return sighting;
}

// A piece ends with a pause as long as the stretch.
StreamAnswer StreamIdentifier::Impl::AnswerSilence() {
  const bool over = received_s() - paused_s >= options.stretch_s && tracker.End();
  return Present(over ? StreamEvent::kPieceEnded : StreamEvent::kUpdate, {Nothing(), {}, {}});
}

StreamAnswer StreamIdentifier::Impl::Present(StreamEvent event, Sighting sighting) const {
  StreamAnswer answer{event, received_s(), std::move(sighting.identification),
                      std::move(sighting.ids)};
  std::vector<matching::Candidate>& candidates = answer.identification.candidates;
  if (candidates.size() > static_cast<size_t>(options.identify.top_k)) {
    candidates.resize(options.identify.top_k);
    answer.ids.resize(options.identify.top_k);
  }
  if (!options.identify.evidence) {
    for (matching::Candidate& candidate : candidates) candidate.evidence.clear();
  }
  return answer;
}

StreamIdentifier::StreamIdentifier(const StreamOptions& options)
    : impl_(std::make_unique<Impl>(options)) {}
StreamIdentifier::~StreamIdentifier() = default;

absl::StatusOr<std::vector<StreamAnswer>> StreamIdentifier::Push(
    const retrieval::Collection& collection, std::span<const float> samples,
    const matching::RequestContext& context) {
  RETURN_IF_ERROR(impl_->Bind(collection.audio_encoder().info()));
  std::vector<StreamAnswer> answers;
  while (!samples.empty()) {
    const int64_t room = impl_->update - impl_->received % impl_->update;
    const size_t count = std::min(samples.size(), static_cast<size_t>(room));
    RETURN_IF_ERROR(impl_->Hear(samples.first(count), context, answers));
    samples = samples.subspan(count);
    if (impl_->received % impl_->update != 0) break;
    ASSIGN_OR_RETURN(StreamAnswer answer, impl_->Answer(collection, /*last=*/false, context));
    answers.push_back(std::move(answer));
  }
  return answers;
}

absl::StatusOr<std::vector<StreamAnswer>> StreamIdentifier::Finish(
    const retrieval::Collection& collection, const matching::RequestContext& context) {
  RETURN_IF_ERROR(impl_->Bind(collection.audio_encoder().info()));
  ASSIGN_OR_RETURN(StreamAnswer answer, impl_->Answer(collection, /*last=*/true, context));
  std::vector<StreamAnswer> answers;
  answers.push_back(std::move(answer));
  return answers;
}

double StreamIdentifier::received_s() const { return impl_->received_s(); }
size_t StreamIdentifier::bytes() const { return impl_->windows ? impl_->windows->bytes() : 0; }

}  // namespace antiphon::streaming
