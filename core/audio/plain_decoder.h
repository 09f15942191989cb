// As decoder.h with libsndfile alone, for the client: a program that links FFmpeg as Debian builds
// it is under the GPL.
//
// Reads WAV, AU, AIFF, CAF, W64, FLAC, Ogg (Vorbis, Opus) and MP3. WAV and AU are read as there; of
// the others libsndfile gives what it reads, and a DecodeReport says where it stopped before the
// end that the header names. Files are the user's own. Stateless functions; safe from any thread.
#ifndef ANTIPHON_CORE_AUDIO_PLAIN_DECODER_H_
#define ANTIPHON_CORE_AUDIO_PLAIN_DECODER_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/audio/decode_options.h"
#include "core/audio/decode_report.h"
#include "core/audio/sound_format.h"
#include "core/audio/waveform.h"

namespace antiphon::audio::plain {

// Whether sound of this format is read at all.
bool Reads(SoundFormat format);
// Whether all of it is read, as decoder.h does: not of a file that is damaged or put together of
// several, where libsndfile stops.
bool ReadsToTheEnd(SoundFormat format);

// Unimplemented, with advice, for a format that is not read here; otherwise as the functions of
// decoder.h with the same names.
[[nodiscard]] absl::StatusOr<Waveform> DecodeMemory(std::string_view bytes,
                                                    const DecodeOptions& options = {},
                                                    DecodeReport* report = nullptr);
[[nodiscard]] absl::StatusOr<Waveform> DecodeFile(const std::string& path,
                                                  const DecodeOptions& options = {},
                                                  DecodeReport* report = nullptr);
[[nodiscard]] absl::Status DecodeMemoryInPieces(std::string_view bytes,
                                                const DecodeOptions& options,
                                                const SampleSink& sink,
                                                DecodeReport* report = nullptr);
[[nodiscard]] absl::Status DecodeFileInPieces(const std::string& path, const DecodeOptions& options,
                                              const SampleSink& sink,
                                              DecodeReport* report = nullptr);

}  // namespace antiphon::audio::plain

#endif  // ANTIPHON_CORE_AUDIO_PLAIN_DECODER_H_
