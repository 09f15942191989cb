#include "server/services/snippets.h"

#include <limits>

#include "core/audio/decoder.h"
#include "core/audio/encoder.h"
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
  absl::StatusOr<std::string> midi = music::WriteMidi(music::Excerpt(score, start_s, end_s));
  if (!midi.ok()) return AsDataLoss(midi.status());
  return midi;
}

absl::StatusOr<std::string> CutWav(std::string_view audio, double start_s, double end_s,
                                   int sample_rate) {
  audio::DecodeOptions options;
  options.sample_rate = sample_rate;
  options.max_duration_s = std::numeric_limits<double>::max();
  options.start_s = start_s;
  options.length_s = end_s - start_s;
  const absl::StatusOr<audio::Waveform> waveform = audio::DecodeMemory(audio, options);
  if (!waveform.ok()) return AsDataLoss(waveform.status());
  absl::StatusOr<std::string> wav = audio::EncodeAudio(*waveform, audio::AudioFormat::kWav);
  if (!wav.ok()) return AsDataLoss(wav.status());
  return wav;
}

}  // namespace antiphon::server
