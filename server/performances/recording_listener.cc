#include "server/performances/recording_listener.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "core/alignment/performance.h"
#include "core/base/status_macros.h"
#include "core/features/audible.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

constexpr double kUpdate_s = 2;      // of sound between two looks at which piece it is
constexpr int kStepsPerDecibel = 2;  // of the levels of a spectrogram

}  // namespace

absl::StatusOr<std::unique_ptr<RecordingListener>> RecordingListener::Create(
    const audio::PcmFormat& format, std::optional<matching::IdentifyOptions> identify) {
  const features::FeatureSettings settings = alignment::PerformanceSettings();
  ASSIGN_OR_RETURN(auto pcm,
                   AtField(audio::PcmStream::Create(format, settings.sample_rate), "options"));
  ASSIGN_OR_RETURN(auto front_end, features::AudioFrontEnd::Create(settings));
  return std::unique_ptr<RecordingListener>(
      new RecordingListener(std::move(pcm), std::move(front_end), std::move(identify)));
}

RecordingListener::RecordingListener(std::unique_ptr<audio::PcmStream> pcm,
                                     std::unique_ptr<const features::AudioFrontEnd> front_end,
                                     std::optional<matching::IdentifyOptions> identify)
    : pcm_(std::move(pcm)), front_end_(std::move(front_end)), stream_(*front_end_) {
  if (!identify) return;
  streaming::StreamOptions options;
  options.update_s = kUpdate_s;
  options.identify = *std::move(identify);
  identifier_.emplace(options);
}

absl::Status RecordingListener::Push(Call& call, std::string_view bytes) {
  return Take(call, [&] { return pcm_->Push(bytes, samples_); });
}

absl::StatusOr<features::FeatureSequence> RecordingListener::Finish(Call& call) {
  RETURN_IF_ERROR(Take(call, [&] { return pcm_->Finish(samples_); }));
  stream_.Finish(spectrogram_);
  Raise();
  if (identifier_) RETURN_IF_ERROR(Note(identifier_->Finish(call.collection(), call.context())));
  return std::move(spectrogram_);
}

Identified RecordingListener::Identify(const retrieval::Collection& collection) {
  struct Heard {
    double seconds = 0;
    double confidence = 0;  // the best
  };
  std::map<std::string, Heard> pieces;
  for (const streaming::StreamSegment& segment : segments_.Finish()) {
    Heard& heard = pieces[segment.source_id];
    heard.seconds += segment.match.query.length_s();
    heard.confidence = std::max(heard.confidence, segment.confidence);
  }
  Identified identified;
  double longest_s = 0;
  for (const auto& [id, heard] : pieces) {
    const std::optional<int> piece = collection.FindPiece(id);
    if (!piece || heard.seconds <= longest_s) continue;  // deleted meanwhile, or another is longer
    longest_s = heard.seconds;
    identified = {v1::VERDICT_MATCH, heard.confidence, *piece};
  }
  return identified;
}

double RecordingListener::received_s() const {
  return static_cast<double>(received_) / front_end_->settings().sample_rate;
}

absl::Status RecordingListener::Take(Call& call, const std::function<absl::Status()>& decode) {
  samples_.clear();
  RETURN_IF_ERROR(AtField(call.InStage(v1::STAGE_DECODE, decode), "samples"));
  received_ += static_cast<int64_t>(samples_.size());
  peak_ = std::max(peak_, features::PeakOf(samples_));
  RETURN_IF_ERROR(call.InStage(v1::STAGE_FEATURES, [&] {
    stream_.Push(samples_, spectrogram_);
    return absl::OkStatus();
  }));
  if (!identifier_) return absl::OkStatus();
  // Models of this project all hear at one rate; another one's would need a second conversion.
  if (call.collection().feature_settings().sample_rate != front_end_->settings().sample_rate) {
    return CallerError(absl::StatusCode::kFailedPrecondition,
                       "this model hears at another rate than alignment does: name the score or "
                       "the piece");
  }
  return Note(identifier_->Push(call.collection(), samples_, call.context()));
}

absl::Status RecordingListener::Note(
    absl::StatusOr<std::vector<streaming::StreamAnswer>> answered) {
  ASSIGN_OR_RETURN(const auto answers, AtField(std::move(answered), "samples"));
  for (const streaming::StreamAnswer& answer : answers)
    RETURN_IF_ERROR(AtField(segments_.Add(answer), "samples"));
  return absl::OkStatus();
}

// The levels that the recording would have, had it been raised before: those that were too low to
// be seen stay so.
void RecordingListener::Raise() {
  const float gain = features::GainFor(peak_);
  if (gain == 1) return;
  const int steps = static_cast<int>(std::lround(kStepsPerDecibel * 20 * std::log10(gain)));
  for (uint8_t& cell : spectrogram_.cells) {
    if (cell > 0) cell = static_cast<uint8_t>(std::min(255, cell + steps));
  }
}

}  // namespace antiphon::server
