// Turns mono sound into file bytes, for snippets handed back to a client and for test material
// (libsndfile). Stateless functions; safe from any thread.
#ifndef ANTIPHON_CORE_AUDIO_ENCODER_H_
#define ANTIPHON_CORE_AUDIO_ENCODER_H_

#include <string>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"

namespace antiphon::audio {

// 16-bit PCM; 16-bit FLAC; Vorbis at quality 0.5; MP3 at a constant 64 kbit/s, for the rates that
// MPEG knows (8000 to 48000 Hz), whose header says what of the codec's delay and padding a decoder
// leaves away.
enum class AudioFormat { kWav, kFlac, kOggVorbis, kMp3 };

// Samples beyond full scale are clipped. Fails with InvalidArgument on an empty waveform.
[[nodiscard]] absl::StatusOr<std::string> EncodeAudio(const Waveform& waveform, AudioFormat format);

// As above, into a file (replaced when it exists).
[[nodiscard]] absl::Status WriteAudioFile(const Waveform& waveform, AudioFormat format,
                                          const std::string& path);

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_AUDIO_ENCODER_H_
