// Turns sound files into mono at a wanted rate.
//
// Files are told apart by their contents. libsndfile reads WAV and AU, FFmpeg's libraries read
// AIFF, CAF, W64, FLAC, MP3, AAC, Ogg (Vorbis, Opus, FLAC, Speex), MP4 and M4A (AAC, ALAC), WebM
// and Matroska, WMA and AMR (docs/api.md has the table). Every file is read to its end, whatever
// its header says of the length, and past what is damaged; a DecodeReport says what was lost.
//
// Decoding, mixing down (mono_mixer.h: the mean of the channels, unless they cancel) and resampling
// (libsoxr) go chunk by chunk, so that memory is the result's size plus a constant, or a constant
// where the result is handed over in pieces. The result has round(frames * sample_rate / source
// rate) samples, within one, and is not delayed. Input is untrusted: a length that a header claims
// is checked, never allocated on trust; time and reading are bounded. Stateless functions; safe
// from any thread.
#ifndef ANTIPHON_CORE_DECODING_DECODER_H_
#define ANTIPHON_CORE_DECODING_DECODER_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/audio/decode_options.h"
#include "core/audio/decode_report.h"
#include "core/audio/waveform.h"

namespace antiphon::audio {

// Fails with InvalidArgument (unknown or damaged format; samples that are NaN, infinite or beyond
// 1e10; no samples at all; start_s beyond the end) or ResourceExhausted (a limit). A stream that
// ends early, or a part that does, gives what could be decoded, unless that is nothing; `report`,
// unless null, then says so. Silence is fine.
[[nodiscard]] absl::StatusOr<Waveform> DecodeMemory(std::string_view bytes,
                                                    const DecodeOptions& options = {},
                                                    DecodeReport* report = nullptr);

// As above, from a file. Adds NotFound and the path to the messages.
[[nodiscard]] absl::StatusOr<Waveform> DecodeFile(const std::string& path,
                                                  const DecodeOptions& options = {},
                                                  DecodeReport* report = nullptr);

// The same, handed over in pieces of a few seconds, so that memory does not grow with the length;
// together they are the waveform of DecodeMemory or DecodeFile. A failure of `sink` ends the work
// and is returned as it is.
[[nodiscard]] absl::Status DecodeMemoryInPieces(std::string_view bytes,
                                                const DecodeOptions& options,
                                                const SampleSink& sink,
                                                DecodeReport* report = nullptr);
[[nodiscard]] absl::Status DecodeFileInPieces(const std::string& path, const DecodeOptions& options,
                                              const SampleSink& sink,
                                              DecodeReport* report = nullptr);

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_DECODING_DECODER_H_
