#include "server/services/service_streams.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/audio/pcm_stream.h"
#include "core/base/status_macros.h"
#include "core/streaming/segments.h"
#include "core/streaming/stream_identifier.h"
#include "server/services/request_options.h"
#include "server/services/response_builder.h"
#include "server/services/sample_stream.h"
#include "server/wire/conversions.h"
#include "server/wire/field_checks.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

constexpr double kLiveUpdate_s = 1.0;
constexpr double kLongUpdate_s = 2.0;  // nobody waits for the answers in between: half the work
constexpr int kLiveTopK = 3;

absl::StatusOr<streaming::StreamOptions> ToStreamOptions(const v1::StreamOptions& options,
                                                         double update_s, const Limits& limits) {
  streaming::StreamOptions out;
  out.update_s = update_s;
  out.identify.top_k = kLiveTopK;
  if (options.has_top_k()) {
    RETURN_IF_ERROR(CheckFieldRange("options.top_k", options.top_k(), IdentifyTopKRange(limits)));
    out.identify.top_k = options.top_k();
  }
  if (options.has_min_confidence()) {
    RETURN_IF_ERROR(CheckFieldRange("options.min_confidence", options.min_confidence(),
                                    matching::IdentifyOptions::kMinConfidenceRange));
    out.identify.min_confidence = options.min_confidence();
  }
  ASSIGN_OR_RETURN(out.identify.against, ToSide("options.", options.against()));
  ASSIGN_OR_RETURN(out.identify.filter, ToSearchFilter("options.", options.filter(), options.mode(),
                                                       std::nullopt, limits));
  return out;
}

// From the bytes of a stream to answers.
class Listener {
 public:
  using Take = std::function<absl::Status(const streaming::StreamAnswer&)>;

  // Reads the options, which come first.
  static absl::StatusOr<std::unique_ptr<Listener>> Open(
      const StreamContext& context, double update_s,
      MessageReader<v1::IdentifyStreamRequest>& stream) {
    v1::IdentifyStreamRequest request;
    RETURN_IF_ERROR(ReadOptions(stream, &request));
    ASSIGN_OR_RETURN(const auto format, ToPcmFormat(request.options(), context.limits));
    ASSIGN_OR_RETURN(const auto options,
                     ToStreamOptions(request.options(), update_s, context.limits));
    return std::unique_ptr<Listener>(new Listener(context.store, format, options));
  }

  // Everything up to the end of the stream. `take` gets each answer while the collection that gave
  // it is the call's.
  absl::Status Listen(Call& call, MessageReader<v1::IdentifyStreamRequest>& stream,
                      const Take& take) {
    RETURN_IF_ERROR(
        ReadSamples(stream, [&](std::string_view bytes) { return Hear(call, bytes, take); }));
    return Finish(call, take);
  }

  const streaming::StreamIdentifier& identifier() const { return identifier_; }
  catalog::Side against() const { return against_; }

 private:
  Listener(const Store& store, const audio::PcmFormat& format,
           const streaming::StreamOptions& options)
      : store_(store), format_(format), against_(options.identify.against), identifier_(options) {}

  // Asks the collection as it is now, which may be of another model, at another rate.
  absl::Status Follow(Call& call) {
    call.Pin(store_.Current());
    const int rate = call.collection().feature_settings().sample_rate;
    if (pcm_ != nullptr && rate == rate_) return absl::OkStatus();
    ASSIGN_OR_RETURN(pcm_, AtField(audio::PcmStream::Create(format_, rate), "options"));
    rate_ = rate;
    return absl::OkStatus();
  }

  absl::Status Hear(Call& call, std::string_view bytes, const Take& take) {
    RETURN_IF_ERROR(Follow(call));
    samples_.clear();
    RETURN_IF_ERROR(AtField(
        call.InStage(v1::STAGE_DECODE, [&] { return pcm_->Push(bytes, samples_); }), "samples"));
    return Identify(call, take);
  }

  absl::Status Finish(Call& call, const Take& take) {
    RETURN_IF_ERROR(Follow(call));
    samples_.clear();
    RETURN_IF_ERROR(AtField(pcm_->Finish(samples_), "samples"));
    RETURN_IF_ERROR(Identify(call, take));
    return Give(identifier_.Finish(call.collection(), call.context()), take);
  }

