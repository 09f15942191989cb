#include "server/services/snippets.h"

#include <limits>

#include "core/audio/encoder.h"
#include "core/base/status_macros.h"
#include "core/decoding/decoder.h"
#include "core/music/midi_file.h"

namespace antiphon::server {
namespace {

// What comes from the collection was accepted when it was indexed: a failure here is not the
// caller's.
absl::Status AsDataLoss(const absl::Status& status) {
  return absl::DataLossError(status.message());
}

}  // namespace

absl::StatusOr<std::string> CutMidi(const music::Score& score, double start_s, double end_s) {
  return MapError(music::WriteMidi(music::Excerpt(score, start_s, end_s)), AsDataLoss);
}

absl::StatusOr<std::string> CutWav(std::string_view audio, double start_s, double end_s,
                                   int sample_rate) {
  audio::DecodeOptions options;
  options.sample_rate = sample_rate;
  options.max_duration_s = std::numeric_limits<double>::max();
  options.start_s = start_s;
  options.length_s = end_s - start_s;
  ASSIGN_OR_RETURN(const audio::Waveform waveform,
                   MapError(audio::DecodeMemory(audio, options), AsDataLoss));
  return MapError(audio::EncodeAudio(waveform, audio::AudioFormat::kWav), AsDataLoss);
}

}  // namespace antiphon::server
