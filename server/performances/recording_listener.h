// A long recording as it comes in: its spectrogram for an alignment, and which piece it is.
//
// Belongs to one thread. Memory grows with the spectrogram only: about 14 MB for an hour at the
// settings of alignment::PerformanceSettings.
#ifndef ANTIPHON_SERVER_PERFORMANCES_RECORDING_LISTENER_H_
#define ANTIPHON_SERVER_PERFORMANCES_RECORDING_LISTENER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "antiphon/v1/retrieval.pb.h"
#include "core/audio/pcm_stream.h"
#include "core/features/audio_front_end.h"
#include "core/matching/request.h"
#include "core/retrieval/collection.h"
#include "core/streaming/segments.h"
#include "core/streaming/stream_identifier.h"
#include "server/calls/call.h"

namespace antiphon::server {

// What a collection says a recording is.
struct Identified {
  v1::Verdict verdict = v1::VERDICT_NO_MATCH;
  double confidence = 0;
  int piece = 0;  // of a match: a position in the collection
};

class RecordingListener {
 public:
  // `identify`: unless the piece is known. InvalidArgument "options" for a format that cannot be
  // read.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<RecordingListener>> Create(
      const audio::PcmFormat& format, std::optional<matching::IdentifyOptions> identify);

  // The call's collection may be another one each time. Failures are InvalidArgument "samples",
  // FailedPrecondition where it is to identify sound of another rate, or as the collection's.
  [[nodiscard]] absl::Status Push(Call& call, std::string_view bytes);

  // The spectrogram of all, with the levels of a recording that is far too quiet raised. Push must
  // not follow.
  [[nodiscard]] absl::StatusOr<features::FeatureSequence> Finish(Call& call);

  // The piece that was heard for the longest time. Requires `identify`; once, after Finish.
  Identified Identify(const retrieval::Collection& collection);

  double received_s() const;

 private:
  RecordingListener(std::unique_ptr<audio::PcmStream> pcm,
                    std::unique_ptr<const features::AudioFrontEnd> front_end,
                    std::optional<matching::IdentifyOptions> identify);

  // `decode` adds to samples_.
  absl::Status Take(Call& call, const std::function<absl::Status()>& decode);
  absl::Status Note(absl::StatusOr<std::vector<streaming::StreamAnswer>> answered);
  void Raise();

  const std::unique_ptr<audio::PcmStream> pcm_;
  const std::unique_ptr<const features::AudioFrontEnd> front_end_;
  features::SpectrogramStream stream_;
  features::FeatureSequence spectrogram_;
  std::optional<streaming::StreamIdentifier> identifier_;
  streaming::SegmentBuilder segments_;
  std::vector<float> samples_;  // of one chunk
  int64_t received_ = 0;        // samples
  float peak_ = 0;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_PERFORMANCES_RECORDING_LISTENER_H_