  absl::Status Identify(Call& call, const Take& take) {
    return Give(identifier_.Push(call.collection(), samples_, call.context()), take);
  }

  static absl::Status Give(absl::StatusOr<std::vector<streaming::StreamAnswer>> answered,
                           const Take& take) {
    ASSIGN_OR_RETURN(const auto answers, AtField(std::move(answered), "samples"));
    for (const streaming::StreamAnswer& answer : answers) {
      RETURN_IF_ERROR(take(answer));
    }
    return absl::OkStatus();
  }

  const Store& store_;
  const audio::PcmFormat format_;
  const catalog::Side against_;
  streaming::StreamIdentifier identifier_;
  int rate_ = 0;
  std::unique_ptr<audio::PcmStream> pcm_;
  std::vector<float> samples_;  // of one piece, at rate_
};

v1::LiveEvent ToWire(streaming::StreamEvent event) {
  switch (event) {
    case streaming::StreamEvent::kUpdate:
      return v1::LIVE_EVENT_UPDATE;
    case streaming::StreamEvent::kPieceStarted:
      return v1::LIVE_EVENT_PIECE_STARTED;
    case streaming::StreamEvent::kPieceEnded:
      return v1::LIVE_EVENT_PIECE_ENDED;
    case streaming::StreamEvent::kPaused:
      return v1::LIVE_EVENT_PAUSED;
    case streaming::StreamEvent::kResumed:
      return v1::LIVE_EVENT_RESUMED;
  }
  return v1::LIVE_EVENT_UNSPECIFIED;
}

absl::StatusOr<v1::IdentifyLiveResponse> ToResponse(Call& call, catalog::Side against,
                                                    const streaming::StreamAnswer& answer) {
  v1::IdentifyLiveResponse response;
  response.set_event(ToWire(answer.event));
  response.set_at_seconds(answer.at_s);
  response.set_verdict(server::ToWire(answer.identification.verdict));
  response.set_generation(call.collection().manifest().generation);
  RETURN_IF_ERROR(call.InStage(v1::STAGE_RESPOND, [&] {
    return FillCandidates(call.collection(), against, answer.identification.candidates,
                          response.mutable_candidates());
  }));
  return response;
}

// One verdict for the whole of a stream.
void RecordVerdict(Metrics& metrics, const Call& call, bool recognised) {
  metrics.RecordVerdict(call.method(), recognised ? v1::VERDICT_MATCH : v1::VERDICT_NO_MATCH);
}

}  // namespace

absl::Status IdentifyLong(const StreamContext& context, Call& call,
                          MessageReader<v1::IdentifyStreamRequest>& stream,
                          v1::IdentifyLongResponse* response) {
  ASSIGN_OR_RETURN(const auto listener, Listener::Open(context, kLongUpdate_s, stream));
  streaming::SegmentBuilder builder;
  RETURN_IF_ERROR(listener->Listen(call, stream, [&](const streaming::StreamAnswer& answer) {
    return AtField(builder.Add(answer), "samples");
  }));
  RETURN_IF_ERROR(call.InStage(v1::STAGE_RESPOND, [&] {
    return FillSegments(call.collection(), listener->against(), builder.Finish(),
                        response->mutable_segments());
  }));
  RecordVerdict(context.metrics, call, !response->segments().empty());
  call.FillInfo(listener->identifier().received_s(), response->mutable_info());
  return absl::OkStatus();
}

absl::Status IdentifyLive(
    const StreamContext& context, Call& call,
    MessageStream<v1::IdentifyStreamRequest, v1::IdentifyLiveResponse>& stream) {
  ASSIGN_OR_RETURN(const auto listener, Listener::Open(context, kLiveUpdate_s, stream));
  bool recognised = false;
  RETURN_IF_ERROR(
      listener->Listen(call, stream, [&](const streaming::StreamAnswer& answer) -> absl::Status {
        ASSIGN_OR_RETURN(const v1::IdentifyLiveResponse response,
                         ToResponse(call, listener->against(), answer));
        recognised = recognised || answer.event == streaming::StreamEvent::kPieceStarted;
        if (stream.Write(response)) return absl::OkStatus();
        return stream.status().ok() ? absl::CancelledError("the caller has gone") : stream.status();
      }));
  RecordVerdict(context.metrics, call, recognised);
  return absl::OkStatus();
}

}  // namespace antiphon::server
